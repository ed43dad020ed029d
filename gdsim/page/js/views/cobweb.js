// Descent as a map: the next weight against the present one, with the staircase of the run.
/** @import {Interval, Outcome, View} from "../types.js" */
/** @import {Entry, Frame} from "../draw/frame.js" */
import { LINE_HEIGHT, foldedText, frameOf, frameScene, piecesInside, sayInFrame, spotsAround } from "../draw/frame.js";
import { lineItem } from "../draw/items.js";
import { shortNumber } from "../draw/scale.js";
import {
  addCriticalPoints, addDepartures, addDiscs, addNow, addStart, curveLines, departuresOf, isInside, pickStart, pointsInWords, rangeInWords,
  ruleWords, sampled, shownStep, standingInWords, stretchShown, wordsScene,
} from "./points.js";

const STRONG = 64; // the last steps, which show where a long run ends up

/**
 * The map from a weight to the next, where the rule has no memory, with diagonal and cobweb; else the pairs of
 * neighbouring weights of the run. A click or drag sets the start.
 * @type {View}
 */
export function cobwebView(outcome, state, box) {
  const { problem, trajectory } = outcome, name = problem.loss.weights[0];
  if (trajectory.weights !== 1) return wordsScene(box, "The cobweb is drawn for a loss of one weight.");
  const step = shownStep(trajectory, state), map = mapAt(outcome, step), [low, high] = stretchShown(outcome);
  /** @type {Interval} */
  const ends = [1.04 * low - 0.04 * high, 1.04 * high - 0.04 * low];
  const axis = { low: ends[0], high: ends[1] };
  const rule = ruleWords(problem.rule.name), varies = trajectory.rate.some((one) => one !== trajectory.rate[0]);
  /** @type {Entry[]} */
  const legend = [{ text: "steps", colour: "path", shape: map ? undefined : "disc" }, { text: "next = now", colour: "quiet", dash: "dashed" }];
  if (map) legend.unshift({ text: varies ? "map at step " + step : "map", colour: "loss" });
  const frame = frameOf({ box, equal: true, legend, x: { ...axis, name: "weight " + name + " now" }, y: { ...axis, name: "next" } });
  const diagonal = [frame.x(ends[0]), frame.y(ends[0]), frame.x(ends[1]), frame.y(ends[1])], { inside } = frame, { weight } = trajectory;
  inside.push(lineItem(diagonal, "quiet", 1.5, { dash: "dashed" }));
  frame.room.shun(diagonal);
  if (map) {
    inside.push(...curveLines(frame, map, sampled(frame, map)).map((one) => lineItem(one, "loss", 2.5)));
    addStaircase(frame, weight, step);
  } else addPairs(frame, weight, step);
  if (step) addNow(frame, frame.x(weight[step]), frame.y(weight[step]));
  addStart(frame, frame.x(weight[0]), frame.y(weight[0]));
  addCriticalPoints(frame, outcome.search.points, (one) => [frame.x(one.weight[0]), frame.y(one.weight[0])]);
  addDepartures(frame, departuresOf(trajectory, step, ends), name);
  if (map) addMultipliers(frame, outcome, step);
  else addNote(frame, rule + " remembers: the next weight does not follow from this one alone");
  const label = (map ? "Cobweb of the map from a weight to the next, " : "Each weight against the next, as " + rule + " remembers, ") + name
    + rangeInWords(ends) + ". The run starts at " + name + " = " + shortNumber(weight[0]) + "; " + standingInWords(outcome, step) + ".";
  return frameScene(box, frame, label + pointsInWords(outcome), pickStart(frame));
}

/**
 * Returns the map of a rule without memory with the rate of a step; null for other rules and descents.
 * @param {Outcome} outcome
 * @param {number} step
 * @returns {((weight: number) => number) | null}
 */
function mapAt({ problem, trajectory }, step) {
  const { loss, parameters, data, rule } = problem, rate = trajectory.rate[step], decay = rule.options.weight_decay ?? 0;
  if (problem.noise || problem.clip || problem.lineSearch || !Number.isFinite(rate)) return null;
  const w = [0], slope = [0], bend = [0];
  const slopeAt = (/** @type {number} */ weight) => {
    w[0] = weight;
    loss.gradient(w, parameters, data, slope);
    return slope[0];
  };
  if (rule.name === "gradient_descent") return (weight) => weight - rate * (slopeAt(weight) + decay * weight);
  if (rule.name === "sign_descent") return (weight) => weight - rate * Math.sign(slopeAt(weight));
  if (rule.name !== "newton") return null;
  return (weight) => {
    const down = slopeAt(weight);
    loss.hessian(w, parameters, data, bend);
    return down === 0 ? weight : weight - (rate * down) / bend[0];
  };
}

/**
 * Draws the staircase from the diagonal to the map and back, the last steps strong, those before pale.
 * @param {Frame} frame
 * @param {Float64Array} weight
 * @param {number} last
 */
function addStaircase(frame, weight, last) {
  const since = last > 200 ? last - STRONG : 0, { inside } = frame;
  /** @type {number[]} */
  const xs = [];
  /** @type {number[]} */
  const ys = [];
  for (let k = 0; k <= last; k++) {
    xs.push(frame.x(weight[k]), frame.x(weight[k]));
    ys.push(frame.y(weight[k]), frame.y(weight[Math.min(last, k + 1)]));
  }
  const pieces = (/** @type {number} */ from, /** @type {number} */ to) => piecesInside(frame, xs.slice(from, to), ys.slice(from, to));
  const opacity = Math.max(0.1, Math.min(0.4, 60 / last));
  inside.push(...pieces(0, 2 * since + 1).map((one) => lineItem(one, "path", 0.9, { opacity })));
  for (const one of pieces(2 * since, 2 * last + 1)) {
    inside.push(lineItem(one, "path", last > STRONG ? 1.3 : 2));
    if (last <= STRONG) frame.room.shun(one);
  }
  for (let k = 1; k <= Math.min(2 * last, 24); k++) {
    const [piece] = piecesInside(frame, xs.slice(k - 1, k + 1), ys.slice(k - 1, k + 1), 0);
    if (!piece) continue;
    const [a, b, c, d] = piece;
    if (Math.hypot(c - a, d - b) > 30) inside.push(lineItem([a, b, 0.45 * a + 0.55 * c, 0.45 * b + 0.55 * d], "path", 2, { arrow: true }));
  }
}

/**
 * @param {Frame} frame
 * @param {Float64Array} weight
 * @param {number} last
 */
function addPairs(frame, weight, last) {
  const xs = Array.from(weight.subarray(0, last), frame.x), ys = Array.from(weight.subarray(1, last + 1), frame.y);
  frame.inside.push(...piecesInside(frame, xs, ys).map((one) => lineItem(one, "path", 1, { opacity: 0.4 })));
  addDiscs(frame, xs, ys, false);
}

/**
 * Says for gradient descent whether a fixed point attracts: 1 − ηf″.
 * @param {Frame} frame
 * @param {Outcome} outcome
 * @param {number} step
 */
function addMultipliers(frame, { problem, search, trajectory }, step) {
  if (problem.rule.name !== "gradient_descent" || problem.rule.options.weight_decay) return;
  const size = Math.max(11, frame.size - 1);
  for (const point of search.points) {
    if (!point.curvature.length || point.kind === "flat" || search.points.length > 5) continue;
    const factor = 1 - trajectory.rate[step] * point.curvature[0], x = frame.x(point.weight[0]), y = frame.y(point.weight[0]);
    if (!isInside(frame, x, y)) continue;
    const word = Math.abs(factor) < 1 ? "attracts" : Math.abs(factor) > 1 ? "repels" : "neutral";
    const spots = [1.6, 2.6, 3.6, 5].flatMap((far) => spotsAround(far * size));
    const long = "1 − ηf″ = " + shortNumber(factor, 3) + ", " + word;
    const say = (/** @type {string} */ text, /** @type {boolean} */ strict) =>
      sayInFrame(frame, x, y, text, "ink", spots, { size }, strict);
    const short = word + " (" + shortNumber(factor, 3) + ")";
    if (!say(long, true) && !say(short, true) && !say(word, true)) say(word, false);
  }
}

/**
 * Writes a note at the bottom on the right, off the diagonal, in as many lines as it takes.
 * @param {Frame} frame
 * @param {string} text
 */
function addNote(frame, text) {
  const size = Math.max(11, frame.size - 1), lines = foldedText(frame.width < 20 * size ? "has memory" : text, 0.55 * frame.width, size);
  lines.forEach((line, k) => {
    const y = frame.bottom - 4 - (lines.length - 1 - k) * LINE_HEIGHT * size;
    sayInFrame(frame, frame.right - 4, y, line, "quiet", undefined, { size, anchor: "end", baseline: "bottom" });
  });
}
