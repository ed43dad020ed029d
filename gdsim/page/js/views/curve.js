// The loss over one weight, with the descent walking on it.
/** @import {Interval, Outcome, View} from "../types.js" */
/** @import {Frame} from "../draw/frame.js" */
import { frameOf, frameScene, sayInFrame, spotsAround } from "../draw/frame.js";
import { lineItem } from "../draw/items.js";
import { robustLimits, shortNumber } from "../draw/scale.js";
import {
  addCriticalPoints, addDepartures, addNow, addStart, addStepNumbers, addSteps, curveLines, departuresOf, functionsOf, isInside, pickStart,
  pointsInWords, rangeInWords, recordPixels, rivalStanding, runEntries, sampled, shownStep, standingInWords, stretchShown, wordsScene,
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
    box, flush: true, x: { low: ends[0], high: ends[1], name: "weight " + name }, y: { low: bottom, high: top, name: "loss" },
    legend: [...runEntries(outcome, rival), { text: "tangent", colour: "tangent" }],
  });
  const { loss } = functionsOf(outcome), step = shownStep(trajectory, state);
  const { points } = outcome.search, { inside } = frame;
  inside.push(...curveLines(frame, loss, sampled(frame, loss)).map((one) => lineItem(one, "loss", 2.5)));
  for (const { kind, interval, loss: height } of points) {
    if (kind !== "flat" || !interval.length) continue;
    const [from, to] = interval[0].map(frame.x), y = frame.y(height);
    inside.push(lineItem([from, y, to, y], "quiet", 7, { opacity: 0.5 }));
  }
  const [xs, ys] = recordPixels(frame, trajectory.weight, trajectory.loss, step);
  const tangent = tangentAt(frame, xs[step], ys[step], trajectory.gradient[step]);
  if (tangent.length) inside.push(lineItem(tangent, "tangent", 2.2));
  frame.room.shun(tangent);
  if (rival) {
    const { weight, loss: height } = rival.trajectory;
    addSteps(frame, ...recordPixels(frame, weight, height, shownStep(rival.trajectory, state)), true);
  }
  addSteps(frame, xs, ys, false);
  const gone = departuresOf(trajectory, step, ends);
  addDepartures(frame, gone, name);
  addNow(frame, xs[step], ys[step]);
  addStart(frame, xs[0], ys[0]);
  addCriticalPoints(frame, points, (one) => [frame.x(one.weight[0]), frame.y(one.loss)]);
  addSlopeWords(frame, tangent, xs[step], ys[step], trajectory.gradient[step]);
  addStepNumbers(frame, xs, ys);
  const outside = gone.reduce((sum, one) => sum + one.more + 1, 0);
  const label = "Loss over the weight " + name + rangeInWords(ends) + ". The descent starts at " + name + " = "
    + shortNumber(trajectory.weight[0]) + "; " + standingInWords(outcome, step) + " and slope "
    + shortNumber(trajectory.gradient[step]) + "." + (outside ? " Steps outside the picture: " + outside + "." : "")
    + rivalStanding(outcome, rival, state) + pointsInWords(outcome);
  return frameScene(box, frame, label, pickStart(frame));
}

/**
 * Returns the ends of a tangent in pixels, the higher end last; nothing where it is not to be seen.
 * @param {Frame} frame
 * @param {number} x
 * @param {number} y
 * @param {number} slope
 * @returns {number[]}
 */
function tangentAt(frame, x, y, slope) {
  const { xScale, yScale, width, height } = frame;
  const rise = slope * ((height / (yScale.high - yScale.low)) / (width / (xScale.high - xScale.low)));
  if (!isInside(frame, x, y) || !Number.isFinite(rise)) return [];
  const reach = ((rise < 0 ? -0.22 : 0.22) * Math.min(width, 1.6 * height)) / Math.hypot(1, rise);
  return [x - reach, y + reach * rise, x + reach, y - reach * rise];
}

/**
 * Says the slope at an end of the tangent, the higher first, or beside its middle.
 * @param {Frame} frame
 * @param {number[]} tangent
 * @param {number} x
 * @param {number} y
 * @param {number} slope
 */
function addSlopeWords(frame, tangent, x, y, slope) {
  if (!tangent.length) return;
  const [a, b, c, d] = tangent;
  const around = (/** @type {number} */ far) => [[c, d], [a, b]].flatMap(([u, v]) => (
    spotsAround(far).map((spot) => ({ ...spot, dx: spot.dx + u - x, dy: spot.dy + v - y }))
  ));
  sayInFrame(frame, x, y, "slope " + shortNumber(slope, 3), "tangent", [6, 2 * frame.size].flatMap(around).concat(spotsAround(1.4 * frame.size)));
}
