/** One run as its verdict needs it. The sibling of gdsim/verdicts/story.py. */
import { tailOf, weightAt } from "./rest.js";
import { curvatureThere, terrainOf } from "./settle.js";
import { writeNumber, writePlace } from "./words.js";

/** @typedef {import("../types.js").CriticalPoint} CriticalPoint */
/** @typedef {import("../types.js").Problem} Problem */
/** @typedef {import("../types.js").Search} Search */
/** @typedef {import("../types.js").Trajectory} Trajectory */
/** @typedef {import("./settle.js").Terrain} Terrain */

/** What a verdict is told in. @typedef {{sentence: string, remedy: string}} Telling */

/**
 * One run with everything its verdict may speak of. `home` is the domain; `terrain` may reach farther, to
 * where the run came to rest.
 * @typedef {object} Story
 * @property {Problem} problem
 * @property {Trajectory} trajectory
 * @property {Terrain} terrain
 * @property {Terrain} home
 * @property {CriticalPoint | null} point
 * @property {number} period
 * @property {string[]} names
 * @property {boolean} line whether there is one weight only
 * @property {boolean} noisy
 * @property {number} steps
 * @property {number} rate η at the end
 * @property {number} pace the length of the last step, largest weight
 * @property {number} slope the last gradient, largest weight
 * @property {number[]} start
 * @property {number[]} previous
 * @property {number[]} final
 * @property {number[]} gradient the last one that was judged
 * @property {number | null} factor the c of the stability limit c/L
 */

/**
 * @param {Problem} problem
 * @param {Trajectory} trajectory
 * @param {Terrain} terrain
 * @param {Search} search
 * @param {CriticalPoint | null} point
 * @param {number} period
 * @returns {Story}
 */
export function storyOf(problem, trajectory, terrain, search, point, period) {
  const { steps, weights } = trajectory;
  const { loss, parameters, data, noise } = problem;
  const home = terrainOf(loss, parameters, data, search);
  const final = weightAt(trajectory, steps);
  const previous = weightAt(trajectory, Math.max(0, steps - 1));
  const gradient = Array.from(trajectory.gradient.subarray(steps * weights));
  return {
    problem, trajectory, terrain, home, point, period, steps, previous, final, gradient,
    names: loss.weights,
    line: weights === 1,
    noisy: noise !== null,
    rate: trajectory.rate[steps],
    pace: Math.max(...final.map((value, index) => Math.abs(value - previous[index]))),
    slope: Math.max(...gradient.map(Math.abs)),
    start: weightAt(trajectory, 0),
    factor: stableFactor(problem),
  };
}

/**
 * Return the c of the largest stable learning rate c/L of the rule, or null where there is none.
 *
 * Gradient descent 2; momentum with dampening d 2(1 + β)/(1 − d); Nesterov's 2(1 + β)/(1 + 2β).
 *
 * Source: B. T. Polyak, Introduction to Optimization (1987), §3.2.1; for Nesterov's the roots of
 * z² − (1 + β)(1 − ηL)z + β(1 − ηL) on the unit circle.
 * @param {Problem} problem
 * @returns {number | null}
 */
export function stableFactor(problem) {
  const { name, options } = problem.rule;
  if (options.weight_decay || problem.lineSearch) return null;
  if (name === "gradient_descent") return 2;
  const beta = options.momentum ?? 0;
  if (name === "momentum") {
    const left = 1 - (options.dampening ?? 0);
    return left > 0 ? (2 * (1 + beta)) / left : null;
  }
  return name === "nesterov" ? (2 * (1 + beta)) / (1 + 2 * beta) : null;
}

/**
 * How the stability limit c/L is written.
 * @param {Story} story
 * @returns {string}
 */
export function limitName(story) {
  return `${story.factor === 2 ? "2" : writeNumber(story.factor ?? 0)}/${story.line ? "f″" : "L"}`;
}

/**
 * Where the run met the largest curvature, the start first; null if none was positive.
 * @param {Story} story
 * @returns {{where: number[], curvature: number} | null}
 */
export function sharpestPlace(story) {
  const { terrain, trajectory, start } = story;
  const first = curvatureThere(terrain, start);
  if (story.factor && first > 0 && story.rate > story.factor / first) return { where: start, curvature: first };
  let where = null;
  let most = -Infinity;
  for (let step = 0; step <= Math.min(trajectory.steps, 255); step++) {
    const weight = weightAt(trajectory, step);
    const inside = story.home.search.domain.every(([low, high], index) => weight[index] >= low && weight[index] <= high);
    if (!inside) continue;
    const curvature = curvatureThere(terrain, weight);
    if (where === null || curvature > most) {
      where = weight;
      most = Number.isNaN(curvature) ? -Infinity : curvature;
    }
  }
  if (where === null) return first > 0 ? { where: start, curvature: first } : null;
  return most > 0 ? { where, curvature: most } : null;
}

/**
 * The values of the cycle in the order in which they are visited, the smallest first.
 * @param {Story} story
 * @returns {number[][]}
 */
export function cycleOf(story) {
  const cycling = story.trajectory.status === "CYCLING";
  const values = cycling ? [story.previous, story.final] : tailOf(story.trajectory).slice(-story.period);
  let first = 0;
  values.forEach((value, place) => {
    const index = value.findIndex((part, which) => part !== values[first][which]);
    if (index >= 0 && value[index] < values[first][index]) first = place;
  });
  return [...values.slice(first), ...values.slice(0, first)];
}

/**
 * How a place of the run's weights is written.
 * @param {Story} story
 * @param {ArrayLike<number>} weight
 * @returns {string}
 */
export function placeIn(story, weight) {
  return writePlace(story.names, weight);
}

/**
 * The first of some points for which a number is smallest.
 * @param {CriticalPoint[]} points
 * @param {(point: CriticalPoint) => number} key
 * @returns {CriticalPoint | null}
 */
export function leastOf(points, key) {
  /** @type {CriticalPoint | null} */
  let best = null;
  for (const point of points) if (!best || key(point) < key(best)) best = point;
  return best;
}
