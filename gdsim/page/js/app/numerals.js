// Numbers as text, exactly: in boxes, in the address, and as Python writes them.

/**
 * The shortest text that reads back as the same number.
 * @param {number} value
 * @returns {string}
 */
export function exactText(value) {
  return Object.is(value, -0) ? "0" : String(value).replace("e+", "e");
}

/**
 * A float as Python's repr writes it.
 * @param {number} value
 * @returns {string}
 */
export function pythonFloat(value) {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (value === 0) return Object.is(value, -0) ? "-0.0" : "0.0";
  const [digits, power] = value.toExponential().split("e");
  const exponent = Number(power);
  if (exponent < -4 || exponent >= 16) {
    const size = String(Math.abs(exponent)).padStart(2, "0");
    return digits + "e" + (exponent < 0 ? "-" : "+") + size;
  }
  if (exponent >= 0) {
    const plain = String(value);
    return plain.includes(".") ? plain : plain + ".0";
  }
  const bare = digits.replace("-", "").replace(".", "");
  return (value < 0 ? "-" : "") + "0." + "0".repeat(-exponent - 1) + bare;
}

/**
 * A float as a scenario file has it: with a dot before the exponent, for readers of YAML 1.1.
 * @param {number} value
 * @returns {string}
 */
export function yamlFloat(value) {
  const text = pythonFloat(value);
  const [mantissa, exponent] = text.split("e");
  return exponent === undefined || mantissa.includes(".") ? text : mantissa + ".0e" + exponent;
}

/**
 * Rounds to so many significant digits, as a number that is short to write.
 * @param {number} value
 * @param {number} digits
 * @returns {number}
 */
export function rounded(value, digits) {
  return Number.isFinite(value) ? Number(value.toPrecision(digits)) : value;
}
