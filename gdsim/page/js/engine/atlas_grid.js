// The atlas: what becomes of a run for each learning rate and start, from coarse to fine.

import { simulate } from "./descent.js";
import { stableFactor } from "./story.js";

/** @import {Emitted, Interval, Outcome, Problem, Status} from "../types.js" */

/**
 * Columns are learning rates on a logarithmic scale, rows are starts of the first weight, the top row the last.
 * @typedef {object} AtlasSpec
 * @property {Interval} rates
 * @property {Interval} starts
 * @property {number} columns
 * @property {number} rows
 * @property {number} maxSteps
 * @property {number[][]} points the critical points, to tell where runs settled
 * @property {number} near how far from one a run may rest and still be said to rest there
 */

/**
 * Every `stride`-th cell of one row; each stands for a square of that side until finer ones come.
 * @typedef {object} AtlasPart
 * @property {number} row
 * @property {number} stride
 * @property {Uint8Array} cells
 */

/**
 * @typedef {object} Atlas
 * @property {AtlasSpec} spec
 * @property {Uint8Array} cells codes, row by row from the top
 * @property {boolean} done
 */

/** Codes of cells; 0 is not known yet, from ATLAS_POINT on they count the critical points. @type {Status[]} */
export const ATLAS_STATUSES = ["CONVERGED", "CYCLING", "DIVERGED", "NONFINITE", "STALLED", "MAX_STEPS"];
export const ATLAS_POINT = 8;
const ATLAS_COARSEST = 8;
const ATLAS_STEPS = 300; // a run that has not ended by then is said to move still
const ATLAS_NEAR = 0.01; // of the width of the domain

/**
 * The learning rates at which steps near each minimum with a curvature begin to lead away, ascending.
 * @param {Outcome} outcome
 * @returns {number[]}
 */
export function stableLimits({ problem, search }) {
  const factor = stableFactor(problem) ?? NaN;
  const limits = search.points.map(({ kind, curvature }) => (kind === "minimum" ? factor / Math.max(0, ...curvature) : NaN));
  return limits.filter((limit) => limit > 0 && limit < Infinity).sort((a, b) => a - b)
    .filter((limit, k, all) => k === 0 || limit > 1.02 * all[k - 1]);
}

/**
 * What an atlas shows: rates round the limit of theory, starts in the domain, and the present ones among them.
 * The ends do not move with a slider until it leaves them.
 * @param {Outcome} outcome
 * @param {number} columns
 * @param {number} rows
 * @returns {AtlasSpec}
 */
export function atlasSpecOf(outcome, columns, rows) {
  const { problem, search } = outcome, { domain, start: [start] } = problem, rate = problem.rate.initial, limits = stableLimits(outcome);
  const middle = limits.length ? Math.sqrt(limits[0] * limits[limits.length - 1]) : 10 ** Math.round(Math.log10(rate));
  const decade = (/** @type {number} */ value, /** @type {number} */ up) => 10 ** (Math.floor(2 * Math.log10(value) + up) / 2);
  let rateLow = decade(middle, -3), rateHigh = decade(middle, 2);
  if (!(rate >= rateLow)) rateLow = decade(rate, -1);
  if (!(rate <= rateHigh)) rateHigh = decade(rate, 2);
  const [low, high] = domain[0], wide = high - low;
  return {
    rates: [rateLow, rateHigh],
    starts: [low - wide * Math.ceil(Math.max(0, low - start) / wide), high + wide * Math.ceil(Math.max(0, start - high) / wide)],
    columns, rows, maxSteps: Math.min(problem.stopping.maxSteps, ATLAS_STEPS), points: search.points.map(({ weight }) => weight),
    near: ATLAS_NEAR * Math.max(...domain.map((ends) => ends[1] - ends[0])),
  };
}

/**
 * @param {AtlasSpec} spec
 * @returns {Atlas}
 */
export function emptyAtlas(spec) {
  return { spec, cells: new Uint8Array(spec.columns * spec.rows), done: false };
}

/**
 * Writes a part over the squares that it stands for.
 * @param {Atlas} atlas
 * @param {AtlasPart} part
 */
export function fillAtlas(atlas, part) {
  const { columns, rows } = atlas.spec;
  for (let row = part.row; row < Math.min(part.row + part.stride, rows); row++) {
    for (let column = 0; column < columns; column++) {
      atlas.cells[row * columns + column] = part.cells[Math.floor(column / part.stride)];
    }
  }
}

/**
 * The learning rate of a column, at its middle.
 * @param {AtlasSpec} spec
 * @param {number} column
 * @returns {number}
 */
export function atlasRate(spec, column) {
  const [low, high] = spec.rates;
  return low * (high / low) ** ((column + 0.5) / spec.columns);
}

/**
 * The start of a row, at its middle.
 * @param {AtlasSpec} spec
 * @param {number} row
 * @returns {number}
 */
export function atlasStart(spec, row) {
  const [low, high] = spec.starts;
  return high - ((high - low) * (row + 0.5)) / spec.rows;
}

/**
 * What became of the run of one cell.
 * @param {Problem} problem
 * @param {Emitted} emitted
 * @param {AtlasSpec} spec
 * @param {number} row
 * @param {number} column
 * @returns {number}
 */
export function atlasCell(problem, emitted, spec, row, column) {
  const one = {
    ...problem,
    start: [atlasStart(spec, row), ...problem.start.slice(1)],
    rate: { ...problem.rate, initial: atlasRate(spec, column) },
    stopping: { ...problem.stopping, maxSteps: spec.maxSteps },
  };
  const { weight, weights, steps, status } = simulate(one, emitted);
  const code = 1 + ATLAS_STATUSES.indexOf(status);
  if (status !== "CONVERGED") return code;
  let best = -1, least = spec.near;
  spec.points.forEach((point, index) => {
    let far = 0;
    for (let i = 0; i < weights; i++) far = Math.max(far, Math.abs(weight[steps * weights + i] - point[i]));
    if (far < least) [best, least] = [index, far];
  });
  return best < 0 ? code : ATLAS_POINT + best;
}

/**
 * All cells, from every eighth to every one.
 * @param {Problem} problem
 * @param {Emitted} emitted
 * @param {AtlasSpec} spec
 * @returns {Generator<AtlasPart, void, void>}
 */
export function* atlasParts(problem, emitted, spec) {
  const { columns, rows } = spec;
  const known = new Uint8Array(columns * rows);
  for (let stride = ATLAS_COARSEST; stride >= 1; stride /= 2) {
    for (let row = 0; row < rows; row += stride) {
      const cells = new Uint8Array(Math.ceil(columns / stride));
      for (let column = 0; column < columns; column += stride) {
        const place = row * columns + column;
        known[place] ||= atlasCell(problem, emitted, spec, row, column);
        cells[column / stride] = known[place];
      }
      yield { row, stride, cells };
    }
  }
}
