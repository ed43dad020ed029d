// Descent as a map: the next weight against the present one, with the staircase of the run.
/** @import {Interval, Item, Outcome, State, View} from "../types.js" */
/** @import {Entry, Frame} from "../draw/frame.js" */
import { LINE_HEIGHT, foldedText, frameOf, insideFrame, piecesInside, spotsAround } from "../draw/frame.js";
import { shortNumber } from "../draw/scale.js";
import {
  addCriticalPoints, addDepartures, curveLines, departuresOf, isInside, pickedNumber, pointsInWords, ruleWords, sampled, shownStep, standingInWords, stretchShown,
  wordsScene,
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
  const step = shownStep(trajectory, state), map = mapAt(outcome, step), ends = mapEnds(outcome);
  const axis = { low: ends[0], high: ends[1] };
  const rule = ruleWords(problem.rule.name);
  /** @type {Entry[]} */
  const legend = map ? [{ text: "map", colour: "loss" }, { text: "steps", colour: "path" }, { text: "next = now", colour: "quiet", dash: "dashed" }]
    : [{ text: "steps", colour: "path", shape: "disc" }, { text: "next = now", colour: "quiet", dash: "dashed" }];
  const frame = frameOf({ box, equal: true, legend, x: { ...axis, name: "weight " + name + " now" }, y: { ...axis, name: "next" } });
  const diagonal = [frame.x(ends[0]), frame.y(ends[0]), frame.x(ends[1]), frame.y(ends[1])];
  /** @type {Item[]} */
  const inside = [{ kind: "line", points: diagonal, colour: "quiet", width: 1.5, dash: "dashed" }];
  /** @type {Item[]} */
  const words = [];
  frame.room.shun(diagonal);
  if (map) {
    for (const points of curveLines(frame, map, sampled(frame, map))) inside.push({ kind: "line", points, colour: "loss", width: 2.5 });
    addStaircase(frame, inside, trajectory.weight, step);
  } else addPairs(frame, inside, trajectory.weight, step);
  addEnds(frame, inside, words, trajectory.weight, step);
  addCriticalPoints(frame, inside, words, outcome.search.points, (one) => [frame.x(one.weight[0]), frame.y(one.weight[0])]);
  addDepartures(frame, words, departuresOf(trajectory, step, ends), name);
  addMultipliers(frame, words, outcome, map !== null, step);
  if (!map) addNote(frame, words, rule + " remembers: the next weight does not follow from this one alone");
  return {
    width: box.width, height: box.height, items: [...frame.items, insideFrame(frame, inside), ...words],
    label: cobwebLabel(outcome, state, map !== null),
    pick: (x) => ({ start: [pickedNumber(frame.backX(x), frame.xScale)] }),
  };
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
 * @param {Outcome} outcome
 * @returns {Interval}
 */
function mapEnds(outcome) {
  const [low, high] = stretchShown(outcome), room = 0.04 * (high - low);
  return [low - room, high + room];
}

/**
 * Draws the staircase from the diagonal to the map and back, the last steps strong, those before pale.
 * @param {Frame} frame
 * @param {Item[]} items
 * @param {Float64Array} weight
 * @param {number} last
 */
function addStaircase(frame, items, weight, last) {
  const since = last > 200 ? last - STRONG : 0;
  const corners = (/** @type {number} */ from, /** @type {number} */ to) => {
    const xs = [], ys = [];
    for (let k = from; k < to; k++) {
      xs.push(frame.x(weight[k]), frame.x(weight[k]));
      ys.push(frame.y(weight[k]), frame.y(weight[k + 1]));
    }
    xs.push(frame.x(weight[to]));
    ys.push(frame.y(weight[to]));
    return piecesInside(frame, xs, ys);
  };
  if (since) {
    const opacity = Math.max(0.1, Math.min(0.4, 60 / last));
    for (const points of corners(0, since)) items.push({ kind: "line", points, colour: "path", width: 0.9, opacity });
  }
  for (const points of corners(since, last)) {
    items.push({ kind: "line", points, colour: "path", width: last > STRONG ? 1.3 : 2 });
    if (last <= STRONG) frame.room.shun(points);
  }
  for (let k = 0; k < Math.min(last, 12); k++) {
    const x = frame.x(weight[k]), x1 = frame.x(weight[k + 1]), y = frame.y(weight[k]), y1 = frame.y(weight[k + 1]);
    for (const [a, b, c, d] of [[x, y, x, y1], [x, y1, x1, y1]]) {
      const [piece] = piecesInside(frame, [a, c], [b, d], 0);
      if (!piece || Math.hypot(piece[2] - piece[0], piece[3] - piece[1]) < 30) continue;
      const points = [piece[0], piece[1], 0.45 * piece[0] + 0.55 * piece[2], 0.45 * piece[1] + 0.55 * piece[3]];
      items.push({ kind: "line", points, colour: "path", width: 2, arrow: true });
    }
  }
}

/**
 * @param {Frame} frame
 * @param {Item[]} items
 * @param {Float64Array} weight
 * @param {number} last
 */
function addPairs(frame, items, weight, last) {
  const xs = [], ys = [], discs = [];
  for (let k = 0; k < last; k++) {
    xs.push(frame.x(weight[k]));
    ys.push(frame.y(weight[k + 1]));
    if (isInside(frame, xs[k], ys[k])) discs.push(xs[k], ys[k]);
  }
  for (const points of piecesInside(frame, xs, ys)) items.push({ kind: "line", points, colour: "path", width: 1, opacity: 0.4 });
  if (discs.length) items.push({ kind: "marks", points: discs, colour: "path", radius: last > 200 ? 2 : 3.5, shape: "disc" });
}

/**
 * Marks on the diagonal the start and the step that is shown.
 * @param {Frame} frame
 * @param {Item[]} items
 * @param {Item[]} words
 * @param {Float64Array} weight
 * @param {number} last
 */
function addEnds(frame, items, words, weight, last) {
  const { size, room } = frame, radius = 0.45 * size;
  for (const k of last ? [last, 0] : [0]) {
    const x = frame.x(weight[k]), y = frame.y(weight[k]);
    if (!isInside(frame, x, y)) continue;
    items.push({ kind: "marks", points: [x, y], colour: "ink", radius, shape: k ? "disc" : "ring" },
      { kind: "marks", points: [x, y], colour: "path", radius: 0.26 * size, shape: "disc" });
    room.block(x - radius, y - radius, x + radius, y + radius);
    if (k === 0) room.put(words, { kind: "text", x, y, text: "start", colour: "ink", size, bold: true, halo: true }, spotsAround(radius + 3));
  }
}

/**
 * Says for gradient descent whether a fixed point attracts: 1 − ηf″.
 * @param {Frame} frame
 * @param {Item[]} words
 * @param {Outcome} outcome
 * @param {boolean} isMap
 * @param {number} step
 */
function addMultipliers(frame, words, { problem, search, trajectory }, isMap, step) {
  if (!isMap || problem.rule.name !== "gradient_descent" || problem.rule.options.weight_decay) return;
  const size = Math.max(11, frame.size - 1);
  for (const point of search.points) {
    if (!point.curvature.length || point.kind === "flat" || search.points.length > 5) continue;
    const factor = 1 - trajectory.rate[step] * point.curvature[0], x = frame.x(point.weight[0]), y = frame.y(point.weight[0]);
    if (!isInside(frame, x, y)) continue;
    const word = Math.abs(factor) < 1 ? "attracts" : Math.abs(factor) > 1 ? "repels" : "neutral";
    const spots = [1.6, 2.6, 3.6, 5].flatMap((far) => spotsAround(far * size)), long = "1 − ηf″ = " + shortNumber(factor, 3) + ", " + word;
    const say = (/** @type {string} */ text, /** @type {boolean} */ strict) =>
      frame.room.put(words, { kind: "text", x, y, text, colour: "ink", size, halo: true }, spots, strict);
    const short = word + " (" + shortNumber(factor, 3) + ")";
    if (!say(long, true) && !say(short, true) && !say(word, true)) say(word, false);
  }
}

/**
 * Writes a note at the bottom on the right, off the diagonal, in as many lines as it takes.
 * @param {Frame} frame
 * @param {Item[]} words
 * @param {string} text
 */
function addNote(frame, words, text) {
  const size = Math.max(11, frame.size - 1), lines = foldedText(text, 0.55 * frame.width, size);
  lines.forEach((line, k) => {
    const y = frame.bottom - 4 - (lines.length - 1 - k) * LINE_HEIGHT * size;
    frame.room.put(words, { kind: "text", x: frame.right - 4, y, text: line, colour: "quiet", size, anchor: "end", baseline: "bottom", halo: true });
  });
}

/**
 * @param {Outcome} outcome
 * @param {State} state
 * @param {boolean} isMap
 * @returns {string}
 */
function cobwebLabel(outcome, state, isMap) {
  const { problem, trajectory } = outcome, name = problem.loss.weights[0], ends = mapEnds(outcome);
  const step = shownStep(trajectory, state);
  return (isMap ? "Cobweb of the map from a weight to the next, " : "Each weight against the next, as " + ruleWords(problem.rule.name) + " remembers, ")
    + name + " from " + shortNumber(ends[0], 3) + " to " + shortNumber(ends[1], 3) + ". The run starts at " + name + " = "
    + shortNumber(trajectory.weight[0]) + "; " + standingInWords(outcome, step) + "." + pointsInWords(outcome);
}
