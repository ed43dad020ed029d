/**
 * The words of a run that steps too far: a cycle, chaos, divergence or overflow, set beside 2/f″.
 * Word for word those of gdsim/verdicts/overshoot.py.
 */
import { columnOf, meanOf, spreadOf } from "./rest.js";
import { curvatureThere } from "./settle.js";
import { cycleOf, leastOf, limitName, placeIn, sharpestPlace } from "./story.js";
import { writeNumber } from "./words.js";

/** @typedef {import("../types.js").CriticalPoint} CriticalPoint */
/** @typedef {import("./story.js").Story} Story */
/** @typedef {import("./story.js").Telling} Telling */

const SMALLER_RATE = "Try a smaller learning rate.";

/**
 * A run that repeats its last weights.
 * @param {Story} story
 * @returns {Telling}
 */
export function tellCycle(story) {
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
 * A run beyond the divergence bound.
 * @param {Story} story
 * @returns {Telling}
 */
export function tellDiverged(story) {
  const bound = writeNumber(story.problem.stopping.bound);
  if (story.steps === 0) {
    return {
      sentence: `No step was taken: the start, ${placeIn(story, story.start)}, is beyond the divergence_bound of ±${bound}.`,
      remedy: "Start nearer to zero, or use a larger divergence_bound.",
    };
  }
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
 * A run whose weight, loss or gradient is no longer a number.
 * @param {Story} story
 * @returns {Telling}
 */
export function tellNonfinite(story) {
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
 * Whether some weight keeps turning round without its swings dying out.
 * @param {number[][]} tail
 * @returns {boolean}
 */
export function wanders(tail) {
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
 * A run that wanders, and whether small differences grow.
 * @param {Story} story
 * @param {number[][]} tail
 * @returns {Telling}
 */
export function tellChaos(story, tail) {
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
