// The loss over one weight, with the descent walking on it.
/** @import {Interval, Item, Outcome, State, View} from "../types.js" */
/** @import {Entry, Frame} from "../draw/frame.js" */
import { frameOf, insideFrame, spotsAround } from "../draw/frame.js";
import { robustLimits, shortNumber } from "../draw/scale.js";
import {
  addCriticalPoints, addDepartures, addStartAndNow, addStepNumbers, addSteps, curveLines, departuresOf, functionsOf, isInside,
  pickedNumber, pointsInWords, ruleWords, sampled, shownStep, standingInWords, stretchShown, wordsScene,
} from "./points.js";

/**
 * Returns the ends of the loss that are shown: those of the curve, its critical points and the steps in the frame.
 * @param {Outcome} outcome
 * @param {Outcome | null} rival
 * @param {Interval} ends of the weight
 * @returns {Interval}
 */
export function lossLimits(outcome, rival, [low, high]) {
  const f = functionsOf(outcome).loss, values = new Float64Array(301), marked = [];
  for (let k = 0; k <= 300; k++) values[k] = f(low + ((high - low) * k) / 300);
  for (const { trajectory } of rival ? [outcome, rival] : [outcome]) {
    for (let k = 0; k <= trajectory.steps; k++) {
      const weight = trajectory.weight[k];
      if (weight >= low && weight <= high) marked.push(trajectory.loss[k]);
    }
  }
  for (const point of outcome.search.points) marked.push(point.loss);
  return robustLimits(values, marked);
}

/**
 * The loss over its only weight: steps with numbers and arrows, the tangent at the step that is shown, critical
 * points, and arrows at the edge for steps that left. A click or drag sets the start.
 * @type {View}
 */
export function curveView(outcome, state, box, rival) {
  const { problem, trajectory } = outcome, name = problem.loss.weights[0];
  if (trajectory.weights !== 1) return wordsScene(box, "The curve is drawn for a loss of one weight.");
  const ends = stretchShown(outcome), [bottom, top] = lossLimits(outcome, rival, ends);
  const frame = frameOf({
    box, x: { low: ends[0], high: ends[1], name: "weight " + name }, y: { low: bottom, high: top, name: "loss" },
    legend: curveLegend(outcome, rival),
  });
  const { loss } = functionsOf(outcome), step = shownStep(trajectory, state);
  /** @type {Item[]} */
  const inside = curveLines(frame, loss, sampled(frame, loss)).map((points) => ({ kind: "line", points, colour: "loss", width: 2.5 }));
  /** @type {Item[]} */
  const marks = [];
  /** @type {Item[]} */
  const words = [];
  for (const one of outcome.search.points) {
    if (one.kind !== "flat" || !one.interval.length) continue;
    const [from, to] = one.interval[0].map(frame.x);
    inside.push({ kind: "line", points: [from, frame.y(one.loss), to, frame.y(one.loss)], colour: "quiet", width: 7, opacity: 0.5 });
  }
  const [xs, ys] = pixelsOf(outcome, frame, step);
  addTangent(frame, inside, outcome, step);
  if (rival) {
    const last = shownStep(rival.trajectory, state);
    addSteps(frame, inside, ...pixelsOf(rival, frame, last), { colour: "rival", last, radius: 3.5, dashed: true });
  }
  addSteps(frame, inside, xs, ys, { colour: "path", last: step, radius: step > 200 ? 2.5 : 4, dashed: false });
  addDepartures(frame, words, departuresOf(trajectory, step, ends), name);
  addStartAndNow(frame, marks, words, [xs[0], ys[0]], [xs[step], ys[step]]);
  addCriticalPoints(frame, inside, words, outcome.search.points, (one) => [frame.x(one.weight[0]), frame.y(one.loss)]);
  addSlopeWords(frame, words, outcome, step, xs[step], ys[step]);
  addStepNumbers(frame, words, xs, ys, step);
  return {
    width: box.width, height: box.height, items: [...frame.items, insideFrame(frame, inside), ...marks, ...words],
    label: curveLabel(outcome, state, ends, rival),
    pick: (x) => ({ start: [pickedNumber(frame.backX(x), frame.xScale)] }),
  };
}

/**
 * @param {Outcome} outcome
 * @param {Outcome | null} rival
 * @returns {Entry[]}
 */
function curveLegend({ problem }, rival) {
  /** @type {Entry[]} */
  const entries = [
    { text: "steps of " + ruleWords(problem.rule.name), colour: "path", shape: "disc" },
    { text: "tangent", colour: "tangent" },
  ];
  if (rival) entries.splice(1, 0, { text: rivalWords(problem.rule.name, rival), colour: "rival", shape: "ring", dash: "dashed", line: true });
  return entries;
}

/**
 * Names the second run: by its rule, or where that is the same by its learning rate.
 * @param {string} rule of the first run
 * @param {Outcome} rival
 * @returns {string}
 */
export function rivalWords(rule, rival) {
  const other = rival.problem.rule.name;
  return other === rule ? "with η = " + shortNumber(rival.problem.rate.initial) : ruleWords(other);
}

/**
 * @param {Outcome} outcome
 * @param {Frame} frame
 * @param {number} last
 * @returns {[number[], number[]]}
 */
function pixelsOf({ trajectory }, frame, last) {
  const xs = [], ys = [];
  for (let k = 0; k <= last; k++) {
    xs.push(frame.x(trajectory.weight[k]));
    ys.push(frame.y(trajectory.loss[k]));
  }
  return [xs, ys];
}

/**
 * Draws the tangent at a step, a third of the frame long in pixels.
 * @param {Frame} frame
 * @param {Item[]} items
 * @param {Outcome} outcome
 * @param {number} step
 */
function addTangent(frame, items, { trajectory }, step) {
  const weight = trajectory.weight[step], x = frame.x(weight), y = frame.y(trajectory.loss[step]);
  const rise = slopeInPixels(frame, trajectory.gradient[step]);
  if (!isInside(frame, x, y) || !Number.isFinite(rise)) return;
  const reach = (0.22 * Math.min(frame.width, 1.6 * frame.height)) / Math.hypot(1, rise);
  const points = [x - reach, y + reach * rise, x + reach, y - reach * rise];
  items.push({ kind: "line", points, colour: "tangent", width: 2.2 });
  frame.room.shun(points);
}

/**
 * Returns how many pixels a slope rises for one pixel to the right.
 * @param {Frame} frame
 * @param {number} slope
 * @returns {number}
 */
function slopeInPixels(frame, slope) {
  const { xScale, yScale } = frame;
  return slope * ((frame.height / (yScale.high - yScale.low)) / (frame.width / (xScale.high - xScale.low)));
}

/**
 * Says the slope beside the tangent.
 * @param {Frame} frame
 * @param {Item[]} words
 * @param {Outcome} outcome
 * @param {number} step
 * @param {number} x
 * @param {number} y
 */
function addSlopeWords(frame, words, { trajectory }, step, x, y) {
  const slope = trajectory.gradient[step], rise = slopeInPixels(frame, slope);
  if (!isInside(frame, x, y) || !Number.isFinite(rise)) return;
  const reach = (0.22 * Math.min(frame.width, 1.6 * frame.height)) / Math.hypot(1, rise);
  const spots = [rise > 0 ? 1 : -1, rise > 0 ? -1 : 1].flatMap((side) => spotsAround(6).map((spot) => (
    { ...spot, dx: spot.dx + side * reach, dy: spot.dy - side * reach * rise }
  )));
  const text = "slope " + shortNumber(slope, 3);
  frame.room.put(words, { kind: "text", x, y, text, colour: "tangent", size: frame.size, halo: true }, [...spots, ...spotsAround(1.4 * frame.size)]);
}

/**
 * @param {Outcome} outcome
 * @param {State} state
 * @param {Interval} ends
 * @param {Outcome | null} rival
 * @returns {string}
 */
function curveLabel(outcome, state, ends, rival) {
  const { problem, trajectory } = outcome, name = problem.loss.weights[0], step = shownStep(trajectory, state);
  const gone = departuresOf(trajectory, step, ends).reduce((sum, one) => sum + one.more + 1, 0);
  return "Loss over the weight " + name + " from " + shortNumber(ends[0]) + " to " + shortNumber(ends[1]) + ". "
    + "The descent starts at " + name + " = " + shortNumber(trajectory.weight[0]) + "; "
    + standingInWords(outcome, step) + " and slope " + shortNumber(trajectory.gradient[step]) + "."
    + (gone ? " Steps outside the picture: " + gone + "." : "")
    + (rival ? " Beside it " + rivalWords(problem.rule.name, rival) + ": " + standingInWords(rival, shownStep(rival.trajectory, state)) + "." : "")
    + pointsInWords(outcome);
}
