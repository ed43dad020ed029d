/**
 * Whether a run that took all its steps still moves: cycles in the tail, pace, noise, a falling loss.
 * The sibling of gdsim/verdicts/rest.py.
 */
import { lossThere } from "./settle.js";

/** @typedef {import("../types.js").CriticalPoint} CriticalPoint */
/** @typedef {import("../types.js").Trajectory} Trajectory */
/** @typedef {import("./settle.js").Terrain} Terrain */

export const TAIL_LENGTH = 32; // records: a period up to 8 is seen four times
const LONGEST_PERIOD = 8;
const REPEATS = 4;
const SAME_VALUE = 1e-7; // of the cycle's spread: nearer values are the same one
const LEAST_SWING = 1e-9; // of the weight: less is no cycle but a run at its limit
const DEVIATIONS = 3; // the noise radius

/**
 * The weights of a record.
 * @param {Trajectory} trajectory
 * @param {number} step
 * @returns {number[]}
 */
export function weightAt(trajectory, step) {
  const { weights } = trajectory;
  return Array.from(trajectory.weight.subarray(step * weights, (step + 1) * weights));
}

/**
 * The last weights, at most 32, oldest first.
 * @param {Trajectory} trajectory
 * @returns {number[][]}
 */
export function tailOf(trajectory) {
  const rows = [];
  for (let step = Math.max(0, trajectory.steps - TAIL_LENGTH + 1); step <= trajectory.steps; step++) {
    rows.push(weightAt(trajectory, step));
  }
  return rows;
}

/**
 * Whether there are 32 last weights, all of them numbers.
 * @param {number[][]} tail
 * @returns {boolean}
 */
export function isWholeTail(tail) {
  return tail.length === TAIL_LENGTH && tail.every((row) => row.every(Number.isFinite));
}

/**
 * The values of one weight in some records.
 * @param {number[][]} rows
 * @param {number} index
 * @returns {number[]}
 */
export function columnOf(rows, index) {
  return rows.map((row) => row[index]);
}

/**
 * The largest value less the smallest.
 * @param {number[]} values
 * @returns {number}
 */
export function spreadOf(values) {
  return Math.max(...values) - Math.min(...values);
}

/**
 * @param {number[]} values
 * @returns {number}
 */
export function meanOf(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * @param {number[]} values
 * @returns {number}
 */
function deviationOf(values) {
  const mean = meanOf(values);
  return Math.sqrt(meanOf(values.map((value) => (value - mean) ** 2)));
}

/**
 * The shortest period from 2 to 8 that the last weights repeat four times, or 0.
 * @param {number[][]} tail
 * @returns {number}
 */
export function periodOfTail(tail) {
  const indices = tail[0].map((_, index) => index);
  for (let period = 2; period <= LONGEST_PERIOD; period++) {
    const last = tail.slice(-REPEATS * period);
    if (last.length < REPEATS * period) break;
    const spread = indices.map((index) => spreadOf(columnOf(last, index)));
    const swings = indices.some((index) => {
      return spread[index] > LEAST_SWING * Math.max(...columnOf(last, index).map(Math.abs));
    });
    const room = SAME_VALUE * Math.max(...spread);
    const same = last.slice(period).every((row, place) => {
      return row.every((value, index) => Math.abs(value - last[place][index]) <= room);
    });
    if (swings && same) return period;
  }
  return 0;
}

/**
 * How far each weight would come with as many steps again at the present pace.
 *
 * With noise the pace is that of the mean of the tail. Infinity for a run that took no step.
 * @param {Trajectory} trajectory
 * @param {boolean} noisy
 * @returns {number[]}
 */
export function leftToTravel(trajectory, noisy) {
  const { steps } = trajectory;
  const tail = tailOf(trajectory);
  const half = TAIL_LENGTH / 2;
  return tail[0].map((_, index) => {
    if (steps === 0) return Infinity;
    let pace = Math.abs(tail[tail.length - 1][index] - tail[tail.length - 2][index]);
    if (noisy && tail.length === TAIL_LENGTH) {
      const values = columnOf(tail, index);
      const drift = Math.abs(meanOf(values.slice(half)) - meanOf(values.slice(0, half))) / half;
      if (Number.isFinite(drift)) pace = drift;
    }
    return pace * steps;
  });
}

/**
 * Whether the last step lowered the loss; with noise, whether the second half of the tail is lower.
 * @param {Terrain} terrain
 * @param {Trajectory} trajectory
 * @param {boolean} noisy
 * @returns {boolean}
 */
export function stillFalls(terrain, trajectory, noisy) {
  const { steps, loss } = trajectory;
  if (noisy) {
    const values = tailOf(trajectory).map((weight) => lossThere(terrain, weight));
    return values.length === TAIL_LENGTH && meanOf(values.slice(TAIL_LENGTH / 2)) < meanOf(values.slice(0, TAIL_LENGTH / 2));
  }
  return steps === 0 || loss[steps] < loss[steps - 1]; // were the first gradient zero, it would have converged
}

/**
 * Three standard deviations of each weight about its point, seen from the last steps.
 *
 * Near a minimum with curvature L noisy descent is w′ = ρw + noise with ρ = 1 − ηL, so that steps have the
 * variance 2(1 − ρ) times that of the weight. Without a positive curvature it is the tail's own deviation.
 *
 * Source: J. D. Hamilton, Time Series Analysis (1994), §3.4.
 * @param {Trajectory} trajectory
 * @param {CriticalPoint | null} point
 * @returns {number[]}
 */
export function noiseRadius(trajectory, point) {
  const tail = tailOf(trajectory);
  const curvature = point && point.curvature.length ? Math.max(0, Math.min(...point.curvature)) : 0;
  const pull = trajectory.rate[trajectory.steps] * curvature;
  return tail[0].map((_, index) => {
    if (tail.length < TAIL_LENGTH) return 0;
    const values = columnOf(tail, index);
    const own = deviationOf(values);
    const steps = deviationOf(values.slice(1).map((value, place) => value - values[place]));
    const radius = DEVIATIONS * Math.max(pull > 0 ? steps / Math.sqrt(2 * pull) : own, own);
    return Number.isFinite(radius) ? radius : 0;
  });
}
