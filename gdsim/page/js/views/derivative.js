// The slope over the same weight axis as the curve: where the weight moves left, where right, where it rests.
/** @import {Colour, Interval, Item, Outcome, View} from "../types.js" */
/** @import {Frame} from "../draw/frame.js" */
import { frameOf, frameScene, sayInFrame, spotsAround, textSizeFor } from "../draw/frame.js";
import { lineItem, textItem } from "../draw/items.js";
import { shortNumber } from "../draw/scale.js";
import { textWidth } from "../draw/shapes.js";
import { lossLimits } from "./curve.js";
import {
  addCriticalPoints, addDepartures, addDiscs, addNow, curveLines, departuresOf, functionsOf, isInside, pickStart, pointsInWords, rangeInWords,
  recordPixels, rivalStanding, runEntries, sampled, shownStep, standingInWords, stretchShown, wordsScene,
} from "./points.js";

/** A stretch of weights on which f′ keeps its sign.
 * @typedef {{low: number, high: number, sign: number}} Stretch
 */

/** What the strip says by the sign of f′, longest first; % is the verb.
 * @type {Record<string, string[]>}
 */
const STRIP_WORDS = {
  "1": ["◀ f′ > 0: % left", "◀ % left", "◀ left", "◀"],
  "-1": ["f′ < 0: % right ▶", "% right ▶", "right ▶", "▶"],
  "0": ["f′ = 0: rests", "rests"],
};

/**
 * The slope f′ over the weight: shaded where it is positive and where negative, with a strip that says which way
 * the weight moves there; zeros are marked, and the slope at the step that is shown. A click or drag sets the start.
 * @type {View}
 */
export function derivativeView(outcome, state, box, rival) {
  const { problem, trajectory } = outcome, name = problem.loss.weights[0];
  if (trajectory.weights !== 1) return wordsScene(box, "The slope is drawn for a loss of one weight.");
  const ends = stretchShown(outcome), step = shownStep(trajectory, state);
  const { slope } = functionsOf(outcome), [bottom, top] = slopeLimits(outcome, rival, ends);
  const strip = 1.6 * textSizeFor(box);
  const frame = frameOf({
    box, strip, flush: true, x: { low: ends[0], high: ends[1], name: "weight " + name }, y: { low: bottom, high: top, name: "slope f′" },
    legend: [...runEntries(outcome, rival), { text: "slope at this step", colour: "tangent" }],
  });
  const { points } = outcome.search, { inside, room } = frame;
  const samples = sampled(frame, slope), zero = frame.y(0), axis = [frame.left, zero, frame.right, zero];
  const stretches = signStretches(samples.weights, samples.values, points.map((one) => one.weight[0]));
  for (const one of stretches) {
    if (one.sign !== 0) inside.push({ kind: "area", points: areaOf(frame, samples, one), colour: signColour(one.sign), opacity: 0.28 });
  }
  inside.push(lineItem(axis, "ink", 1.2), ...curveLines(frame, slope, samples).map((one) => lineItem(one, "loss", 2.5)));
  room.shun(axis);
  const [xs, ys] = recordPixels(frame, trajectory.weight, trajectory.gradient, step), x = xs[step], y = ys[step];
  if (rival) {
    const { weight, gradient } = rival.trajectory;
    addDiscs(frame, ...recordPixels(frame, weight, gradient, shownStep(rival.trajectory, state)), true);
  }
  addDiscs(frame, xs, ys, false);
  addDepartures(frame, departuresOf(trajectory, step, ends), name);
  if (isInside(frame, x, y)) inside.push(lineItem([x, zero, x, y], "tangent", 3));
  addNow(frame, x, y);
  addCriticalPoints(frame, points, (one) => [frame.x(one.weight[0]), zero]);
  if (isInside(frame, x, y)) {
    const now = trajectory.gradient[step];
    const spots = [0.7, 2].flatMap((far) => (now < 0 ? spotsAround(far * frame.size).reverse() : spotsAround(far * frame.size)));
    sayInFrame(frame, x, y, "f′ = " + shortNumber(now, 3), "tangent", spots);
  }
  frame.items.push(...stripItems(frame, stretches, strip, verbOf(outcome)));
  const label = derivativeLabel(outcome, step, ends, stretches) + rivalStanding(outcome, rival, state) + pointsInWords(outcome);
  return frameScene(box, frame, label, pickStart(frame));
}

/**
 * Returns the ends of the slope: what stands below the visible part of the loss, the steps, and zero.
 * @param {Outcome} outcome
 * @param {Outcome | null} rival
 * @param {Interval} ends
 * @returns {Interval}
 */
function slopeLimits(outcome, rival, [low, high]) {
  const { loss, slope } = functionsOf(outcome), [bottom, top] = lossLimits(outcome, rival, [low, high]);
  let least = 0, most = 0;
  const see = (/** @type {number} */ value) => {
    if (!Number.isFinite(value)) return;
    least = Math.min(least, value);
    most = Math.max(most, value);
  };
  for (let k = 0; k <= 200; k++) {
    const weight = low + ((high - low) * k) / 200, height = loss(weight);
    if (height >= bottom && height <= top) see(slope(weight));
  }
  const { trajectory } = outcome;
  for (let k = 0; k <= trajectory.steps; k++) {
    if (trajectory.weight[k] >= low && trajectory.weight[k] <= high) see(trajectory.gradient[k]);
  }
  const room = 0.1 * (most - least) || 1;
  return [least - room, most + room];
}

/**
 * Returns the stretches on which f′ keeps its sign; their ends are known zeros where there is one nearby.
 * @param {number[]} weights ascending
 * @param {number[]} slopes
 * @param {number[]} zeros
 * @returns {Stretch[]}
 */
export function signStretches(weights, slopes, zeros) {
  /** @type {Stretch[]} */
  const found = [];
  const signs = slopes.map(Math.sign), last = weights.length - 1;
  let low = weights[0];
  for (let k = 1; k <= last + 1; k++) {
    if (k <= last && signs[k] === signs[k - 1]) continue;
    const slack = k <= last ? 1e-9 * (weights[k] - weights[k - 1]) : 0;
    const high = k > last ? weights[last]
      : zeros.find((zero) => zero >= weights[k - 1] - slack && zero <= weights[k] + slack) ?? 0.5 * (weights[k - 1] + weights[k]);
    const least = signs[k - 1] === 0 ? 1.5 * (weights[1] - weights[0]) : 0;
    if (!Number.isNaN(signs[k - 1]) && high - low > least) found.push({ low, high, sign: signs[k - 1] + 0 });
    if (high - low > least) low = high;
  }
  return found;
}

/**
 * @param {number} sign
 * @returns {Colour}
 */
function signColour(sign) {
  return sign > 0 ? "left" : sign < 0 ? "right" : "quiet";
}

/**
 * @param {Frame} frame
 * @param {{weights: number[], values: number[]}} samples
 * @param {Stretch} stretch
 * @returns {number[]}
 */
function areaOf(frame, { weights, values }, { low, high }) {
  const points = [frame.x(low), frame.y(0)];
  weights.forEach((weight, k) => {
    if (weight >= low && weight <= high && !Number.isNaN(values[k])) points.push(frame.x(weight), frame.y(values[k]));
  });
  points.push(frame.x(high), frame.y(0));
  return points;
}

/**
 * Says above the plot where the weight moves which way, all in the same words, as long as there is room for.
 * @param {Frame} frame
 * @param {Stretch[]} stretches
 * @param {number} strip its height
 * @param {string} verb
 * @returns {Item[]}
 */
function stripItems(frame, stretches, strip, verb) {
  const { size, top } = frame, y = top - 0.5 * strip, half = 0.42 * strip;
  const wordsOf = (/** @type {Stretch} */ one) => STRIP_WORDS[one.sign].map((words) => words.replace("%", verb));
  const rooms = stretches.map((one) => frame.x(one.high) - frame.x(one.low));
  const levels = stretches.map((one, k) => wordsOf(one).findIndex((words) => textWidth(words, size) + 4 <= rooms[k]));
  const level = Math.max(0, ...levels.filter((one) => one < 3));
  /** @type {Item[]} */
  const items = [];
  stretches.forEach((one, k) => {
    const x0 = frame.x(one.low), x1 = frame.x(one.high), words = wordsOf(one);
    const points = [x0 + 0.5, y - half, x1 - 0.5, y - half, x1 - 0.5, y + half, x0 + 0.5, y + half];
    items.push({ kind: "area", points, colour: signColour(one.sign), opacity: 0.3 });
    if (levels[k] < 0) return;
    const text = words[Math.min(words.length - 1, Math.max(level, levels[k]))];
    items.push(textItem(0.5 * (x0 + x1), y, text, "ink", size, { anchor: "middle" }));
  });
  return items;
}

/**
 * Returns what may be said of the side to which f′ points: a rule with memory need not follow it.
 * @param {Outcome} outcome
 * @returns {string}
 */
function verbOf({ problem }) {
  const plain = ["gradient_descent", "sign_descent"].includes(problem.rule.name) && !problem.noise;
  return plain && !problem.rule.options.weight_decay ? "moves" : "downhill is";
}

/**
 * @param {Outcome} outcome
 * @param {number} step
 * @param {Interval} ends
 * @param {Stretch[]} stretches
 * @returns {string}
 */
function derivativeLabel(outcome, step, ends, stretches) {
  const name = outcome.problem.loss.weights[0], verb = verbOf(outcome) === "moves" ? "the weight moves" : "downhill is";
  const said = stretches.slice(0, 8).map(({ low, high, sign }) => "from " + shortNumber(low, 3) + " to " + shortNumber(high, 3)
    + (sign === 0 ? " the slope is zero" : " " + verb + (sign > 0 ? " left" : " right")));
  return "Slope of the loss over the weight " + name + rangeInWords(ends) + ": "
    + said.join("; ") + ". The descent at " + standingInWords(outcome, step).replace("stands at", "has") + " and slope "
    + shortNumber(outcome.trajectory.gradient[step]) + ".";
}
