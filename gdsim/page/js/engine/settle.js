/**
 * Where a run settled: at which critical point, if any. The sibling of gdsim/verdicts/settle.py.
 *
 * With one weight, settled at c means that between w and c there is no other zero of f′ and no change of sign
 * of f″. With several, Newton's method from w must reach c, and the Hessian keep its inertia on the way.
 */
import { largestOf, largestShare, middleOf, symmetricEigen } from "./symmetric.js";

/** @typedef {import("../types.js").CriticalPoint} CriticalPoint */
/** @typedef {import("../types.js").Loss} Loss */
/** @typedef {import("../types.js").Numbers} Numbers */
/** @typedef {import("../types.js").Search} Search */

/**
 * A loss with its critical points, asked where weights belong.
 * @typedef {object} Terrain
 * @property {Loss} loss
 * @property {number[]} parameters
 * @property {Numbers[]} data
 * @property {Search} search
 * @property {number[]} width the extent of the domain
 * @property {CriticalPoint[]} lows the points from which the loss does not fall
 * @property {boolean} mayHold whether the domain has a low point, or kinks that were not sought
 * @property {Float64Array} bends f″ on a grid as far as it was needed, nan elsewhere; of one weight
 */

/** @typedef {{point: CriticalPoint | null, sure: boolean}} Settling */

const SAME_PLACE = 1e-9; // of the domain: nearer positions are one
const REACHED = 1e-6; // of the domain: Newton has arrived
const CREPT = 1e-3; // the same for a multiple zero, to which Newton only creeps
const NEWTON_STEPS = 60;
const BEND_CELLS = 2048;
const BEND_EPSILON = 2 ** -52;

/** @type {WeakMap<Search, Terrain>} */
const terrains = new WeakMap();

/**
 * Put a loss and its critical points together; the same ones again cost nothing.
 * @param {Loss} loss
 * @param {number[]} parameters
 * @param {Numbers[]} data
 * @param {Search} search
 * @returns {Terrain}
 */
export function terrainOf(loss, parameters, data, search) {
  const known = terrains.get(search);
  const same = known && known.loss === loss && known.data === data;
  if (known && same && known.parameters.every((value, place) => value === parameters[place])) return known;
  const width = search.domain.map(([low, high]) => high - low);
  const bends = new Float64Array(loss.weights.length === 1 ? BEND_CELLS + 1 : 0).fill(NaN);
  /** @type {Terrain} */
  const terrain = { loss, parameters: [...parameters], data, search, width, lows: [], mayHold: false, bends };
  terrain.lows = search.points.filter((point) => isLow(terrain, point));
  const open = search.open ?? !search.complete;
  terrain.mayHold = terrain.lows.length > 0 || (loss.weights.length > 1 && open);
  terrains.set(search, terrain);
  return terrain;
}

/**
 * @param {Terrain} terrain
 * @param {Numbers} weight
 * @returns {number}
 */
export function lossThere(terrain, weight) {
  return terrain.loss.value(weight, terrain.parameters, terrain.data);
}

/**
 * @param {Terrain} terrain
 * @param {Numbers} weight
 * @returns {Float64Array}
 */
export function hessianThere(terrain, weight) {
  const matrix = new Float64Array(weight.length * weight.length);
  terrain.loss.hessian(weight, terrain.parameters, terrain.data, matrix);
  return matrix;
}

/**
 * f″, or the largest eigenvalue of the Hessian; nan where it is not finite.
 * @param {Terrain} terrain
 * @param {Numbers} weight
 * @returns {number}
 */
export function curvatureThere(terrain, weight) {
  const matrix = hessianThere(terrain, weight);
  if (matrix.length === 1) return Number.isFinite(matrix[0]) ? matrix[0] : NaN;
  const { values } = symmetricEigen(matrix, weight.length);
  return values[values.length - 1];
}

/**
 * Whether the loss does not fall from a point; one whose kind could not be told is taken to be low.
 * @param {Terrain} terrain
 * @param {CriticalPoint} point
 * @returns {boolean}
 */
function isLow(terrain, point) {
  if (point.kind === "minimum" || point.kind === "undecided") return true;
  if (point.kind !== "kink" && point.kind !== "flat") return false;
  if (terrain.width.length > 1) {
    const least = -1e-9 * Math.max(1e-300, largestOf(point.curvature));
    return point.kind === "kink" || point.curvature.every((bend) => bend >= least);
  }
  const room = 1e-6 * terrain.width[0];
  const beside = [point.interval[0][0] - room, point.interval[0][1] + room];
  return beside.every((at) => !(lossThere(terrain, [at]) < point.loss));
}

/**
 * How far each weight is from its point or flat piece; Infinity where it has none.
 * @param {Numbers} weight
 * @param {CriticalPoint | null} point
 * @returns {number[]}
 */
export function distancesTo(weight, point) {
  return Array.from(weight, (value, index) => {
    if (!point) return Infinity;
    if (point.kind !== "flat") return Math.abs(value - point.weight[index]);
    const [low, high] = point.interval[index];
    return Math.abs(value - Math.min(Math.max(value, low), high));
  });
}

/**
 * Return where a weight settled.
 * @param {Terrain} terrain
 * @param {Numbers} weight
 * @returns {Settling}
 */
export function settleAt(terrain, weight) {
  if (terrain.width.length > 1) return settleInSpace(terrain, weight);
  return { point: settleOnLine(terrain, weight[0]), sure: true };
}

/**
 * @param {Terrain} terrain
 * @param {number} weight
 * @returns {CriticalPoint | null}
 */
function settleOnLine(terrain, weight) {
  if (!Number.isFinite(weight)) return null;
  const points = terrain.search.points;
  const room = SAME_PLACE * terrain.width[0];
  // a kink is no place to come to rest beside, only on; a flat piece holds what lies on it
  for (let place = points.length - 1; place >= 0; place--) {
    const { kind, interval } = points[place];
    if (kind !== "flat" && kind !== "kink") continue;
    if (weight >= interval[0][0] - room && weight <= interval[0][1] + room) return points[place];
  }
  let right = 0;
  while (right < points.length && points[right].weight[0] <= weight) right++;
  const sides = [points[right - 1], points[right]].filter((point) => point && point.kind !== "flat" && point.kind !== "kink");
  sides.sort((one, other) => Math.abs(one.weight[0] - weight) - Math.abs(other.weight[0] - weight));
  return sides.find((point) => !bendBetween(terrain, weight, point.weight[0])) ?? null;
}

/**
 * Whether f″ changes its sign between two places; at a critical point it does not count.
 * @param {Terrain} terrain
 * @param {number} one
 * @param {number} other
 * @returns {boolean}
 */
function bendBetween(terrain, one, other) {
  const low = Math.min(one, other);
  const high = Math.max(one, other);
  const grid = bendGrid(terrain);
  let cell = Math.max(0, Math.min(BEND_CELLS, Math.floor((low - grid.start) / grid.step)));
  while (cell > 0 && grid.sign(cell) === 0) cell--;
  let before = NaN;
  let sign = 0;
  for (; cell <= BEND_CELLS; cell++) {
    const here = grid.sign(cell);
    if (!here) continue;
    if (here * sign < 0) {
      const at = bendChange(terrain, before, grid.start + cell * grid.step, sign);
      const apart = terrain.search.points.every((point) => Math.abs(at - point.weight[0]) > 1e-7 * terrain.width[0]);
      if (apart && low < at && at < high) return true;
    }
    before = grid.start + cell * grid.step;
    sign = here;
    if (before >= high) return false;
  }
  return false;
}

/**
 * The grid on which changes of f″ are looked for: a tenth of the domain wider on either side.
 * @param {Terrain} terrain
 * @returns {{start: number, step: number, sign: (cell: number) => number}}
 */
function bendGrid(terrain) {
  const start = terrain.search.domain[0][0] - 0.1 * terrain.width[0];
  const step = (1.2 * terrain.width[0]) / BEND_CELLS;
  const bends = terrain.bends;
  const at = (/** @type {number} */ cell) => {
    if (Number.isNaN(bends[cell])) bends[cell] = hessianThere(terrain, [start + cell * step])[0];
    return bends[cell];
  };
  const sizes = [];
  for (let cell = 0; cell <= BEND_CELLS; cell += BEND_CELLS / 32) sizes.push(Math.abs(at(cell)));
  const hidden = 4 * BEND_EPSILON * middleOf(sizes);
  const sign = (/** @type {number} */ cell) => (Math.abs(at(cell)) > hidden ? Math.sign(at(cell)) : 0);
  return { start, step, sign };
}

/**
 * Where f″ changes its sign between two places.
 * @param {Terrain} terrain
 * @param {number} low
 * @param {number} high
 * @param {number} sign of f″ at the lower one
 * @returns {number}
 */
function bendChange(terrain, low, high, sign) {
  for (let halving = 0; halving < 80; halving++) {
    const middle = low + 0.5 * (high - low);
    if (!(middle > low && middle < high)) break;
    if (Math.sign(hessianThere(terrain, [middle])[0]) === sign) low = middle;
    else high = middle;
  }
  return 0.5 * (low + high);
}

/**
 * @param {Terrain} terrain
 * @param {Numbers} weight
 * @returns {Settling}
 */
function settleInSpace(terrain, weight) {
  const { at, same, arrived } = newtonFrom(terrain, weight);
  const { points } = terrain.search;
  /** @type {CriticalPoint | null} */
  let point = null;
  let sure = arrived;
  const gaps = points.map(({ weight: there }) => largestShare(terrain.width, at, there));
  if (points.length) {
    const nearest = points[gaps.indexOf(Math.min(...gaps))];
    const enough = nearest.multiplicity === null ? CREPT : REACHED;
    if (Math.min(...gaps) <= enough && nearest.kind !== "flat" && nearest.kind !== "kink") {
      if (same) point = nearest;
      sure = true;
    }
  }
  for (const piece of points) {
    if (piece.kind === "flat" && sure && same && liesOnPiece(terrain, at, piece)) point = piece;
  }
  for (const kink of points) {
    if (kink.kind === "kink" && largestShare(terrain.width, weight, kink.weight) <= SAME_PLACE) point = kink;
  }
  return { point, sure: sure || point !== null };
}

/**
 * @param {Terrain} terrain
 * @param {number[]} at
 * @param {CriticalPoint} piece
 * @returns {boolean}
 */
function liesOnPiece(terrain, at, piece) {
  const inside = at.every((value, index) => {
    const room = 0.02 * terrain.width[index];
    return value >= piece.interval[index][0] - room && value <= piece.interval[index][1] + room;
  });
  if (!inside) return false;
  const sizes = symmetricEigen(hessianThere(terrain, at), at.length).values.map(Math.abs);
  const singular = Math.min(...sizes) <= 1e-6 * Math.max(1e-300, ...sizes);
  return singular && Math.abs(lossThere(terrain, at) - piece.loss) <= 1e-6 * (1 + Math.abs(piece.loss));
}

/**
 * Newton steps through the pseudo-inverse: where they lead, whether the inertia stayed, whether they arrived.
 * @param {Terrain} terrain
 * @param {Numbers} weight
 * @returns {{at: number[], same: boolean, arrived: boolean}}
 */
function newtonFrom(terrain, weight) {
  const at = Array.from(weight);
  const slopes = new Array(at.length).fill(0);
  const corner = terrain.search.domain.map(([low]) => low);
  /** @type {{up: number, down: number} | null} */
  let first = null;
  let same = true;
  let leapt = false; // with the step before
  for (let count = 0; count < NEWTON_STEPS && at.every(Number.isFinite); count++) {
    terrain.loss.gradient(at, terrain.parameters, terrain.data, slopes);
    const matrix = hessianThere(terrain, at);
    if (!matrix.every(Number.isFinite) || !slopes.every(Number.isFinite)) break;
    const { step, up, down } = pseudoNewtonStep(matrix, slopes);
    first = first || { up, down };
    const shares = step.map((length, index) => Math.abs(length) / terrain.width[index]);
    const short = shares.every((share) => share <= SAME_PLACE);
    // at a multiple zero itself, to which Newton only creeps, the Hessian says nothing
    const turned = first.down + up > at.length || first.up + down > at.length;
    same = same && (short ? !(leapt && turned) : up === first.up && down === first.down);
    leapt = !short;
    step.forEach((length, index) => (at[index] += length));
    if (shares.every((share) => share <= 1e-13)) return { at, same, arrived: true };
    if (at.some((value, index) => Math.abs(value - corner[index]) > 100 * terrain.width[index])) break;
  }
  return { at, same, arrived: false };
}

/**
 * The Newton step through the pseudo-inverse, and how many curvatures are positive and negative.
 * @param {ArrayLike<number>} matrix
 * @param {number[]} slopes
 * @returns {{step: number[], up: number, down: number}}
 */
export function pseudoNewtonStep(matrix, slopes) {
  const { values, vectors } = symmetricEigen(matrix, slopes.length);
  const largest = largestOf(values);
  const step = new Array(slopes.length).fill(0);
  let up = 0;
  let down = 0;
  values.forEach((value, which) => {
    if (Math.abs(value) <= 1e-10 * largest) return;
    if (value > 0) up++;
    else down++;
    const vector = vectors[which];
    const along = vector.reduce((sum, part, index) => sum + part * slopes[index], 0);
    vector.forEach((part, index) => (step[index] -= (part * along) / value));
  });
  return { step, up, down };
}
