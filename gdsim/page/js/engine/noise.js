// Noise that is a pure function of (seed, step, weight): the same bits as gdsim/noise.py with run key 0.
// Philox4x32-10: J. K. Salmon et al., SC '11, doi:10.1145/2063384.2063405.

const GAUSSIAN_STREAM = 0;
const MINIBATCH_STREAM = 1;
const TWO_32 = 4294967296;

/** The four words of the last call of `philox`. */
export const philoxWords = new Uint32Array(4);

/**
 * The upper 32 bits of a product of two 32-bit words.
 * @param {number} a
 * @param {number} b
 * @returns {number}
 */
function highWord(a, b) {
  const aHigh = a >>> 16, aLow = a & 0xffff;
  const bHigh = b >>> 16, bLow = b & 0xffff;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const other = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + Math.floor(middle / 65536) + Math.floor(other / 65536)) >>> 0;
}

/**
 * Writes four 32-bit words for a counter of four words and a key of two into `philoxWords`.
 * @param {number} c0
 * @param {number} c1
 * @param {number} c2
 * @param {number} c3
 * @param {number} k0
 * @param {number} k1
 */
export function philox(c0, c1, c2, c3, k0, k1) {
  for (let round = 0; round < 10; round++) {
    const upper = highWord(0xd2511f53, c0), lower = Math.imul(0xd2511f53, c0) >>> 0;
    const upper2 = highWord(0xcd9e8d57, c2), lower2 = Math.imul(0xcd9e8d57, c2) >>> 0;
    c0 = (upper2 ^ c1 ^ k0) >>> 0;
    c1 = lower2;
    c2 = (upper ^ c3 ^ k1) >>> 0;
    c3 = lower;
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  philoxWords[0] = c0;
  philoxWords[1] = c1;
  philoxWords[2] = c2;
  philoxWords[3] = c3;
}

/**
 * Two words as a number in [0, 1) with 53 random bits.
 * @param {number} high
 * @param {number} low
 * @returns {number}
 */
function unitNumber(high, low) {
  return ((high >>> 5) * 67108864 + (low >>> 6)) * 2 ** -53;
}

/**
 * A standard normal number for each (seed, step, weight), by G. E. P. Box and M. E. Muller.
 * @param {number} seed a whole number
 * @param {number} step
 * @param {number} weight
 * @returns {number}
 */
export function gaussianNoise(seed, step, weight) {
  philox(step, weight, 0, GAUSSIAN_STREAM, seed >>> 0, Math.floor(seed / TWO_32) >>> 0);
  const radius = Math.sqrt(-2 * Math.log(1 - unitNumber(philoxWords[0], philoxWords[1])));
  return radius * Math.cos(2 * Math.PI * unitNumber(philoxWords[2], philoxWords[3]));
}

/**
 * Different row numbers in ascending order: each row gets a random word, the smallest are taken.
 * @param {number} seed a whole number
 * @param {number} step
 * @param {number} rows
 * @param {number} size at most `rows`
 * @returns {Int32Array}
 */
export function minibatchRows(seed, step, rows, size) {
  const low = seed >>> 0, high = Math.floor(seed / TWO_32) >>> 0;
  const first = new Uint32Array(rows), second = new Uint32Array(rows), order = new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    philox(step, row, 0, MINIBATCH_STREAM, low, high);
    first[row] = philoxWords[0];
    second[row] = philoxWords[1];
    order[row] = row;
  }
  order.sort((a, b) => first[a] - first[b] || second[a] - second[b] || a - b);
  return order.slice(0, size).sort();
}
