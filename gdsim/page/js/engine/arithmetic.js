// What formulas call beside Math, with the values that IEEE arithmetic gives on the real line.

/**
 * IEEE pow: where Math.pow gives NaN for 1 and ±1 to the power of what is not finite, this gives 1.
 * @param {number} base
 * @param {number} exponent
 * @returns {number}
 */
export function power(base, exponent) {
  if (base === 1 || (base === -1 && (exponent === Infinity || exponent === -Infinity))) return 1;
  return Math.pow(base, exponent);
}

/**
 * 1/(1 + exp(−x)) without overflow on either side.
 * @param {number} x
 * @returns {number}
 */
export function sigmoid(x) {
  if (x >= 0) return 1 / (1 + Math.exp(-x));
  const small = Math.exp(x);
  return small / (1 + small);
}

/**
 * log(1 + exp(x)) without overflow.
 * @param {number} x
 * @returns {number}
 */
export function softplus(x) {
  return (x <= 0 ? 0 : x) + Math.log1p(Math.exp(-Math.abs(x)));
}

/**
 * x²/2 for |x| ≤ bound, else bound·(|x| − bound/2).
 * @param {number} x
 * @param {number} bound
 * @returns {number}
 */
export function huber(x, bound) {
  const size = Math.abs(x);
  return size <= bound ? 0.5 * (x * x) : bound * (size - 0.5 * bound);
}

/**
 * The larger of two numbers, the first at a tie; NaN where either is.
 * @param {number} a
 * @param {number} b
 * @returns {number}
 */
export function larger(a, b) {
  return a >= b || a !== a ? a : b;
}

/**
 * The smaller of two numbers, the first at a tie; NaN where either is.
 * @param {number} a
 * @param {number} b
 * @returns {number}
 */
export function smaller(a, b) {
  return a <= b || a !== a ? a : b;
}

/**
 * 0 for what is not above 0; NaN for NaN.
 * @param {number} x
 * @returns {number}
 */
export function relu(x) {
  return x <= 0 ? 0 : x;
}

const oneDouble = new Float64Array(1);
const itsBits = new Uint32Array(oneDouble.buffer);

/**
 * From |x| to the next larger double.
 * @param {number} x
 * @returns {number}
 */
export function spacing(x) {
  const size = Math.abs(x);
  if (!Number.isFinite(size)) return NaN;
  oneDouble[0] = size;
  itsBits[0] += 1;
  if (itsBits[0] === 0) itsBits[1] += 1;
  return oneDouble[0] - size;
}

/**
 * The nearest whole number, the even one at a tie.
 * @param {number} x
 * @returns {number}
 */
export function roundToEven(x) {
  const whole = Math.round(x);
  return whole - x === 0.5 && whole % 2 !== 0 ? whole - 1 : whole;
}
