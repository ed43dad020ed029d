/** How numbers, places and counts are written in sentences: as gdsim/verdicts/story.py writes them. */

const RAISED_DIGITS = "⁰¹²³⁴⁵⁶⁷⁸⁹";
const SIGNIFICANT_DIGITS = 5;

/**
 * Write a number with five significant digits, a true minus sign and powers of ten.
 * @param {number} value
 * @returns {string}
 */
export function writeNumber(value) {
  if (Number.isNaN(value)) return "not a number";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const sign = value < 0 ? "−" : "";
  const [digits, power] = significant(Math.abs(value));
  if (power >= -4 && power < SIGNIFICANT_DIGITS) return sign + placed(digits, power);
  const exponent = (power < 0 ? "⁻" : "") + [...String(Math.abs(power))].map((digit) => RAISED_DIGITS[Number(digit)]).join("");
  const mantissa = digits.length > 1 ? `${digits[0]}.${digits.slice(1)}` : digits;
  return sign + (mantissa === "1" ? "" : `${mantissa}×`) + "10" + exponent;
}

/**
 * The digits without closing zeros, and the power of ten of the first; a half is rounded to the even digit.
 * @param {number} value
 * @returns {[string, number]}
 */
function significant(value) {
  let [mantissa, power] = value.toExponential(SIGNIFICANT_DIGITS - 1).split("e");
  const [exact] = value.toExponential(30).split("e");
  if (/^50*$/.test(exact.slice(SIGNIFICANT_DIGITS + 1)) && Number(exact[SIGNIFICANT_DIGITS]) % 2 === 0) {
    mantissa = exact.slice(0, SIGNIFICANT_DIGITS + 1);
    power = value.toExponential(30).split("e")[1];
  }
  return [mantissa.replace(".", "").replace(/0+$/, ""), Number(power)];
}

/**
 * @param {string} digits
 * @param {number} power
 * @returns {string}
 */
function placed(digits, power) {
  if (power < 0) return "0." + "0".repeat(-power - 1) + digits;
  if (digits.length <= power + 1) return digits.padEnd(power + 1, "0");
  return `${digits.slice(0, power + 1)}.${digits.slice(power + 1)}`;
}

/**
 * Write a place: `w = 1` or `(x, y) = (1, −2)`.
 * @param {string[]} names
 * @param {ArrayLike<number>} weight
 * @returns {string}
 */
export function writePlace(names, weight) {
  const values = names.map((_, index) => writeNumber(weight[index]));
  return names.length === 1 ? `${names[0]} = ${values[0]}` : `(${names.join(", ")}) = (${values.join(", ")})`;
}

/**
 * Write a number of steps.
 * @param {number} steps
 * @returns {string}
 */
export function countSteps(steps) {
  return steps === 1 ? "1 step" : `${steps} steps`;
}
