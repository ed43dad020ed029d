// Derivatives from differences of the loss, with the arithmetic of gdsim/derivatives.

import { roundToEven, spacing } from "./arithmetic.js";
import { confirmedSlope, sampledNoise, steepestSlope, UNIT_ROUNDOFF } from "./confirmed.js";
/** @import { Loss, Numbers, Scheme } from "../types" */
/** @import { Candidate } from "./confirmed.js" */

/**
 * A difference formula: slopes over [w + lower·h, w + upper·h]; of two the h² term is removed.
 * @typedef {{ order: number, slopes: [number, number][], probe: number[] }} DifferenceFormula
 */

/** @type {Record<string, DifferenceFormula>} */
const FORMULAS = {
  forward: { order: 1, slopes: [[1, 0]], probe: [0, 1, 2, 3, 4] },
  backward: { order: 1, slopes: [[0, -1]], probe: [-4, -3, -2, -1, 0] },
  central: { order: 2, slopes: [[1, -1]], probe: [-2, -1, 0, 1, 2] },
  five_point: { order: 4, slopes: [[1, -1], [2, -2]], probe: [-2, -1, 0, 1, 2] },
};
const TABLE_ROWS = 6;
const TABLES = 4;
const CLOSE_OFFSETS = [-2, -1, 1, 2];

/**
 * The loss along one weight: its values at points and a bound on their rounding.
 * @typedef {object} Sampler
 * @property {(weight: number) => number} at
 * @property {((weight: number) => number) | null} rounding null where it must be sampled
 */

/**
 * Writes the gradient by differences into out and returns how often the loss was evaluated.
 *
 * Where the loss has no bound on its rounding (a formula typed in the page), the automatic schemes estimate it from
 * neighbouring values, as Python does for a Python function. The complex step is exact to rounding with its automatic
 * h and any h below 10⁻⁸ or so, so the loss's own gradient stands in for it (with a large h Python is off by h²f‴/6
 * and this is not); it counts one evaluation for each weight.
 * @param {Scheme} scheme
 * @param {number | "auto"} step
 * @param {Loss} loss
 * @param {Numbers} weight
 * @param {Numbers} parameters
 * @param {Numbers[]} data
 * @param {Numbers} out
 * @param {number} [scale] rows of the data over rows of the mini-batch
 * @returns {number}
 */
export function differenceGradient(scheme, step, loss, weight, parameters, data, out, scale = 1) {
  const count = loss.weights.length;
  if (scheme === "complex_step") {
    loss.gradient(weight, parameters, data, out, scale);
    return count;
  }
  const moved = Float64Array.from(weight);
  if (scheme !== "richardson" && step !== "auto") {
    return fixedGradient(FORMULAS[scheme], step, loss, moved, parameters, data, out, scale);
  }
  const here = loss.value(weight, parameters, data, scale);
  const rounding = loss.rounding;
  let evaluations = 1;
  for (let place = 0; place < count; place++) {
    const center = weight[place];
    /** @param {number} there */
    const at = (there) => {
      moved[place] = there;
      evaluations += 1;
      return loss.value(moved, parameters, data, scale);
    };
    /** @param {number} there */
    const bound = (there) => {
      moved[place] = there;
      return rounding ? rounding(moved, parameters, data) : NaN;
    };
    const sampler = { at, rounding: rounding ? bound : null };
    out[place] = scheme === "richardson"
      ? extrapolatedSlope(sampler, center, here, step)
      : automaticSlope(sampler, center, here, FORMULAS[scheme]);
    moved[place] = center;
  }
  return evaluations;
}

/**
 * The textbook formula with a given step.
 * @param {DifferenceFormula} formula
 * @param {number} step
 * @param {Loss} loss
 * @param {Float64Array} moved the weights; restored at the end
 * @param {Numbers} parameters
 * @param {Numbers[]} data
 * @param {Numbers} out
 * @param {number} scale
 * @returns {number}
 */
function fixedGradient(formula, step, loss, moved, parameters, data, out, scale) {
  const oneSided = formula.order === 1;
  const here = oneSided ? loss.value(moved, parameters, data, scale) : NaN;
  let evaluations = oneSided ? 1 : 0;
  for (let place = 0; place < moved.length; place++) {
    const center = moved[place];
    /** @param {number} offset */
    const at = (offset) => {
      if (offset === 0) return here;
      evaluations += 1;
      moved[place] = center + offset * step;
      return loss.value(moved, parameters, data, scale);
    };
    const slopes = formula.slopes.map(([up, low]) => (at(up) - at(low)) / ((up - low) * step));
    out[place] = mixedSlope(slopes);
    moved[place] = center;
  }
  return evaluations;
}

/**
 * One slope as it is; two slopes over h and 2h with the h² term of their error removed.
 * @param {number[]} slopes
 * @returns {number}
 */
function mixedSlope(slopes) {
  return slopes.length === 1 ? slopes[0] : (4 * slopes[0] - slopes[1]) / 3;
}

/**
 * The larger and the smaller natural length at a weight: of 1 and |w|, well apart.
 * @param {number} weight
 * @returns {[number, number]}
 */
function naturalLengths(weight) {
  const size = Math.abs(weight);
  const large = Math.max(size, 1);
  return [large, Math.min(size > 0 ? Math.min(size, 1) : 2 ** -10, large * 2 ** -7)];
}

/**
 * The nearest power of two in its logarithm.
 * @param {number} value
 * @returns {number}
 */
function nearestPowerOfTwo(value) {
  return Math.pow(2, roundToEven(Math.log2(value)));
}

/**
 * A spacing over which the loss is a straight line and its noise.
 * @param {number} weight
 * @returns {number}
 */
function closeSpacing(weight) {
  return Math.max(nearestPowerOfTwo(naturalLengths(weight)[1] * 2 ** -32), 8 * spacing(weight));
}

/**
 * The noise of each value; sampled where there is no bound.
 * @param {Sampler} sampler
 * @param {number[]} points
 * @param {number[]} found
 * @param {number[]} samples places of five neighbours
 * @returns {number[]}
 */
function noiseOf(sampler, points, found, samples) {
  if (sampler.rounding) return points.map(sampler.rounding);
  const sampled = sampledNoise(samples.map((place) => found[place]));
  return found.map((value) => Math.max(sampled, 4 * UNIT_ROUNDOFF * Math.abs(value)));
}

/**
 * The slope along one weight with a step that is chosen here; `here` is the loss at the weight.
 * @param {Sampler} sampler
 * @param {number} weight
 * @param {number} here
 * @param {DifferenceFormula} formula
 * @returns {number}
 */
function automaticSlope(sampler, weight, here, formula) {
  const offsets = formula.slopes.flat();
  const reach = [...new Set([...offsets, ...offsets.map((offset) => 2 * offset)])].filter(Boolean).sort((a, b) => a - b);
  /** @type {[number[], number][]} */
  const plan = [[formula.probe.filter(Boolean), closeSpacing(weight)]];
  for (const length of naturalLengths(weight)) {
    const step = nearestPowerOfTwo(Math.pow(2 ** -52, 1 / (formula.order + 1)) * length);
    plan.push([reach, Math.max(step, 8 * spacing(weight))]);
  }
  const points = plan.flatMap(([steps, size]) => steps.map((offset) => weight + offset * size));
  const found = [...points.map(sampler.at), here];
  points.push(weight);
  const last = points.length - 1;
  const probe = [...formula.probe].map((offset) => (offset === 0 ? last : plan[0][0].indexOf(offset)));
  const noise = noiseOf(sampler, points, found, probe);
  /** @type {Candidate[]} */
  const candidates = [];
  let first = 0;
  plan.forEach(([steps], number) => {
    const base = first;
    /** @param {number} offset */
    const row = (offset) => (offset === 0 ? last : base + steps.indexOf(offset));
    const slopes = number === 0 ? formula.slopes.slice(0, 1) : formula.slopes;
    candidates.push(slopeWithError(slopes, row, points, found, noise));
    first += steps.length;
  });
  candidates.push(/** @type {Candidate} */ (candidates.shift()));
  const steep = sampler.rounding ? steepestSlope(weight, found, noise) : 0;
  return confirmedSlope(candidates, steep, 2, sampler.rounding !== null);
}

/**
 * The formula at h and its error: its change from 2h, and the noise over the width.
 * @param {[number, number][]} slopes
 * @param {(offset: number) => number} row
 * @param {number[]} points
 * @param {number[]} found
 * @param {number[]} noise
 * @returns {Candidate}
 */
function slopeWithError(slopes, row, points, found, noise) {
  /** @type {(up: number, low: number) => number} */
  const over = (up, low) => (found[row(up)] - found[row(low)]) / (points[row(up)] - points[row(low)]);
  const value = mixedSlope(slopes.map(([up, low]) => over(up, low)));
  const double = mixedSlope(slopes.map(([up, low]) => over(2 * up, 2 * low)));
  const each = slopes.map(([up, low]) => (noise[row(up)] + noise[row(low)]) / (points[row(up)] - points[row(low)]));
  const shaken = each.length === 1 ? each[0] : (4 * each[0] + each[1]) / 3;
  const oneSided = slopes[0].includes(0);
  const margin = oneSided ? 2 : 1, noises = oneSided ? 4 : 1.5;
  return { value, error: margin * Math.abs(double - value) + noises * shaken + 8 * UNIT_ROUNDOFF * Math.abs(value) };
}

/**
 * The first steps of the tables of Richardson's extrapolation.
 * @param {number} weight
 * @param {number | "auto"} step
 * @returns {number[]}
 */
function tableStarts(weight, step) {
  if (step !== "auto") return [step];
  const [large, small] = naturalLengths(weight);
  const first = large / 2, final = small * 2 ** -9;
  const ratio = Math.pow(final / first, 1 / (TABLES - 1));
  const floor = 2 ** TABLE_ROWS * 8 * spacing(weight);
  return Array.from({ length: TABLES }, (_, number) => Math.max(nearestPowerOfTwo(first * Math.pow(ratio, number)), floor));
}

/**
 * The slope along one weight by Ridders' extrapolation of central differences from several scales.
 * @param {Sampler} sampler
 * @param {number} weight
 * @param {number} here
 * @param {number | "auto"} step
 * @returns {number}
 */
function extrapolatedSlope(sampler, weight, here, step) {
  const starts = tableStarts(weight, step);
  const close = closeSpacing(weight);
  /** @type {number[]} */
  const points = [];
  for (const start of starts) {
    for (let row = 0; row < TABLE_ROWS; row++) points.push(weight + start * 2 ** -row, weight - start * 2 ** -row);
  }
  for (const offset of CLOSE_OFFSETS) points.push(weight + offset * close);
  const found = [...points.map(sampler.at), here];
  points.push(weight);
  const last = points.length - 1;
  const noise = noiseOf(sampler, points, found, [last - 4, last - 3, last, last - 2, last - 1]);
  const candidates = starts.map((_, table) => extrapolatedTable(2 * TABLE_ROWS * table, points, found, noise));
  candidates.push(closeSlope(last - 4, points, found, noise));
  const steep = sampler.rounding ? steepestSlope(weight, found, noise) : 0;
  return confirmedSlope(candidates, steep, starts.length, sampler.rounding !== null);
}

/**
 * The plain central difference over the closest points, and how far it is from the next ones'.
 * @param {number} first
 * @param {number[]} points
 * @param {number[]} found
 * @param {number[]} noise
 * @returns {Candidate}
 */
function closeSlope(first, points, found, noise) {
  const outer = (found[first + 3] - found[first]) / (points[first + 3] - points[first]);
  const width = points[first + 2] - points[first + 1];
  const value = (found[first + 2] - found[first + 1]) / width;
  return { value, error: Math.abs(outer - value) + 1.5 * (noise[first + 2] + noise[first + 1]) / width };
}

/**
 * Neville's table in h²; of all entries the one with the least error.
 * @param {number} first where its points begin
 * @param {number[]} points
 * @param {number[]} found
 * @param {number[]} noise
 * @returns {Candidate}
 */
function extrapolatedTable(first, points, found, noise) {
  let column = /** @type {number[]} */ ([]), shaken = /** @type {number[]} */ ([]);
  for (let row = 0; row < TABLE_ROWS; row++) {
    const up = first + 2 * row, width = points[up] - points[up + 1];
    column.push((found[up] - found[up + 1]) / width);
    shaken.push((noise[up] + noise[up + 1]) / width);
  }
  let best = column[0], least = Infinity;
  for (let level = 1; level < TABLE_ROWS; level++) {
    const factor = 4 ** level;
    const better = /** @type {number[]} */ ([]), carried = /** @type {number[]} */ ([]);
    for (let row = 0; row + 1 < column.length; row++) {
      const entry = (factor * column[row + 1] - column[row]) / (factor - 1);
      const own = (factor * shaken[row + 1] + shaken[row]) / (factor - 1);
      const change = Math.max(Math.abs(entry - column[row + 1]), Math.abs(entry - column[row]));
      const error = change + own + 8 * UNIT_ROUNDOFF * Math.abs(entry);
      if (error < least) [best, least] = [entry, error];
      better.push(entry);
      carried.push(own);
    }
    column = better;
    shaken = carried;
  }
  return { value: best, error: least };
}

