// Two weights: the loss as contours, the way downhill, and the path.
/** @import {Item, Outcome, State, View} from "../types.js" */
/** @import {Frame, Spot} from "../draw/frame.js" */
import { frameOf, frameScene, piecesInside, sayInFrame } from "../draw/frame.js";
import { lineItem } from "../draw/items.js";
import { shortNumber } from "../draw/scale.js";
import { contourRings, quantileLevels, ringLines, ringsAsOne } from "./isolines.js";
import {
  addCriticalPoints, addDiscs, addNow, addStart, isInside, pickedNumber, pointsInWords, rangeInWords, recordPixels, rivalStanding, runEntries,
  shownStep, standingInWords, stretchShown, wordsScene,
} from "./points.js";

const GRID = 72;
const LEVELS = 15;
const MOST_KEPT = 6;

/** What stays the same while the descent changes, by loss, domain and box.
 * @type {Map<string, {items: Item[], labels: {x: number, y: number, text: string}[]}>}
 */
const keptMaps = new Map();

/**
 * The loss over two weights: darker is higher, small arrows point downhill, the path walks with arrows. Of more
 * weights the first two are drawn, the others as they are in the end. A click or drag sets the start.
 * @type {View}
 */
export function contourView(outcome, state, box, rival) {
  const { problem, trajectory } = outcome, { weights } = problem.loss;
  if (weights.length < 2) return wordsScene(box, "Contours are drawn for a loss of two weights.");
  const [xEnds, yEnds] = [stretchShown(outcome, 0), stretchShown(outcome, 1)];
  const aspect = (xEnds[1] - xEnds[0]) / (yEnds[1] - yEnds[0]);
  const frame = frameOf({
    box, grid: false, equal: aspect >= 0.5 && aspect <= 2, legend: runEntries(outcome, rival),
    x: { low: xEnds[0], high: xEnds[1], name: "weight " + weights[0] }, y: { low: yEnds[0], high: yEnds[1], name: "weight " + weights[1] },
  });
  const step = shownStep(trajectory, state), map = mapOf(outcome, frame);
  frame.inside.push(...map.items);
  if (rival) addPath(frame, rival, shownStep(rival.trajectory, state), true);
  const [xs, ys] = addPath(frame, outcome, step, false);
  addNow(frame, xs[step], ys[step]);
  addStart(frame, xs[0], ys[0]);
  if (weights.length === 2) addCriticalPoints(frame, outcome.search.points, (one) => [frame.x(one.weight[0]), frame.y(one.weight[1])]);
  addOutside(frame, xs, ys);
  const size = Math.max(11, frame.size - 2);
  for (const { x, y, text } of map.labels) sayInFrame(frame, x, y, text, "quiet", undefined, { size, anchor: "middle" });
  return frameScene(box, frame, contourLabel(outcome, state, rival), (x, y) => ({
    start: [pickedNumber(frame.backX(x), frame.xScale), pickedNumber(frame.backY(y), frame.yScale), ...problem.start.slice(2)],
  }));
}

/**
 * Returns the weights of which the first two are free, the others as they are in the end.
 * @param {Outcome} outcome
 * @returns {number[]}
 */
function finalWeights({ trajectory }) {
  const count = trajectory.weights, from = trajectory.steps * count;
  return Array.from(trajectory.weight.slice(from, from + count));
}

/**
 * Returns the drawn map, from memory where loss, domain and frame are the same.
 * @param {Outcome} outcome
 * @param {Frame} frame
 * @returns {{items: Item[], labels: {x: number, y: number, text: string}[]}}
 */
function mapOf(outcome, frame) {
  const { loss, parameters, data } = outcome.problem, fixed = finalWeights(outcome).slice(2);
  const { xScale, yScale } = frame;
  const key = [loss.text, parameters, data.map((one) => Array.from(one)), fixed, xScale.low, xScale.high, yScale.low, yScale.high,
    frame.left, frame.right, frame.top, frame.bottom].join("|");
  const known = keptMaps.get(key);
  if (known) return known;
  const made = drawnMap(outcome, frame);
  const [oldest] = keptMaps.keys();
  if (keptMaps.size >= MOST_KEPT) keptMaps.delete(oldest);
  keptMaps.set(key, made);
  return made;
}

/**
 * @param {Outcome} outcome
 * @param {Frame} frame
 * @returns {{items: Item[], labels: {x: number, y: number, text: string}[]}}
 */
function drawnMap(outcome, frame) {
  const { loss, parameters, data } = outcome.problem, w = finalWeights(outcome);
  const values = new Float64Array(GRID * GRID);
  for (let j = 0; j < GRID; j++) {
    w[1] = frame.backY(frame.top + (frame.height * j) / (GRID - 1));
    for (let i = 0; i < GRID; i++) {
      w[0] = frame.backX(frame.left + (frame.width * i) / (GRID - 1));
      values[j * GRID + i] = loss.value(w, parameters, data);
    }
  }
  const heights = quantileLevels(values, LEVELS);
  /** @type {Item[]} */
  const items = [];
  /** @type {Item[]} */
  const lines = [];
  const labels = [];
  for (const [k, height] of heights.entries()) {
    const rings = contourRings(values, GRID, GRID, height, frame.left, frame.top, frame.width / (GRID - 1), frame.height / (GRID - 1));
    if (!rings.length) continue;
    items.push({ kind: "area", points: ringsAsOne(rings), colour: "loss", opacity: 0.055 });
    const pieces = rings.flatMap((ring) => ringLines(ring));
    for (const points of pieces) lines.push(lineItem(points, "ink", 0.8, { opacity: 0.3 }));
    const longest = pieces.reduce((best, one) => (one.length > best.length ? one : best), []);
    const middle = 2 * Math.floor(longest.length / 4);
    const text = shortNumber(Number(height.toPrecision(2)));
    if (k % 3 === 2 && longest.length > 16) labels.push({ x: longest[middle], y: longest[middle + 1], text });
  }
  return { items: [...items, ...lines, ...downhillArrows(outcome, frame)], labels };
}

/**
 * Returns small arrows of one length against the gradient.
 * @param {Outcome} outcome
 * @param {Frame} frame
 * @returns {Item[]}
 */
function downhillArrows(outcome, frame) {
  const { loss, parameters, data } = outcome.problem, w = finalWeights(outcome), out = w.map(() => 0);
  const columns = Math.max(5, Math.min(20, Math.round(frame.width / 36)));
  const rows = Math.max(4, Math.min(16, Math.round(frame.height / 36)));
  const { xScale, yScale } = frame;
  const across = frame.width / (xScale.high - xScale.low), up = frame.height / (yScale.high - yScale.low);
  /** @type {Item[]} */
  const items = [];
  for (let k = 0; k < columns * rows; k++) {
    const x = frame.left + (frame.width * ((k % columns) + 0.5)) / columns;
    const y = frame.top + (frame.height * (Math.floor(k / columns) + 0.5)) / rows;
    [w[0], w[1]] = [frame.backX(x), frame.backY(y)];
    loss.gradient(w, parameters, data, out);
    const dx = -out[0] * across, dy = out[1] * up, length = Math.hypot(dx, dy);
    if (!(length > 0) || length === Infinity) continue;
    const u = (7 * dx) / length, v = (7 * dy) / length;
    items.push(lineItem([x - u, y - v, x + u, y + v], "ink", 1, { opacity: 0.38, arrow: true }));
  }
  return items;
}

/**
 * Draws a path up to a step: a line on a light ground, discs, arrow heads on long steps.
 * @param {Frame} frame
 * @param {Outcome} outcome
 * @param {number} last
 * @param {boolean} second
 * @returns {[number[], number[]]} pixels of the records
 */
function addPath(frame, { trajectory }, last, second) {
  const { weight, weights } = trajectory, { inside } = frame;
  const [xs, ys] = recordPixels(frame, weight, weight.subarray(1), last, weights);
  const colour = second ? "rival" : "path", dash = second ? "dashed" : "", pieces = piecesInside(frame, xs, ys);
  inside.push(...pieces.map((one) => lineItem(one, "ground", 5, { opacity: 0.75 })));
  inside.push(...pieces.map((one) => lineItem(one, colour, 2, { dash })));
  pieces.forEach(frame.room.shun);
  for (let k = 1, arrows = 0; k <= last && arrows < 30; k++) {
    const [piece] = piecesInside(frame, xs.slice(k - 1, k + 1), ys.slice(k - 1, k + 1), 0);
    if (!piece || Math.hypot(piece[2] - piece[0], piece[3] - piece[1]) < 22) continue;
    inside.push(lineItem(piece, colour, 2, { arrow: true, dash }));
    arrows++;
  }
  addDiscs(frame, xs, ys, second);
  return [xs, ys];
}

/**
 * Says which step was the first to leave the frame.
 * @param {Frame} frame
 * @param {number[]} xs
 * @param {number[]} ys
 */
function addOutside(frame, xs, ys) {
  const outside = [...xs.keys()].filter((k) => !isInside(frame, xs[k], ys[k])), more = outside.length - 1;
  if (more < 0) return;
  const text = "step " + outside[0] + (more ? " and " + more + " more" : "") + " outside";
  /** @type {Spot[]} */
  const left = [{ dx: frame.left + 5, dy: frame.top + 4, anchor: "start", baseline: "top" },
    { dx: frame.left + 5, dy: frame.bottom - 4, anchor: "start", baseline: "bottom" }];
  /** @type {Spot[]} */
  const right = left.map((one) => ({ ...one, dx: frame.right - 5, anchor: "end" }));
  sayInFrame(frame, 0, 0, text, "path", [left[0], right[0], left[1], right[1]], { bold: true });
}

/**
 * @param {Outcome} outcome
 * @param {State} state
 * @param {Outcome | null} rival
 * @returns {string}
 */
function contourLabel(outcome, state, rival) {
  const { problem, trajectory } = outcome, names = problem.loss.weights;
  const fixed = names.slice(2).map((name, k) => name + " = " + shortNumber(finalWeights(outcome)[k + 2]));
  const from = problem.start.map((value, k) => names[k] + " = " + shortNumber(value)).join(", ");
  const [across, up] = [0, 1].map((k) => names[k] + rangeInWords(stretchShown(outcome, k)));
  return "Contours of the loss over " + across + " and " + up
    + (fixed.length ? ", with " + fixed.join(", ") + " as in the end" : "") + ". The path starts at " + from + "; "
    + standingInWords(outcome, shownStep(trajectory, state)) + "."
    + rivalStanding(outcome, rival, state) + pointsInWords(outcome);
}
