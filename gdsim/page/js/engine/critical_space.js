/**
 * Zeros of ∇f for several weights: damped Newton from where both slopes change sign on a grid, and from a
 * coarse one. What gdsim/critical/numerical/several_dimensions.py does, with fewer starts.
 */
import { degeneratePoint, describedZero, largestOf, mirroredDigits, shortZero, SPREAD_PRIMES, squaredLength } from "./classify_space.js";
import { pseudoNewtonStep } from "./settle.js";
import { symmetricEigen } from "./symmetric.js";

/** @typedef {import("../types.js").CriticalPoint} CriticalPoint */
/** @typedef {import("../types.js").Interval} Interval */
/** @typedef {import("../types.js").Loss} Loss */
/** @typedef {import("../types.js").Numbers} Numbers */
/** @typedef {import("./classify_space.js").Space} Space */

const SPACE_GRID = 64; // cells along each of two weights
const SCATTERED = 144; // starts from everywhere
const SCATTERED_MANY = 400; // for more than two weights
const MOST_ITERATIONS = 60;
const SAME_ZERO = 1e-7; // of the domain: solutions nearer to each other are one
const LINKED = 0.05; // of the domain: degenerate solutions nearer to each other belong together
const MOST_IN_A_CELL = 4; // degenerate solutions that are kept

/**
 * Find and classify the critical points of a loss of several weights in a box.
 * @param {Loss} loss
 * @param {number[]} parameters
 * @param {Numbers[]} data
 * @param {Interval[]} domain
 * @param {number[][]} extra more places to start from
 * @returns {CriticalPoint[]} in ascending order of the weights
 */
export function criticalInSpace(loss, parameters, data, domain, extra) {
  const space = spaceOf(loss, parameters, data, domain);
  const { starts, likely } = startsIn(space, data.length ? data[0].length : 1);
  const inBox = extra.filter((at) => liesInBox(space, at));
  /** @type {number[][]} */
  const simple = [];
  /** @type {Map<string, number[][]>} */
  const degenerate = new Map();
  const near = new Map();
  for (const start of [...likely, ...starts, ...inBox]) {
    const found = polishedZero(space, start);
    if (!found || !liesInBox(space, found.at)) continue;
    if (found.singular) keepDegenerate(space, degenerate, found.at);
    else if (isNew(space, near, found.at)) simple.push(shortZero(space, found.at, 1e-11));
  }
  const points = simple.map((at) => describedZero(space, at, false));
  for (const group of linkedGroups(degenerate)) points.push(degeneratePoint(space, group));
  const order = (/** @type {CriticalPoint} */ one, /** @type {CriticalPoint} */ other) => {
    const index = one.weight.findIndex((value, place) => value !== other.weight[place]);
    return index < 0 ? 0 : one.weight[index] - other.weight[index];
  };
  return points.sort(order);
}

/**
 * @param {Loss} loss
 * @param {number[]} parameters
 * @param {Numbers[]} data
 * @param {Interval[]} domain
 * @returns {Space}
 */
function spaceOf(loss, parameters, data, domain) {
  const size = domain.length;
  const out = new Float64Array(size);
  const matrix = new Float64Array(size * size);
  return {
    size,
    domain,
    width: domain.map(([low, high]) => high - low),
    typical: 0,
    value: (at) => loss.value(at, parameters, data),
    slopes: (at) => {
      loss.gradient(at, parameters, data, out);
      return out;
    },
    bends: (at) => {
      loss.hessian(at, parameters, data, matrix);
      return matrix;
    },
  };
}

/**
 * @param {Space} space
 * @param {number[]} at
 * @returns {boolean}
 */
function liesInBox(space, at) {
  return space.domain.every(([low, high], index) => at[index] >= low && at[index] <= high);
}

/**
 * Places spread over the domain, and with two weights the cells in which both slopes change sign.
 * @param {Space} space
 * @param {number} rows of data
 * @returns {{starts: number[][], likely: number[][]}}
 */
function startsIn(space, rows) {
  const placed = (/** @type {number[]} */ unit) => unit.map((share, index) => space.domain[index][0] + share * space.width[index]);
  const count = space.size === 2 ? SCATTERED : SCATTERED_MANY;
  const few = Math.max(16, Math.round(count / Math.max(1, rows / 200)));
  const starts = [placed(new Array(space.size).fill(0.5))];
  for (let number = 1; number <= few; number++) {
    starts.push(placed(space.width.map((_, index) => mirroredDigits(number, SPREAD_PRIMES[index % SPREAD_PRIMES.length]))));
  }
  const sizes = starts.map((at) => Math.max(...space.bends(at).map((bend, place) => Math.abs(bend) * space.width[place % space.size] * space.width[Math.floor(place / space.size)])));
  const finite = sizes.filter(Number.isFinite).sort((one, other) => one - other);
  space.typical = finite.length ? finite[finite.length >> 1] : 0;
  return { starts, likely: space.size === 2 ? turningCells(space, rows > 400 ? SPACE_GRID / 4 : SPACE_GRID).map(placed) : [] };
}

/**
 * The cells at whose corners both slopes have different signs, as shares of the domain.
 * @param {Space} space
 * @param {number} cells along each weight
 * @returns {number[][]}
 */
function turningCells(space, cells) {
  const corners = cells + 1;
  const signs = new Int8Array(2 * corners * corners);
  for (let i = 0; i < corners; i++) {
    for (let j = 0; j < corners; j++) {
      const slopes = space.slopes([space.domain[0][0] + (i / cells) * space.width[0], space.domain[1][0] + (j / cells) * space.width[1]]);
      for (let index = 0; index < 2; index++) signs[2 * (i * corners + j) + index] = Math.sign(slopes[index]);
    }
  }
  const found = [];
  for (let i = 0; i < cells; i++) {
    for (let j = 0; j < cells; j++) {
      const turning = [0, 1].every((index) => {
        const [a, b, c, d] = [0, 1, corners, corners + 1].map((shift) => signs[2 * (i * corners + j + shift) + index]);
        return !(a === b && b === c && c === d) || a === 0;
      });
      if (turning) found.push([(i + 0.5) / cells, (j + 0.5) / cells]);
    }
  }
  return found;
}

/**
 * Go from a start to a zero of ∇f; null where there is none, or where it is not in reach.
 * @param {Space} space
 * @param {number[]} start
 * @returns {{at: number[], singular: boolean} | null}
 */
function polishedZero(space, start) {
  const at = dampedNewton(space, start);
  if (!at) return null;
  for (let count = 0; count < 8; count++) {
    const slopes = Array.from(space.slopes(at));
    const { step } = pseudoNewtonStep(space.bends(at), slopes);
    if (!step.every((length, index) => Math.abs(length) < 1e-3 * space.width[index])) break;
    const moved = at.map((value, index) => value + step[index]);
    if (!(largestOf(space.slopes(moved)) < largestOf(slopes))) break;
    at.splice(0, space.size, ...moved);
  }
  const scaled = Array.from(space.bends(at), (bend, place) => bend * space.width[place % space.size] * space.width[Math.floor(place / space.size)]);
  const slopes = Array.from(space.slopes(at), (slope, index) => Math.abs(slope) * space.width[index]);
  if (!scaled.every(Number.isFinite) || !slopes.every(Number.isFinite)) return slopes.every((slope) => slope === 0) ? { at, singular: true } : null;
  const sizes = symmetricEigen(scaled, space.size).values.map(Math.abs);
  const largest = Math.max(...sizes);
  const singular = Math.min(...sizes) <= 1e-10 * Math.max(largest, 1e-6 * space.typical) || largest <= 1e-6 * space.typical;
  const room = slopes.map((_, index) => {
    const row = scaled.slice(index * space.size, (index + 1) * space.size);
    return 1e-9 * row.reduce((sum, bend) => sum + Math.abs(bend), 0) + 1e-15 * Math.max(space.typical, largest);
  });
  return slopes.every((slope, index) => slope <= room[index]) ? { at, singular } : null;
}

/**
 * Minimise |∇f|² from a start: a step solves (HᵀH + μI) s = −Hᵀ∇f in coordinates scaled by the domain; μ
 * falls tenfold when |∇f| fell and rises tenfold when it rose. Null where it leaves the domain.
 *
 * Source: J. Nocedal, S. J. Wright, Numerical Optimization (2006), §10.3.
 * @param {Space} space
 * @param {number[]} start
 * @returns {number[] | null}
 */
function dampedNewton(space, start) {
  const { size, width, domain } = space;
  let at = [...start];
  let slopes = Array.from(space.slopes(at), (slope, index) => slope * width[index]);
  let length = squaredLength(slopes);
  if (!Number.isFinite(length)) return null;
  let damping = 1e-3;
  /** @type {number[] | null} */
  let bends = null;
  for (let count = 0; count < MOST_ITERATIONS && length > 0 && damping < 1e8; count++) {
    bends ??= Array.from(space.bends(at), (bend, place) => bend * width[place % size] * width[Math.floor(place / size)]);
    const step = dampedStep(bends, slopes, damping);
    if (!step.every(Number.isFinite)) return null;
    const moved = at.map((value, index) => value - step[index] * width[index]);
    const there = Array.from(space.slopes(moved), (slope, index) => slope * width[index]);
    const squared = squaredLength(there);
    const better = squared < length;
    if (better) {
      at = moved;
      slopes = there;
      length = squared;
      bends = null;
    }
    damping *= better ? 0.1 : 10;
    if (largestOf(step) < 1e-15) break;
    if (at.some((value, index) => Math.abs(value - 0.5 * (domain[index][0] + domain[index][1])) > width[index])) return null;
  }
  return at;
}

/**
 * Solve (HᵀH + μ tr(HᵀH) I) s = Hᵀg by Cholesky's decomposition.
 * @param {number[]} bends
 * @param {number[]} slopes
 * @param {number} damping
 * @returns {number[]}
 */
function dampedStep(bends, slopes, damping) {
  const size = slopes.length;
  const floor = damping * squaredLength(bends) + 1e-300;
  const root = new Array(size * size).fill(0);
  const step = new Array(size).fill(0);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = i === j ? floor : 0;
      for (let k = 0; k < size; k++) sum += bends[k * size + i] * bends[k * size + j];
      for (let k = 0; k < j; k++) sum -= root[i * size + k] * root[j * size + k];
      root[i * size + j] = i === j ? Math.sqrt(sum) : sum / root[j * size + j];
    }
    let right = 0;
    for (let k = 0; k < size; k++) right += bends[k * size + i] * slopes[k];
    for (let k = 0; k < i; k++) right -= root[i * size + k] * step[k];
    step[i] = right / root[i * size + i];
  }
  for (let i = size - 1; i >= 0; i--) {
    for (let k = i + 1; k < size; k++) step[i] -= root[k * size + i] * step[k];
    step[i] /= root[i * size + i];
  }
  return step;
}

/**
 * Whether no zero so near is known; if so it is known from now on.
 * @param {Space} space
 * @param {Map<string, number[][]>} known by cells of the domain
 * @param {number[]} at
 * @returns {boolean}
 */
function isNew(space, known, at) {
  const cell = at.map((value, index) => Math.round((1e3 * (value - space.domain[index][0])) / space.width[index]));
  const key = cell.join();
  for (let corner = 0; corner < 3 ** space.size; corner++) {
    let rest = corner;
    const beside = cell.map((value) => {
      const shifted = value + (rest % 3) - 1;
      rest = Math.floor(rest / 3);
      return shifted;
    });
    for (const other of known.get(beside.join()) ?? []) {
      if (other.every((value, index) => Math.abs(value - at[index]) <= SAME_ZERO * space.width[index])) return false;
    }
  }
  known.set(key, [...(known.get(key) ?? []), at]);
  return true;
}

/**
 * Keep a degenerate zero by its cell of the domain, unless the cell is full.
 * @param {Space} space
 * @param {Map<string, number[][]>} cells
 * @param {number[]} at
 */
function keepDegenerate(space, cells, at) {
  const key = at.map((value, index) => Math.round((2 * (value - space.domain[index][0])) / (LINKED * space.width[index]))).join();
  const cell = cells.get(key) ?? [];
  if (cell.length < MOST_IN_A_CELL) cells.set(key, [...cell, at]);
}

/**
 * Single-linkage groups of degenerate zeros: cells of the domain are walked from neighbour to neighbour.
 * @param {Map<string, number[][]>} cells
 * @returns {number[][][]}
 */
function linkedGroups(cells) {
  const left = [...cells].map(([key, members]) => ({ corner: key.split(",").map(Number), members }));
  const groups = [];
  while (left.length) {
    const walked = left.splice(0, 1);
    for (let place = 0; place < walked.length; place++) {
      for (let other = left.length - 1; other >= 0; other--) {
        const near = left[other].corner.every((value, index) => Math.abs(value - walked[place].corner[index]) <= 2);
        if (near) walked.push(...left.splice(other, 1));
      }
    }
    groups.push(walked.flatMap(({ members }) => members));
  }
  return groups;
}

