/**
 * The words of a verdict: a sentence that a student understands, and a remedy.
 * Word for word those of gdsim/verdicts/sentences.py.
 */
import { columnOf, isWholeTail, meanOf, spreadOf, tailOf } from "./rest.js";
import { curvatureThere } from "./settle.js";
import { limitName, sharpestPlace } from "./story.js";
import { largestShare } from "./symmetric.js";
import { countSteps, writeNumber, writePlace } from "./words.js";

/** @typedef {import("../types.js").CriticalPoint} CriticalPoint */
/** @typedef {import("../types.js").VerdictKind} VerdictKind */
/** @typedef {import("./story.js").Story} Story */
/** @typedef {{sentence: string, remedy: string}} Telling */

const SMALLER_RATE = "Try a smaller learning rate.";
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
 * @param {ArrayLike<number>} weight
 * @returns {string}
 */
function placeIn(story, weight) {
  return writePlace(story.names, weight);
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
 * The first of some points for which a number is smallest.
 * @param {CriticalPoint[]} points
 * @param {(point: CriticalPoint) => number} key
 * @returns {CriticalPoint | null}
 */
function leastOf(points, key) {
  /** @type {CriticalPoint | null} */
  let best = null;
  for (const point of points) if (!best || key(point) < key(best)) best = point;
  return best;
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
function tellCycle(story) {
  const values = cycleOf(story);
  const shown = values.map((value) => (story.line ? writeNumber(value[0]) : placeIn(story, value)));
  const first = story.line ? `${story.names[0]} = ` : "";
  const sentence = `The run goes round in a cycle of ${values.length}: ${first}${[...shown, shown[0]].join(" → ")}, for ever.`;
  const inner = pointBetween(story, values);
  if (!inner) return { sentence, remedy: SMALLER_RATE };
  const remedy = "Let the learning rate fall with time (a schedule), so that the steps shrink.";
  const where = placeIn(story, inner.weight);
  if (inner.kind === "kink") {
    const cause = `Between them lies a kink, ${where}: the slope does not shrink on the way there but jumps to the other sign, so every constant learning rate steps over it.`;
    return { sentence: `${sentence} ${cause}`, remedy };
  }
  if (!inner.curvature.length) {
    const cause = `At the minimum between them, ${where}, the curvature f″ is infinite, so that 2/f″ = 0: every constant learning rate is too large in the end.`;
    return { sentence: `${sentence} ${cause}`, remedy };
  }
  return beyondTheLimit(story, inner, sentence);
}

/**
 * The values of the cycle in the order in which they are visited, the smallest first.
 * @param {Story} story
 * @returns {number[][]}
 */
function cycleOf(story) {
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
 * A cycle round a minimum with a curvature: η against the limit there.
 * @param {Story} story
 * @param {CriticalPoint} inner
 * @param {string} sentence
 * @returns {Telling}
 */
function beyondTheLimit(story, inner, sentence) {
  const curvature = inner.curvature[inner.curvature.length - 1];
  if (story.factor === null || !(curvature > 0)) return { sentence, remedy: SMALLER_RATE };
  const limit = story.factor / curvature;
  const name = limitName(story);
  const where = `${name} = ${writeNumber(limit)} at the minimum ${placeIn(story, inner.weight)}`;
  const rate = writeNumber(story.rate);
  let cause = `η = ${rate} is below ${where}, so that the cycle depends on the start.`;
  if (Math.abs(story.rate - limit) <= 1e-9 * Math.max(Math.abs(story.rate), Math.abs(limit))) {
    cause = `η is exactly ${where}: every step lands as far beyond it as it was before.`;
  } else if (story.rate > limit) {
    cause = `η = ${rate} is above ${where}: the minimum throws the weight out as it comes near.`;
  }
  return { sentence: `${sentence} ${cause}`, remedy: `Try a learning rate below ${writeNumber(limit)} = ${name}.` };
}

/**
 * The minimum or low kink in the middle of a cycle: of those in its hull the one nearest to its mean.
 * @param {Story} story
 * @param {number[][]} values
 * @returns {CriticalPoint | null}
 */
function pointBetween(story, values) {
  const columns = story.names.map((_, index) => columnOf(values, index));
  const room = 1e-3 * Math.max(...columns.map(spreadOf)); // beside it along a valley counts as well
  const inside = story.home.lows.filter((point) => {
    if (point.kind !== "minimum" && point.kind !== "kink") return false;
    return columns.every((column, index) => {
      return point.weight[index] >= Math.min(...column) - room && point.weight[index] <= Math.max(...column) + room;
    });
  });
  const mean = columns.map(meanOf);
  return leastOf(inside, (point) => Math.max(...mean.map((value, index) => Math.abs(point.weight[index] - value))));
}

/**
 * @param {Story} story
 * @returns {Telling}
 */
function tellDiverged(story) {
  const bound = writeNumber(story.problem.stopping.bound);
  const sentence = `The run diverged: at step ${story.steps} a weight was beyond ±${bound}.`;
  const { cause, remedy } = tooLarge(story);
  if (cause || story.home.lows.length) return { sentence: sentence + cause, remedy };
  return {
    sentence: `${sentence} The domain has no minimum that could hold it.`,
    remedy: "Choose a loss that has a minimum, or look for one in a larger domain.",
  };
}

/**
 * η against the stability limit where the run met the largest curvature.
 * @param {Story} story
 * @returns {{cause: string, remedy: string}}
 */
function tooLarge(story) {
  const sharpest = story.factor === null ? null : sharpestPlace(story);
  if (story.factor === null || !sharpest) return { cause: "", remedy: SMALLER_RATE };
  const limit = story.factor / sharpest.curvature;
  if (!(story.rate > limit)) return { cause: "", remedy: SMALLER_RATE };
  const atStart = sharpest.where.every((value, index) => value === story.start[index]);
  const there = `${atStart ? "at the start, " : "at "}${placeIn(story, sharpest.where)}`;
  const name = limitName(story);
  return {
    cause: ` η = ${writeNumber(story.rate)} is above ${name} = ${writeNumber(limit)} ${there}: a step overshoots by more than the distance that it should correct.`,
    remedy: `Try a learning rate below ${writeNumber(limit)} = ${name} ${there}.`,
  };
}

/**
 * @param {Story} story
 * @returns {Telling}
 */
function tellNonfinite(story) {
  /** @type {[string, number[]][]} */
  const parts = [["weight", story.final], ["loss", [story.trajectory.loss[story.steps]]], ["gradient", story.gradient]];
  const broken = parts.filter(([, values]) => !values.every(Number.isFinite));
  const causes = broken.map(([name, values]) => `the ${name} ${brokenHow(values)}`).join(" and ");
  const where = placeIn(story, story.final);
  if (story.steps === 0) {
    return { sentence: `At the start, ${where}, ${causes}.`, remedy: "Start where the loss is defined and not too large." };
  }
  const sentence = `Step ${story.steps} led from ${placeIn(story, story.previous)} to ${where}, where ${causes}.`;
  const { cause, remedy } = tooLarge(story);
  const other = "Try a smaller learning rate, gradient clipping, or a start farther from the edge.";
  return { sentence: sentence + cause, remedy: cause ? remedy : other };
}

/**
 * @param {number[]} values
 * @returns {string}
 */
function brokenHow(values) {
  return values.some(Number.isNaN)
    ? "is undefined (0/0, ∞ − ∞, or a root or logarithm of a negative number)"
    : "is too large for a computer to hold (overflow beyond 1.8×10³⁰⁸)";
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
 * @param {Story} story
 * @returns {CriticalPoint | null}
 */
function nearestLow(story) {
  return leastOf(story.home.lows, (point) => farthest(story, point));
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
  const none = search.points.length ? "no critical point there is one" : "the slope is nowhere zero there";
  const proof = search.complete ? ` (proved: ${none})` : "";
  const penalty = story.line ? `0.01·${story.names[0]}²` : "0.01·(sum of squares)";
  const remedy = `The learning rate is not to blame: choose a loss that has a minimum, or add a penalty such as ${penalty}.`;
  if (story.trajectory.status === "DIVERGED") {
    const bound = writeNumber(story.problem.stopping.bound);
    const sentence = `There is no minimum to find: the loss fell at every step until, at step ${story.steps}, a weight was beyond ±${bound}, and inside the domain ${box} no minimum lies ahead${proof}.`;
    return { sentence, remedy };
  }
  let sentence = `There is no minimum to find inside the domain ${box}${proof}: after ${countSteps(story.steps)} the run is at ${placeIn(story, story.final)} and the loss still falls, by steps of ${writeNumber(story.pace)}.`;
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
  const nearest = nearestLow(story);
  if (!nearest) return { sentence: `${sentence}.`, remedy: held ? LARGER_RATE : "Give it more steps." };
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

/**
 * Whether some weight keeps turning round without its swings dying out.
 * @param {number[][]} tail
 * @returns {boolean}
 */
function wanders(tail) {
  const half = tail.length / 2;
  return tail[0].some((_, index) => {
    const values = columnOf(tail, index);
    const ways = values.slice(1).map((value, place) => Math.sign(value - values[place]));
    const turns = ways.slice(1).filter((way, place) => way !== ways[place]).length;
    const late = spreadOf(values.slice(half));
    return turns > tail.length / 4 && late > 0.5 * spreadOf(values.slice(0, half)) && late > 0;
  });
}

/**
 * @param {Story} story
 * @param {number[][]} tail
 * @returns {Telling}
 */
function tellChaos(story, tail) {
  const ranges = story.names.map((name, index) => {
    const values = columnOf(tail, index);
    return `${name} between ${writeNumber(Math.min(...values))} and ${writeNumber(Math.max(...values))}`;
  });
  const growth = growthOf(story, tail);
  const how =
    growth !== null && growth > 0
      ? `. This is bounded chaos: small differences grow ${writeNumber(Math.exp(growth))}-fold a step, so the path cannot be foretold`
      : " within eight steps (bounded chaos, a longer cycle, or a slow approach)";
  const { cause, remedy } = tooLarge(story);
  const sentence = `The run is still moving and never settles: it jumps about, ${ranges.join(" and ")}, without repeating itself${how}.${cause}`;
  return { sentence, remedy };
}

/**
 * The Lyapunov exponent over the tail, the mean of ln |1 − ηf″|; plain descent of one weight only.
 * @param {Story} story
 * @param {number[][]} tail
 * @returns {number | null}
 */
function growthOf(story, tail) {
  if (story.problem.rule.name !== "gradient_descent" || !story.line) return null;
  const factors = tail.map((weight) => Math.abs(1 - story.rate * curvatureThere(story.terrain, weight)));
  return factors.every((factor) => factor > 0 && Number.isFinite(factor)) ? meanOf(factors.map(Math.log)) : null;
}
