/**
 * The verdict of a run: what happened, decided from status, critical points and records.
 * The sibling of gdsim/verdicts/judge.py.
 */
import { findCritical } from "./critical.js";
import { emitted } from "../emitted.js";
import { columnOf, isWholeTail, leftToTravel, meanOf, noiseRadius, periodOfTail, stillFalls, TAIL_LENGTH, tailOf, weightAt } from "./rest.js";
import { tellVerdict } from "./sentences.js";
import { distancesTo, settleAt, terrainOf } from "./settle.js";
import { storyOf } from "./story.js";

/** @typedef {import("../types.js").CriticalPoint} CriticalPoint */
/** @typedef {import("../types.js").Problem} Problem */
/** @typedef {import("../types.js").Search} Search */
/** @typedef {import("../types.js").Trajectory} Trajectory */
/** @typedef {import("../types.js").Verdict} Verdict */
/** @typedef {import("../types.js").VerdictKind} VerdictKind */
/** @typedef {import("./settle.js").Terrain} Terrain */

/** @typedef {{kind: VerdictKind, point: CriticalPoint | null, period: number}} Ending */

const COME_NEAR = 0.01; // of the domain's width: what is left to travel when a run has come to rest
const OF_THE_WAY = 0.05; // and of the way from its start to the point
const STANDSTILL = 16 * 2 ** -52; // a "cycle" between weights that differ by less is a standstill

/**
 * Decide what happened to a run, and say it in the words of Python.
 * @param {Problem} problem
 * @param {Trajectory} trajectory
 * @param {Search} search the critical points of the loss in the domain
 * @returns {Verdict}
 */
export function judgeRun(problem, trajectory, search) {
  const { loss, parameters, data } = problem;
  const home = terrainOf(loss, parameters, data, search);
  const reaching = reachingSearch(problem, trajectory, search);
  const terrain = reaching === search ? home : terrainOf(loss, parameters, data, reaching);
  const { kind, point, period } = endingOf(problem, trajectory, terrain, home);
  const story = storyOf(problem, trajectory, terrain, search, point, period);
  return { kind, ...tellVerdict(kind, story), period, point };
}

/**
 * The same search, or one of a larger domain where the run came to rest outside.
 * @param {Problem} problem
 * @param {Trajectory} trajectory
 * @param {Search} search
 * @returns {Search}
 */
function reachingSearch(problem, trajectory, search) {
  if (trajectory.status !== "CONVERGED" && trajectory.status !== "STALLED") return search;
  const weight = weightAt(trajectory, trajectory.steps);
  if (search.domain.every(([low, high], index) => weight[index] >= low && weight[index] <= high)) return search;
  const domain = search.domain.map(([low, high], index) => {
    const room = 0.1 * (high - low);
    return /** @type {[number, number]} */ ([Math.min(low, weight[index] - room), Math.max(high, weight[index] + room)]);
  });
  return findCritical(problem.loss, problem.parameters, problem.data, domain, [weight]);
}

/**
 * Kind, critical point and period.
 * @param {Problem} problem
 * @param {Trajectory} trajectory
 * @param {Terrain} terrain reaches to where the run rests
 * @param {Terrain} home the domain
 * @returns {Ending}
 */
function endingOf(problem, trajectory, terrain, home) {
  const { status, steps } = trajectory;
  const ending = (/** @type {VerdictKind} */ kind, period = 0) => ({ kind, point: null, period });
  if (status === "NONFINITE") return ending("nonfinite");
  if (status === "DIVERGED") return ending(fellForEver(trajectory, home) ? "no_minimum" : "diverged");
  if (status === "MAX_STEPS") {
    const period = problem.noise ? 0 : periodOfTail(tailOf(trajectory));
    return period ? ending("cycle", period) : movingEnd(problem, trajectory, home);
  }
  const final = weightAt(trajectory, steps);
  if (status === "CYCLING") {
    const previous = weightAt(trajectory, steps - 1);
    if (final.some((value, index) => Math.abs(value - previous[index]) > STANDSTILL * Math.abs(value))) {
      return ending("cycle", 2);
    }
  }
  const { point, sure } = settleAt(terrain, final);
  if (status === "STALLED" && (point ? !isNear(trajectory, home, final, point) : sure)) return ending("plateau");
  return { kind: point ? point.kind : sure ? "plateau" : "undecided", point, period: 0 };
}

/**
 * A run that took all its steps: as good as settled, on a plateau, falling for ever, or moving.
 * @param {Problem} problem
 * @param {Trajectory} trajectory
 * @param {Terrain} home
 * @returns {Ending}
 */
function movingEnd(problem, trajectory, home) {
  const noisy = problem.noise !== null;
  const weight = restingPlace(trajectory, noisy);
  const { point } = settleAt(home, weight);
  if (!home.mayHold && stillFalls(home, trajectory, noisy)) return { kind: "no_minimum", point: null, period: 0 };
  if (point && hasComeToRest(problem, trajectory, home, weight, point)) return { kind: point.kind, point, period: 0 };
  const slow = leftToTravel(trajectory, noisy).every((way, index) => way <= COME_NEAR * home.width[index]);
  return { kind: slow && !point ? "plateau" : "still_moving", point: null, period: 0 };
}

/**
 * Where a run that took all its steps is; with noise, the mean of the tail.
 * @param {Trajectory} trajectory
 * @param {boolean} noisy
 * @returns {number[]}
 */
function restingPlace(trajectory, noisy) {
  const weight = weightAt(trajectory, trajectory.steps);
  const tail = tailOf(trajectory);
  return noisy && isWholeTail(tail) ? weight.map((_, index) => meanOf(columnOf(tail, index))) : weight;
}

/**
 * Whether a run is so near to its point that it counts as settled.
 * @param {Problem} problem
 * @param {Trajectory} trajectory
 * @param {Terrain} home
 * @param {number[]} weight
 * @param {CriticalPoint} point
 * @returns {boolean}
 */
function hasComeToRest(problem, trajectory, home, weight, point) {
  if (problem.noise) {
    const away = distancesTo(weight, point);
    const radius = noiseRadius(trajectory, point);
    return away.every((distance, index) => distance <= radius[index] + 1e-9 * home.width[index]);
  }
  return isNear(trajectory, home, weight, point) && staysNear(problem, trajectory, home, point);
}

/**
 * Whether a run is within 1 % of the domain of its point, and within 5 % of its way or just there.
 * @param {Trajectory} trajectory
 * @param {Terrain} home
 * @param {number[]} weight
 * @param {CriticalPoint} point
 * @returns {boolean}
 */
function isNear(trajectory, home, weight, point) {
  const way = OF_THE_WAY * Math.max(...distancesTo(weightAt(trajectory, 0), point));
  return distancesTo(weight, point).every((distance, index) => {
    const width = home.width[index];
    return distance <= COME_NEAR * width && (distance <= way || distance <= 1e-6 * width);
  });
}

/**
 * Whether a run has been near for a while and came ever nearer: one in a chaotic band only passes by.
 *
 * A while is the last quarter of the steps, at most those of the tail. Near a point to which descent leads,
 * every step shortens the distance; a rule with memory swings through the point, and no swing of the
 * second half must be farther than the farthest of the first.
 * @param {Problem} problem
 * @param {Trajectory} trajectory
 * @param {Terrain} home
 * @param {CriticalPoint} point
 * @returns {boolean}
 */
function staysNear(problem, trajectory, home, point) {
  const { steps } = trajectory;
  const count = Math.min(Math.max(Math.floor(steps / 4), 1), steps, TAIL_LENGTH - 1);
  const away = tailOf(trajectory).slice(-count - 1).map((row) => distancesTo(row, point));
  if (!away.every((row) => row.every((distance, index) => distance <= COME_NEAR * home.width[index]))) return false;
  const lengths = away.map((row) => Math.sqrt(row.reduce((sum, distance) => sum + distance * distance, 0)));
  const least = 1e-12 * Math.max(...home.width);
  if (emitted.rules[problem.rule.name].state.length === 0) {
    return lengths.every((length, place) => place === 0 || length <= lengths[place - 1] + least);
  }
  const early = lengths.slice(0, Math.floor(count / 2) + 1);
  return Math.max(...lengths) <= Math.max(...early) + least;
}

/**
 * Of a run beyond the bound: whether it stepped, always lowered the loss, and no low point lies ahead.
 * @param {Trajectory} trajectory
 * @param {Terrain} home
 * @returns {boolean}
 */
function fellForEver(trajectory, home) {
  const { loss, steps } = trajectory;
  if (steps === 0) return false;
  for (let step = 1; step <= steps; step++) if (loss[step] >= loss[step - 1]) return false;
  if (!home.lows.length) return !home.mayHold;
  const start = weightAt(trajectory, 0);
  const way = weightAt(trajectory, steps).map((value, index) => value - start[index]);
  return !home.lows.some((point) => {
    const towards = way.map((length, index) => {
      return (length / home.width[index]) * ((point.weight[index] - start[index]) / home.width[index]);
    });
    return towards.reduce((sum, part) => sum + part, 0) > 0;
  });
}
