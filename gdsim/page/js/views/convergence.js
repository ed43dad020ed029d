// How fast: loss above the lowest, size of the gradient and distance to the end, step by step.
/** @import {Colour, Outcome, Shape, State, View} from "../types.js" */
/** @import {Entry, Frame} from "../draw/frame.js" */
import { frameOf, frameScene, piecesInside, sayInFrame, spotsAround } from "../draw/frame.js";
import { lineItem, marksItem } from "../draw/items.js";
import { shortNumber } from "../draw/scale.js";
import { POINT_LOOKS, rivalWords, shownStep, wordsScene } from "./points.js";

/** One quantity of a run; numbers that are not positive have no place on the axis.
 * @typedef {{text: string, colour: Colour, shape: Shape, values: Float64Array}} Series
 */

/**
 * Loss above the lowest, the largest component of the gradient and the distance to the point where the run
 * settled, against the steps on a logarithmic axis; a second run is dashed. A click or drag sets the step.
 * @type {View}
 */
export function convergenceView(outcome, state, box, rival) {
  const lowest = lowestLoss(rival ? [outcome, rival] : [outcome]);
  const series = seriesOf(outcome, lowest, null), others = rival ? seriesOf(rival, lowest, outcome) : [];
  const tolerance = outcome.problem.stopping.tolerance;
  const limits = seriesLimits([...series, ...others], tolerance);
  if (!limits) return wordsScene(box, "Nothing to compare: the run rests at its critical point from the start.");
  const last = Math.max(1, outcome.trajectory.steps, rival ? rival.trajectory.steps : 0);
  /** @type {Entry[]} */
  const legend = series.filter((one) => one.values.some((value) => value > 0)).map(({ text, colour, shape }) => (
    { text, colour, shape, line: true }
  ));
  if (rival) legend.push({ text: rivalWords(outcome, rival), colour: "ink", dash: "dashed" });
  const frame = frameOf({
    box, legend, x: { low: -0.02 * last, high: 1.02 * last, name: "step", whole: true },
    y: { low: limits[0], high: limits[1], name: "", kind: "log" },
  });
  const step = shownStep(outcome.trajectory, state), now = frame.x(step), spots = spotsAround(5), { inside } = frame;
  for (const one of others) addSeries(frame, one, step, true);
  for (const one of series) addSeries(frame, one, step, false);
  inside.push(lineItem([now, frame.top, now, frame.bottom], "ink", 1.2, { dash: "dotted" }));
  sayInFrame(frame, now, frame.top + 0.8 * frame.size, "step " + step, "ink", [spots[3], spots[4]], { bold: true });
  if (tolerance > limits[0] && tolerance < limits[1]) {
    const y = frame.y(tolerance);
    inside.push(lineItem([frame.left, y, frame.right, y], "quiet", 1.5, { dash: "dotted" }));
    sayInFrame(frame, frame.left + 6, y, "tolerance " + shortNumber(tolerance), "quiet",
      [spots[0], spots[5]].flatMap((spot) => [{ ...spot, anchor: "start" }, { ...spot, anchor: "end", dx: frame.width - 12 }]));
  }
  return frameScene(box, frame, convergenceLabel(outcome, state, series, others, rival),
    (x) => ({ step: Math.max(0, Math.min(outcome.trajectory.steps, Math.round(frame.backX(x)))) }));
}

/**
 * Returns the lowest loss among critical points, or among the records where one lies clearly below.
 * @param {Outcome[]} outcomes
 * @returns {number}
 */
function lowestLoss(outcomes) {
  let known = Infinity, seen = Infinity;
  for (const { search, trajectory } of outcomes) {
    for (const { loss } of search.points) if (loss < known) known = loss;
    for (const loss of trajectory.loss) if (loss < seen) seen = loss;
  }
  if (known === Infinity) return seen;
  return seen < known - 1e-9 * Math.max(1, Math.abs(known)) ? seen : known;
}

/**
 * @param {Outcome} outcome
 * @param {number} lowest loss
 * @param {Outcome | null} first run, to whose end point the distance is measured where this one has none
 * @returns {Series[]}
 */
function seriesOf({ trajectory, verdict }, lowest, first) {
  const { weights, steps, weight, gradient, loss } = trajectory;
  const point = verdict.point ?? first?.verdict.point ?? null;
  const above = new Float64Array(steps + 1), size = new Float64Array(steps + 1), far = new Float64Array(steps + 1);
  for (let k = 0; k <= steps; k++) {
    above[k] = loss[k] - lowest;
    let largest = 0, square = 0;
    for (let j = 0; j < weights; j++) {
      const part = Math.abs(gradient[k * weights + j]);
      if (!(part <= largest)) largest = part;
      if (point) square += (weight[k * weights + j] - point.weight[j]) ** 2;
    }
    size[k] = largest;
    far[k] = Math.sqrt(square);
  }
  /** @type {Series[]} */
  const series = [
    { text: "loss − lowest", colour: "loss", shape: "disc", values: above },
    { text: weights > 1 ? "largest |∂L|" : "|f′|", colour: "tangent", shape: "square", values: size },
  ];
  const word = point && point.kind !== "undecided" ? POINT_LOOKS[point.kind].word.replace("flat", "flat piece") : "end point";
  if (point) series.push({ text: "distance to the " + word, colour: "path", shape: "diamond", values: far });
  return series;
}

/**
 * Returns the ends of the axis, at least a decade apart; null where no number is positive.
 * @param {Series[]} series
 * @param {number} tolerance
 * @returns {[number, number] | null}
 */
function seriesLimits(series, tolerance) {
  let low = Infinity, high = 0;
  for (const { values } of series) {
    for (const value of values) {
      if (!(value > 0) || value === Infinity) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  if (high === 0) return null;
  if (low < 1e3 * tolerance && tolerance > 0) low = Math.min(low, tolerance);
  const [bottom, top] = [Math.log10(low), Math.log10(high)], room = Math.max(0.06 * (top - bottom), 0.5 * (1 - (top - bottom)));
  return [10 ** Math.max(-320, bottom - room), 10 ** Math.min(308, top + room)];
}

/**
 * Draws a quantity: strong up to the step that is shown, faint after it.
 * @param {Frame} frame
 * @param {Series} series
 * @param {number} step
 * @param {boolean} dashed
 */
function addSeries(frame, { colour, shape, values }, step, dashed) {
  const xs = Array.from(values, (_, k) => frame.x(k));
  const ys = Array.from(values, (value) => (value > 0 && value < Infinity ? frame.y(value) : NaN));
  for (const [from, to, opacity] of [[0, step + 1, 1], [step, xs.length, 0.35]]) {
    for (const points of piecesInside(frame, xs.slice(from, to), ys.slice(from, to))) {
      frame.inside.push(lineItem(points, colour, dashed ? 1.8 : 2.4, { dash: dashed ? "dashed" : "", opacity }));
      if (points.length < 1000) frame.room.shun(points);
    }
  }
  const stride = Math.max(1, Math.ceil((30 * values.length) / frame.width));
  const places = xs.flatMap((x, k) => ((k === step || (k < step && k % stride === 0)) && Number.isFinite(ys[k]) ? [x, ys[k]] : []));
  if (places.length) frame.inside.push(marksItem(places, colour, 3.5, shape, !dashed));
}

/**
 * @param {Outcome} outcome
 * @param {State} state
 * @param {Series[]} series
 * @param {Series[]} others
 * @param {Outcome | null} rival
 * @returns {string}
 */
function convergenceLabel(outcome, state, series, others, rival) {
  const step = shownStep(outcome.trajectory, state);
  const said = (/** @type {Series[]} */ some) => some.map(({ text, values }) => {
    const last = values.length - 1, k = Math.min(step, last);
    return text + " " + shortNumber(values[0], 3) + " at the start, " + shortNumber(values[k], 3) + " at step " + k
      + ", " + shortNumber(values[last], 3) + " at step " + last;
  }).join("; ");
  return "Against the steps, on a logarithmic axis: " + said(series) + "."
    + (rival ? " Dashed, " + rivalWords(outcome, rival) + ": " + said(others) + "." : "");
}
