/**
 * Zeros of ∇f for several weights: damped Newton from where both slopes change sign on a grid, and from places
 * spread over the domain. What gdsim/critical/numerical/several_dimensions.py does, with fewer starts.
 *
 * Places are searched as shares of the domain: 0 to 1 along each weight, gradient and Hessian scaled alike.
 */
import { degeneratePoint, describedZero, shortZero } from "./classify_space.js";
import { solveLinear } from "./descent.js";
import { pseudoNewtonStep } from "./settle.js";
import { largestOf, middleOf, symmetricEigen } from "./symmetric.js";

/** @typedef {import("../types.js").CriticalPoint} CriticalPoint */
/** @typedef {import("../types.js").Interval} Interval */
/** @typedef {import("../types.js").Loss} Loss */
/** @typedef {import("../types.js").Numbers} Numbers */
/** @typedef {import("./classify_space.js").Space} Space */

const SPACE_GRID = 64; // cells along each of two weights
const SCATTERED = 144; // starts from everywhere
const SCATTERED_MANY = 400; // for more than two weights
const MOST_ITERATIONS = 60;
const SHORTEST_STEP = 3e-10; // of the domain: Newton's own steps do the rest
const SAME_ZERO = 1e-7; // of the domain: solutions nearer to each other are one
const LINKED_CELLS = 40; // degenerate solutions as near as two cells of so many belong together
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
  const starts = startsIn(space, data.length ? data[0].length : 1);
  starts.push(...extra.map((weight) => weight.map((value, index) => (value - space.low[index]) / space.width[index])));
  /** @type {number[][]} */
  const simple = [];
  /** @type {Map<string, number[][]>} */
  const degenerate = new Map();
  for (const start of starts) {
    const found = polishedZero(space, start);
    if (!found || !found.at.every((share) => share > -1e-12 && share < 1 + 1e-12)) continue;
    const { at } = found;
    if (!found.singular) {
      if (!simple.some((other) => other.every((share, index) => Math.abs(share - at[index]) <= SAME_ZERO))) simple.push(at);
      continue;
    }
    const key = at.map((share) => Math.round(share * LINKED_CELLS)).join();
    const cell = degenerate.get(key) ?? [];
    if (cell.length < MOST_IN_A_CELL) degenerate.set(key, [...cell, at]);
  }
  return simple
    .map((at) => describedZero(space, shortZero(space, refined(space, space.weight(at)), 1e-11), false))
    .filter(({ weight }) => weight.every((value, index) => value >= domain[index][0] && value <= domain[index][1]))
    .concat(linkedGroups(degenerate).map((group) => degeneratePoint(space, group)))
    .sort((one, other) => {
      const index = one.weight.findIndex((value, place) => value !== other.weight[place]);
      return index < 0 ? 0 : one.weight[index] - other.weight[index];
    });
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
  const low = domain.map(([least]) => least);
  const width = domain.map(([least, most]) => most - least);
  const products = width.flatMap((one) => width.map((other) => one * other));
  const place = new Float64Array(size);
  const weight = (/** @type {Numbers} */ at) => Array.from(at, (share, index) => low[index] + share * width[index]);
  const value = (/** @type {Numbers} */ there) => loss.value(there, parameters, data);
  const move = (/** @type {Numbers} */ at) => {
    for (let index = 0; index < size; index++) place[index] = low[index] + at[index] * width[index];
  };
  return {
    size, domain, low, width, typical: 0, weight, value,
    gradient: (there, out) => loss.gradient(there, parameters, data, out),
    hessian: (there, out) => loss.hessian(there, parameters, data, out),
    slopes: (at, out) => {
      move(at);
      loss.gradient(place, parameters, data, out);
      for (let index = 0; index < size; index++) out[index] *= width[index];
    },
    bends: (at, out) => {
      move(at);
      loss.hessian(place, parameters, data, out);
      for (let index = 0; index < size * size; index++) out[index] *= products[index];
    },
  };
}

/**
 * The cells in which both of two slopes change sign, and places spread over the domain.
 * @param {Space} space
 * @param {number} rows of data
 * @returns {number[][]}
 */
function startsIn(space, rows) {
  const count = (space.size === 2 ? SCATTERED : SCATTERED_MANY) / Math.max(1, Math.min(9, rows / 200));
  const spread = [new Array(space.size).fill(0.5)];
  // an additive recurrence with roots fills the cube evenly
  for (let number = 1; number <= count; number++) {
    spread.push(space.width.map((_, index) => (number * Math.sqrt(2 + 3 * index * index + index)) % 1));
  }
  const matrix = new Float64Array(space.size * space.size);
  space.typical = middleOf(spread.map((at) => {
    space.bends(at, matrix);
    return largestOf(matrix);
  }));
  return space.size === 2 ? [...turningCells(space, rows > 400 ? SPACE_GRID / 4 : SPACE_GRID), ...spread] : spread;
}

/**
 * The middles of cells at whose corners both slopes have different signs, or are zero.
 * @param {Space} space
 * @param {number} cells along each weight
 * @returns {number[][]}
 */
function turningCells(space, cells) {
  const corners = cells + 1;
  const signs = [new Int8Array(corners * corners), new Int8Array(corners * corners)];
  const slopes = [0, 0];
  const found = [];
  for (let i = 0; i < corners; i++) {
    for (let j = 0; j < corners; j++) {
      const here = i * corners + j;
      space.slopes([i / cells, j / cells], slopes);
      signs.forEach((sign, index) => (sign[here] = Math.sign(slopes[index])));
      if (!i || !j) continue;
      const turning = signs.every((sign) => {
        const sum = sign[here] + sign[here - 1] + sign[here - corners] + sign[here - corners - 1];
        return Math.abs(sum) < 4;
      });
      if (turning) found.push([(i - 0.5) / cells, (j - 0.5) / cells]);
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
  const slopes = new Array(space.size).fill(0);
  const bends = new Array(space.size * space.size).fill(0);
  space.slopes(at, slopes);
  space.bends(at, bends);
  if (!bends.every(Number.isFinite)) return slopes.every((slope) => slope === 0) ? { at, singular: true } : null;
  const sizes = symmetricEigen(bends, space.size).values.map(Math.abs);
  const largest = Math.max(...sizes);
  const singular = Math.min(...sizes) <= 1e-10 * largest || largest <= 1e-6 * space.typical;
  const isZero = slopes.every((slope, index) => {
    const row = bends.slice(index * space.size, (index + 1) * space.size).map(Math.abs);
    return Math.abs(slope) <= 1e-9 * row.reduce((sum, bend) => sum + bend) + 1e-15 * Math.max(space.typical, largest);
  });
  return isZero ? { at, singular } : null;
}

/**
 * Minimise |∇f|² from a start: a step solves (HᵀH + μI) s = −Hᵀ∇f; μ falls tenfold when |∇f| fell and rises
 * tenfold when it rose. Null where it leaves the domain.
 *
 * Source: J. Nocedal, S. J. Wright, Numerical Optimization (2006), §10.3.
 * @param {Space} space
 * @param {number[]} start
 * @returns {number[] | null}
 */
function dampedNewton(space, start) {
  const { size } = space;
  const [bends, square] = [new Float64Array(size * size), new Float64Array(size * size)];
  const step = new Float64Array(size);
  let [at, moved] = [[...start], [...start]];
  let [slopes, there] = [new Float64Array(size), new Float64Array(size)];
  space.slopes(at, slopes);
  let length = squaredLength(slopes);
  let damping = 1e-3;
  let fresh = true;
  for (let count = 0; count < MOST_ITERATIONS && length > 0 && damping < 1e8; count++) {
    if (fresh) space.bends(at, bends);
    const floor = damping * squaredLength(bends) + 1e-300;
    for (let i = 0; i < size; i++) {
      step[i] = 0;
      for (let k = 0; k < size; k++) step[i] -= bends[k * size + i] * slopes[k];
      for (let j = 0; j < size; j++) {
        let sum = i === j ? floor : 0;
        for (let k = 0; k < size; k++) sum += bends[k * size + i] * bends[k * size + j];
        square[i * size + j] = sum;
      }
    }
    solveLinear(square, step);
    for (let i = 0; i < size; i++) moved[i] = at[i] + step[i];
    if (!(Math.abs(largestOf(moved) - 0.5) < 2)) return null;
    space.slopes(moved, there);
    const squared = squaredLength(there);
    fresh = squared < length;
    damping *= fresh ? 0.1 : 10;
    if (fresh) {
      [at, moved, slopes, there] = [moved, at, there, slopes];
      length = squared;
    }
    if (largestOf(step) < (fresh ? SHORTEST_STEP : 1e-15)) break;
  }
  return Number.isFinite(length) ? at : null;
}

/**
 * @param {ArrayLike<number>} values
 * @returns {number}
 */
function squaredLength(values) {
  let sum = 0;
  for (let index = 0; index < values.length; index++) sum += values[index] * values[index];
  return sum;
}

/**
 * Newton steps in the weights themselves, as long as ∇f gets smaller.
 * @param {Space} space
 * @param {number[]} weight
 * @returns {number[]}
 */
function refined(space, weight) {
  const slopes = new Array(space.size).fill(0);
  const bends = new Array(space.size * space.size).fill(0);
  space.gradient(weight, slopes);
  for (let count = 0; count < 8; count++) {
    space.hessian(weight, bends);
    const { step } = pseudoNewtonStep(bends, slopes);
    const before = largestOf(slopes);
    const moved = weight.map((value, index) => value + step[index]);
    space.gradient(moved, slopes);
    if (!(largestOf(slopes) < before)) break;
    weight = moved;
  }
  return weight;
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
