/** Eigenvalues and eigenvectors of small symmetric matrices by Jacobi's rotations. */

const MOST_SWEEPS = 30;

/**
 * Decompose a symmetric matrix, given row by row.
 *
 * Source: G. H. Golub, C. F. Van Loan, Matrix Computations (2013), §8.5.
 * @param {ArrayLike<number>} matrix
 * @param {number} size
 * @returns {{values: number[], vectors: number[][]}} eigenvalues in ascending order with their unit vectors;
 *   nan where the matrix is not finite
 */
export function symmetricEigen(matrix, size) {
  const a = Array.from(matrix);
  if (!a.every(Number.isFinite)) {
    return { values: new Array(size).fill(NaN), vectors: Array.from({ length: size }, () => new Array(size).fill(NaN)) };
  }
  const turned = Array.from({ length: size * size }, (_, place) => (place % (size + 1) === 0 ? 1 : 0));
  for (let sweep = 0; sweep < MOST_SWEEPS; sweep++) {
    let changed = false;
    for (let p = 0; p < size; p++) {
      for (let q = p + 1; q < size; q++) changed = rotated(a, turned, size, p, q) || changed;
    }
    if (!changed) break;
  }
  const order = Array.from({ length: size }, (_, place) => place);
  order.sort((one, other) => a[one * size + one] - a[other * size + other]);
  return {
    values: order.map((place) => a[place * size + place]),
    vectors: order.map((place) => order.map((_, row) => turned[row * size + place])),
  };
}

/**
 * Rotate away one entry beside the diagonal, unless it is too small to matter.
 * @param {number[]} a
 * @param {number[]} turned
 * @param {number} size
 * @param {number} p
 * @param {number} q
 * @returns {boolean}
 */
function rotated(a, turned, size, p, q) {
  const beside = a[p * size + q];
  const first = a[p * size + p];
  const second = a[q * size + q];
  if (Math.abs(beside) <= 1e-17 * Math.sqrt(Math.abs(first) * Math.abs(second)) + 1e-308) return false;
  if (first + beside === first && second + beside === second) return false;
  const theta = (second - first) / (2 * beside);
  const tangent = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1));
  const cosine = 1 / Math.hypot(tangent, 1);
  const sine = tangent * cosine;
  a[p * size + p] = first - tangent * beside;
  a[q * size + q] = second + tangent * beside;
  a[p * size + q] = a[q * size + p] = 0;
  for (let k = 0; k < size; k++) {
    if (k !== p && k !== q) {
      const one = a[k * size + p];
      const other = a[k * size + q];
      a[k * size + p] = a[p * size + k] = cosine * one - sine * other;
      a[k * size + q] = a[q * size + k] = sine * one + cosine * other;
    }
    const one = turned[k * size + p];
    const other = turned[k * size + q];
    turned[k * size + p] = cosine * one - sine * other;
    turned[k * size + q] = sine * one + cosine * other;
  }
  return true;
}

/**
 * The largest size of some numbers.
 * @param {ArrayLike<number>} values
 * @returns {number}
 */
export function largestOf(values) {
  let most = 0;
  for (let index = 0; index < values.length; index++) {
    const size = Math.abs(values[index]);
    if (!(size <= most)) most = size;
  }
  return most;
}

/**
 * The middle one of the finite numbers in order; 0 where there is none.
 * @param {number[]} values
 * @returns {number}
 */
export function middleOf(values) {
  const finite = values.filter(Number.isFinite).sort((one, other) => one - other);
  return finite[finite.length >> 1] ?? 0;
}

/**
 * The largest distance between two places as a share of the domain; Infinity where it is no number.
 * @param {number[]} width of the domain
 * @param {ArrayLike<number>} one
 * @param {ArrayLike<number>} other
 * @returns {number}
 */
export function largestShare(width, one, other) {
  const most = largestOf(width.map((extent, index) => (one[index] - other[index]) / extent));
  return Number.isNaN(most) ? Infinity : most;
}
