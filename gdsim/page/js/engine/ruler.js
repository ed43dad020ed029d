/**
 * The learning-rate ruler: how η stands against 1/L and 2/L, and whether the run agrees.
 * The sibling of gdsim/verdicts/ruler.py.
 */
import { hessianThere, terrainOf } from "./settle.js";
import { stableFactor } from "./story.js";
import { symmetricEigen } from "./symmetric.js";
import { writeNumber } from "./words.js";

/** @typedef {import("../types.js").CriticalPoint} CriticalPoint */
/** @typedef {import("../types.js").Problem} Problem */
/** @typedef {import("../types.js").Ruler} Ruler */
/** @typedef {import("../types.js").Search} Search */
/** @typedef {import("../types.js").Trajectory} Trajectory */
/** @typedef {import("../types.js").Verdict} Verdict */

const RULER_LINEAR = 0.1; // of the largest distance: nearer to the minimum a step follows its curvature
const RULER_NOISE = 1e-9; // of the same: nearer, rounding may choose the side
const RULER_RECORDS = 10; // records looked at: earlier ones may have been where the curvature is another
const SMALL_SHARE = 0.1; // of the distance: what is left along the sharpest direction follows the rest
const AT_ONCE = 3; // steps

/**
 * Return the ruler of a run; null without a settled minimum in the domain whose curvature is positive, and
 * for rules about which 2/L says nothing.
 *
 * Source: B. T. Polyak, Introduction to Optimization (1987), §1.4 and §3.2.
 * @param {Problem} problem
 * @param {Trajectory} trajectory
 * @param {Search} search
 * @param {Verdict} verdict
 * @returns {Ruler | null}
 */
export function rulerOf(problem, trajectory, search, verdict) {
  const factor = stableFactor(problem);
  const settled = verdict.point;
  if (verdict.kind !== "minimum" || factor === null || !settled) return null;
  const point = search.points.find((other) => other.weight.every((value, index) => value === settled.weight[index]));
  if (!point || !point.curvature.length) return null;
  const curvature = Math.max(...point.curvature);
  if (!(curvature > 0 && curvature < Infinity)) return null;
  const learningRate = trajectory.rate[trajectory.steps];
  const oneOver = 1 / curvature;
  const bound = factor / curvature;
  const band = learningRate <= oneOver ? "monotone" : learningRate < bound ? "oscillating" : "diverging";
  const standing = tellStanding(learningRate, oneOver, bound, factor, band);
  const sentence = `${standing}; ${tellAgreement(problem, trajectory, search, point, band)}.`;
  return { at: [...point.weight], learningRate, curvature, oneOver, twoOver: 2 / curvature, bound, band, sentence };
}

/**
 * @param {number} rate
 * @param {number} one
 * @param {number} bound
 * @param {number} factor
 * @param {Ruler["band"]} band
 * @returns {string}
 */
function tellStanding(rate, one, bound, factor, band) {
  const limit = `${writeNumber(factor)}/L = ${writeNumber(bound)}`;
  const eta = `η = ${writeNumber(rate)}`;
  if (band === "diverging") return `${eta} is not below ${limit}: near this minimum steps lead away`;
  if (factor !== 2) return `${eta} is below the limit of this rule, ${limit}`;
  if (band === "monotone") return `${eta} is at most 1/L = ${writeNumber(one)}: near the minimum steps do not overshoot`;
  return `${eta} lies between 1/L = ${writeNumber(one)} and ${limit}: steps overshoot and still come closer`;
}

/**
 * Compare the band with the last records: the run settled, and changed sides at each step or at none.
 * @param {Problem} problem
 * @param {Trajectory} trajectory
 * @param {Search} search
 * @param {CriticalPoint} point
 * @param {Ruler["band"]} band
 * @returns {string}
 */
function tellAgreement(problem, trajectory, search, point, band) {
  if (band === "diverging") return "yet the run settled there, which takes a lucky landing";
  if (problem.rule.name !== "gradient_descent" || problem.noise) return "and the run settled";
  const { along, across } = approachOf(problem, trajectory, search, point);
  if (along.length < 2) return `and the run ${trajectory.steps <= AT_ONCE ? "landed on it almost at once" : "settled"}`;
  const turns = along.slice(1).map((value, place) => value * along[place]);
  if (band === "monotone") {
    return turns.every((turn) => turn > 0) ? "and the run came in from one side" : "yet the run changed sides";
  }
  const alternates = turns.every((turn) => turn < 0);
  if (!alternates && along.every((value, place) => Math.abs(value) < SMALL_SHARE * across[place])) {
    return "and the run came in along a flatter direction";
  }
  return alternates ? "and the run came in alternating" : "yet the run did not alternate";
}

/**
 * The last successive records near the minimum: signed distances from it along the sharpest direction, and
 * distances across.
 * @param {Problem} problem
 * @param {Trajectory} trajectory
 * @param {Search} search
 * @param {CriticalPoint} point
 * @returns {{along: number[], across: number[]}}
 */
function approachOf(problem, trajectory, search, point) {
  const { weight, weights, steps } = trajectory;
  const centre = point.weight;
  const terrain = terrainOf(problem.loss, problem.parameters, problem.data, search);
  const direction = weights === 1 ? [1] : symmetricEigen(hessianThere(terrain, centre), weights).vectors[weights - 1];
  const along = new Float64Array(steps + 1);
  let far = 0;
  for (let step = 0; step <= steps; step++) {
    for (let index = 0; index < weights; index++) {
      along[step] += (weight[step * weights + index] - centre[index]) * direction[index];
    }
    if (Math.abs(along[step]) > far) far = Math.abs(along[step]);
  }
  const least = Math.max(RULER_NOISE * far, 1e-13 * Math.max(1e-300, ...centre.map(Math.abs)));
  const near = (/** @type {number} */ step) => Math.abs(along[step]) < RULER_LINEAR * far && Math.abs(along[step]) > least;
  let last = steps;
  while (last >= 0 && !near(last)) last--;
  if (last < 0) return { along: [], across: [] };
  let first = last;
  while (first > Math.max(0, last - RULER_RECORDS + 1) && near(first - 1)) first--;
  const across = [];
  for (let step = first; step <= last; step++) {
    across.push(Math.hypot(...centre.map((middle, index) => weight[step * weights + index] - middle - along[step] * direction[index])));
  }
  return { along: Array.from(along.subarray(first, last + 1)), across };
}
