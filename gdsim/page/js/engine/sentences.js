/**
 * The words of a verdict: a sentence that a student understands, and a remedy.
 * Word for word those of gdsim/verdicts/sentences.py.
 */
import { tellChaos, tellCycle, tellDiverged, tellNonfinite, wanders } from "./overshoot.js";
import { columnOf, isWholeTail, meanOf, tailOf } from "./rest.js";
import { leastOf, placeIn } from "./story.js";
import { largestShare } from "./symmetric.js";
import { countSteps, writeNumber } from "./words.js";

/** @typedef {import("../types.js").CriticalPoint} CriticalPoint */
/** @typedef {import("../types.js").VerdictKind} VerdictKind */
/** @typedef {import("./story.js").Story} Story */
/** @typedef {import("./story.js").Telling} Telling */

const LARGER_RATE = "Try a larger learning rate.";

/** @type {Record<string, string>} */
const KIND_NAMES = {
  minimum: "a minimum", maximum: "a maximum", saddle: "a saddle", inflection: "an inflection (saddle)",
  flat: "a flat piece", kink: "a kink", undecided: "a critical point whose kind cannot be told",
};

/** @type {Partial<Record<VerdictKind, (story: Story) => Telling>>} */
const TELLERS = {
  plateau: tellPlateau, undecided: tellUndecided, cycle: tellCycle, diverged: tellDiverged,
  nonfinite: tellNonfinite, still_moving: tellStillMoving, no_minimum: tellNoMinimum,
};

/**
 * Return the sentence and the remedy of a verdict.
 * @param {VerdictKind} kind
 * @param {Story} story
 * @returns {Telling}
 */
export function tellVerdict(kind, story) {
  return (TELLERS[kind] ?? tellSettled)(story);
}

/**
 * @param {Story} story
 * @returns {Telling}
 */
function tellSettled(story) {
  const point = /** @type {CriticalPoint} */ (story.point);
  const lower = lowerPoint(story, point);
  let sentence = tellArrival(story, point) + tellReason(story, point);
  if (lower) {
    sentence += ` It is not the lowest one: at ${placeIn(story, lower.weight)} the loss is ${writeNumber(lower.loss)}, here ${writeNumber(point.loss)}.`;
  }
  return { sentence, remedy: settledRemedy(story, point, lower) };
}

/**
 * @param {Story} story
 * @param {CriticalPoint} point
 * @returns {string}
 */
function tellArrival(story, point) {
  const name = KIND_NAMES[point.kind];
  let where = placeIn(story, point.weight);
  if (point.kind === "flat") {
    const [low, high] = point.interval[0];
    where = story.line ? `${story.names[0]} from ${writeNumber(low)} to ${writeNumber(high)}` : `${where} and round about`;
  }
  const inside = story.home.search.domain.every(([low, high], index) => low <= point.weight[index] && point.weight[index] <= high);
  const outside = inside ? "" : ", outside the domain";
  const after = `After ${countSteps(story.steps)} the run`;
  if (story.steps === 0 && point.kind !== "flat" && farthest(story, point) > 1e-6) {
    const { tolerance } = story.problem.stopping;
    return `No step was taken: at the start, ${placeIn(story, story.final)}, the slope of ${writeNumber(story.slope)} is within the tolerance of ${writeNumber(tolerance)}. The run stands next to ${name}, ${where}${outside}.`;
  }
  if (story.steps === 0 && story.trajectory.status === "MAX_STEPS") {
    return `No step was taken, and the run is at its start, ${placeIn(story, story.final)}, next to ${name}, ${where}${outside}.`;
  }
  if (story.steps === 0) {
    return `The run started on ${name}, ${where}${outside}: the slope is zero there, so no step was taken.`;
  }
  if (story.trajectory.status === "MAX_STEPS" && story.noisy) {
    return `With noise the weight never stands still: it trembles around ${name}, ${where}${outside}.`;
  }
  if (story.trajectory.status === "MAX_STEPS") {
    return `${after} has come to ${placeIn(story, story.final)}, next to ${name}, ${where}, and still creeps by ${writeNumber(story.pace)} a step.`;
  }
  const stalled = story.trajectory.status === "STALLED" ? ", as near as floating-point numbers allow" : "";
  return `${after} settled on ${name}, ${where}${outside}${stalled}.`;
}

/**
 * What makes the point what it is.
 * @param {Story} story
 * @param {CriticalPoint} point
 * @returns {string}
 */
function tellReason(story, point) {
  const bends = point.curvature;
  switch (point.kind) {
    case "minimum":
      if (!story.line || !bends.length) return "";
      if (bends[0] > 0) return ` The slope changes from − to + there, and f″ = ${writeNumber(bends[0])}.`;
      return " The slope changes from − to + there, though f″ = 0: the bottom is so flat that steps die out slowly.";
    case "maximum":
      return " The slope is zero, but the loss falls on every side: zero slope does not mean minimum.";
    case "inflection":
      return " The slope is zero but does not change its sign: the loss goes on falling on the other side.";
    case "saddle": {
      const last = bends[bends.length - 1];
      const shown = bends[0] < 0 && last > 0 ? ` (curvatures ${writeNumber(bends[0])} and ${writeNumber(last)})` : "";
      return ` The slope is zero, but the loss falls in one direction and rises in another${shown}.`;
    }
    case "flat":
      return " The loss is the same all along it and the slope is zero, so nothing says which way to go.";
    case "kink":
      return " The slope jumps there; at the very tip it counts as zero.";
    default:
      return " The slope is zero and the curvature, too, in some direction: the second-derivative test is silent.";
  }
}

/**
 * The lowest minimum of the domain, if a minimum is clearly higher, on the scale of the losses met.
 * @param {Story} story
 * @param {CriticalPoint} point
 * @returns {CriticalPoint | null}
 */
function lowerPoint(story, point) {
  if (point.kind !== "minimum") return null;
  const lowest = leastOf(story.home.lows, (other) => other.loss) ?? point;
  const losses = [...story.home.search.points.map((other) => other.loss), point.loss, story.trajectory.loss[0]];
  const scale = Math.max(...losses.filter(Number.isFinite).map(Math.abs));
  return lowest.loss < point.loss - 1e-9 * scale ? lowest : null;
}

/**
 * @param {Story} story
 * @param {CriticalPoint} point
 * @param {CriticalPoint | null} lower
 * @returns {string}
 */
function settledRemedy(story, point, lower) {
  switch (point.kind) {
    case "maximum":
    case "saddle":
      return "Start a little to the side (a millionth is enough) or add noise: the smallest push frees the run.";
    case "inflection":
      return "Try a larger learning rate, momentum or noise, or start on the other side.";
    case "flat":
      if (story.line) return "Start where the loss has a slope, and take a learning rate that does not throw the weight here.";
      if (point.curvature.every((bend) => bend === 0)) return "Start where the loss has a slope.";
      return "All these weights are equally good; a small penalty such as 0.01·(sum of squares) would choose one.";
    case "kink":
      return "";
    case "undecided":
      return "Look at the loss round about: draw it, or start a little to the side and see whether the run comes back.";
  }
  if (story.trajectory.status === "MAX_STEPS") {
    return story.noisy ? "Let the learning rate fall with time, and the trembling shrinks." : "Give it more steps.";
  }
  return lower ? `Another start or learning rate may reach the minimum at ${placeIn(story, lower.weight)}.` : "";
}

/**
 * @param {Story} story
 * @returns {Telling}
 */
function tellPlateau(story) {
  if (story.trajectory.status === "STALLED") return tellStillMoving(story);
  const where = placeIn(story, story.final);
  const slope = writeNumber(story.slope);
  if (story.trajectory.status === "MAX_STEPS") {
    return {
      sentence: `The run is stuck on a plateau at ${where}: the slope is only ${slope}, a step only ${writeNumber(story.pace)}, and as many steps again would cover less than 1 % of the domain.`,
      remedy: "Start nearer to a minimum, or use a much larger learning rate or an adaptive rule.",
    };
  }
  const tolerance = writeNumber(story.problem.stopping.tolerance);
  const nearest = nearestLow(story);
  const there = nearest ? ` The nearest minimum is at ${placeIn(story, nearest.weight)}.` : "";
  return {
    sentence: `The run stopped on a plateau at ${where}: the slope there, ${slope}, is within the tolerance of ${tolerance}, but it is not zero, and no critical point is near.${there}`,
    remedy: `Use a gradient_tolerance below ${slope}: a small slope is not a zero slope.`,
  };
}

/**
 * Of some points, by default all low ones, the one nearest to the run's end.
 * @param {Story} story
 * @param {CriticalPoint[]} [points]
 * @returns {CriticalPoint | null}
 */
function nearestLow(story, points = story.home.lows) {
  return leastOf(points, (point) => farthest(story, point));
}

/**
 * The low points to which plain descent on a line may come from where it is: those downhill; else all.
 * @param {Story} story
 * @returns {CriticalPoint[]}
 */
function lowsAhead(story) {
  const { lows } = story.home;
  if (!story.line || story.factor !== 2 || story.noisy) return lows;
  return lows.filter((point) => (point.weight[0] - story.final[0]) * story.gradient[0] <= 0);
}

/**
 * How far the run ended from a point, as a share of the domain.
 * @param {Story} story
 * @param {CriticalPoint} point
 * @returns {number}
 */
function farthest(story, point) {
  return largestShare(story.home.width, point.weight, story.final);
}

/**
 * @param {Story} story
 * @returns {Telling}
 */
function tellUndecided(story) {
  if (story.point) return tellSettled(story);
  return {
    sentence: `The run came to rest at ${placeIn(story, story.final)}, where the slope is ${writeNumber(story.slope)}, but it cannot be told at which critical point, if any: the curvature there is singular.`,
    remedy: "Use a smaller gradient_tolerance, so that the run comes nearer before it stops.",
  };
}

/**
 * @param {Story} story
 * @returns {Telling}
 */
function tellNoMinimum(story) {
  const { search } = story.home;
  const box = search.domain.map(([low, high]) => `[${writeNumber(low)}, ${writeNumber(high)}]`).join(" × ");
  const behind = nearestLow(story);
  const reason = behind ? "each one there lies behind the start"
    : search.points.length ? "no critical point there is one" : "the slope is nowhere zero there";
  const proof = search.complete ? ` (proved: ${reason})` : "";
  const penalty = story.line ? `0.01·${story.names[0]}²` : "0.01·(sum of squares)";
  const remedy = "The learning rate is not to blame: " + (behind
    ? `start where the loss falls towards the minimum at ${placeIn(story, behind.weight)}.`
    : `choose a loss that has a minimum, or add a penalty such as ${penalty}.`);
  if (story.trajectory.status === "DIVERGED") {
    const bound = writeNumber(story.problem.stopping.bound);
    const sentence = `There is no minimum to find${behind ? " on this side" : ""}: the loss fell at every step until, at step ${story.steps}, a weight was beyond ±${bound}, and inside the domain ${box} no minimum lies ahead${proof}.`;
    return { sentence, remedy };
  }
  const there = placeIn(story, story.final);
  const way = story.steps
    ? `after ${countSteps(story.steps)} the run is at ${there} and the loss still falls, by steps of ${writeNumber(story.pace)}`
    : `no step was taken, and the run is at its start, ${there}`;
  let sentence = `There is no minimum to find inside the domain ${box}${proof}: ${way}.`;
  const near = search.points.find((point) => farthest(story, point) <= 0.01);
  if (near) {
    sentence += ` Near by is ${KIND_NAMES[near.kind]}, ${placeIn(story, near.weight)}, where the slope is zero: it only delays the run.`;
  }
  return { sentence, remedy };
}

/**
 * @param {Story} story
 * @returns {Telling}
 */
function tellStillMoving(story) {
  const tail = tailOf(story.trajectory);
  const whole = isWholeTail(tail);
  if (whole && !story.noisy && wanders(tail)) return tellChaos(story, tail);
  const sentence = tellWay(story);
  const held = story.trajectory.status === "STALLED";
  if (story.noisy && whole) {
    const mean = placeIn(story, story.names.map((_, index) => meanOf(columnOf(tail, index))));
    return {
      sentence: `${sentence}; the mean of its last ${tail.length} weights, ${mean}, has not come to rest near a minimum.`,
      remedy: "Give it more steps, or less noise.",
    };
  }
  const nearest = nearestLow(story, lowsAhead(story));
  if (!nearest) {
    const behind = nearestLow(story);
    if (!behind) return { sentence: `${sentence}.`, remedy: held ? LARGER_RATE : "Give it more steps." };
    const where = placeIn(story, behind.weight);
    return {
      sentence: `${sentence}, away from the nearest minimum, ${where}.`,
      remedy: `Start where the loss falls towards ${where}.`,
    };
  }
  let remedy = held ? LARGER_RATE : "Give it more steps, or a larger learning rate.";
  const { factor, rate } = story;
  const steepest = nearest.curvature[nearest.curvature.length - 1];
  const best = factor !== null && steepest > 0 ? 1 / steepest : Infinity;
  if (held && story.problem.rate.schedule !== "constant") {
    remedy = "Let the learning rate fall more slowly, or not so far.";
  } else if (factor === 2 && rate < 0.5 * best && best < Infinity) {
    const symbol = story.line ? "f″" : "L";
    remedy = `Try a larger learning rate, up to ${writeNumber(best)} = 1/${symbol} at the minimum${held ? "" : ", or more steps"}.`;
  } else if (!held && factor !== null && rate >= 0.25 * factor * best) {
    remedy = factor === 2 && rate > best ? "Give it more steps, or a smaller learning rate." : "Give it more steps.";
  }
  return { sentence: `${sentence}; the nearest minimum is at ${placeIn(story, nearest.weight)}.`, remedy };
}

/**
 * Where a run is that has not arrived, and how it goes on from there, if it does.
 * @param {Story} story
 * @returns {string}
 */
function tellWay(story) {
  const where = placeIn(story, story.final);
  const after = `After ${countSteps(story.steps)} the run is at ${where}`;
  if (story.trajectory.status === "STALLED") {
    const place = story.steps ? `${after} and has not arrived` : `The run cannot leave its start, ${where}`;
    return `${place}: with η = ${writeNumber(story.rate)} and a slope of ${writeNumber(story.slope)} a step is too small to change a floating-point number`;
  }
  if (story.steps === 0) return `No step was taken, and the run is at its start, ${where}`;
  return `${after} and still moving, by ${writeNumber(story.pace)} a step`;
}
