// Exact rationals: what a decimal of a formula is.

/** @typedef {{ above: bigint, below: bigint }} Fraction in lowest terms, below > 0 */

/**
 * above/below for below > 0.
 * @param {bigint} above
 * @param {bigint} [below]
 * @returns {Fraction}
 */
export function exactFraction(above, below = 1n) {
  let [a, b] = [below, above < 0n ? -above : above];
  while (b) [a, b] = [b, a % b];
  return { above: above / a, below: below / a };
}

/**
 * The number that a decimal such as 1.5e-3 states.
 * @param {string} text
 * @returns {Fraction}
 */
export function fractionOf(text) {
  const [digits, exponent] = text.toLowerCase().split("e");
  const [whole, part = ""] = digits.split(".");
  const shift = Number(exponent ?? 0) - part.length;
  const size = exactFraction(BigInt(whole.replace("-", "") + part));
  const scale = shift ? 10n ** BigInt(Math.abs(shift)) : 1n;
  const value = shift < 0 ? exactFraction(size.above, scale) : exactFraction(size.above * scale);
  return text.startsWith("-") ? { above: -value.above, below: value.below } : value;
}

/**
 * @param {Fraction} a
 * @param {Fraction} b
 * @returns {Fraction}
 */
export function fractionSum(a, b) {
  return exactFraction(a.above * b.below + b.above * a.below, a.below * b.below);
}

/**
 * @param {Fraction} a
 * @param {Fraction} b
 * @returns {Fraction}
 */
export function fractionProduct(a, b) {
  return exactFraction(a.above * b.above, a.below * b.below);
}

/**
 * a/b for b ≠ 0.
 * @param {Fraction} a
 * @param {Fraction} b
 * @returns {Fraction}
 */
export function fractionQuotient(a, b) {
  const sign = b.above < 0n ? -1n : 1n;
  return exactFraction(sign * a.above * b.below, sign * a.below * b.above);
}

/**
 * @param {bigint} value
 * @returns {number}
 */
function bitsOf(value) {
  return value ? (value < 0n ? -value : value).toString(2).length : 0;
}

/**
 * The bits of the longer of its two numbers.
 * @param {Fraction} value
 * @returns {number}
 */
export function fractionBits(value) {
  return Math.max(bitsOf(value.above), bitsOf(value.below));
}

/**
 * The nearest double; ±Infinity beyond them.
 * @param {Fraction} value
 * @returns {number}
 */
export function fractionNumber(value) {
  const size = value.above < 0n ? -value.above : value.above;
  if (!size) return 0;
  // Beyond what a double holds two bits are kept: the next one, and whether anything follows it.
  const shift = Math.min(66 + bitsOf(value.below) - bitsOf(size), 1075);
  const above = shift > 0 ? size << BigInt(shift) : size;
  const below = shift < 0 ? value.below << BigInt(-shift) : value.below;
  const digits = Number((above / below) * 2n + (above % below ? 1n : 0n));
  const half = Math.trunc(-(shift + 1) / 2);
  return (value.above < 0n ? -digits : digits) * 2 ** half * 2 ** (-(shift + 1) - half);
}
