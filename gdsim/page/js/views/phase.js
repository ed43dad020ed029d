// Weights against the step: how a run comes to rest, swings or runs away.
/** @import {Axis, Entry} from "../draw/frame.js" */
/** @import {Box, Colour, Dash, Interval, Item, Outcome, Scene, State, Trajectory} from "../types.js" */
import { frameOf, insideFrame, piecesInside } from "../draw/frame.js";
import { lineItem, marksItem } from "../draw/items.js";
import { shortNumber } from "../draw/scale.js";
import { countSteps } from "../engine/words.js";
import { rivalWords, shownStep } from "./points.js";

const MOST_DRAWN = 800; // records that are drawn; of more, the least and the greatest of each stretch
const MARKED_RECORDS = 60;
/** @type {[Colour, Dash][]} */
const WEIGHT_LINES = [["path", ""], ["loss", "dashed"], ["minimum", "dotted"]];

/**
 * The first weights over all records.
 * @param {Trajectory} trajectory
 * @returns {Float64Array[]}
 */
function weightTracks({ weight, weights, steps }) {
  return WEIGHT_LINES.slice(0, weights).map((_, place) => {
    const track = new Float64Array(steps + 1);
    for (let k = 0; k <= steps; k++) track[k] = weight[k * weights + place];
    return track;
  });
}

/**
 * The records that are drawn: all of few; of many, where each stretch is least and greatest.
 * @param {Float64Array} track
 * @returns {number[]}
 */
export function drawnRecords(track) {
  const stretch = track.length <= MOST_DRAWN ? 1 : Math.ceil((2 * track.length) / MOST_DRAWN);
  /** @type {number[]} */
  const kept = [];
  for (let from = 0; from < track.length; from += stretch) {
    let least = from, most = from;
    for (let k = from; k < Math.min(from + stretch, track.length); k++) {
      if (track[k] < track[least]) least = k;
      if (track[k] > track[most]) most = k;
    }
    kept.push(Math.min(least, most));
    if (least !== most) kept.push(Math.max(least, most));
  }
  return kept;
}

/**
 * What runs saw of the domain, with some room; where one went far beyond, all of it by powers of ten.
 * @param {Float64Array[]} tracks
 * @param {Interval[]} domain
 * @returns {Omit<Axis, "name">}
 */
function visitedAxis(tracks, domain) {
  let low = Math.min(...domain.map((one) => one[0])), high = Math.max(...domain.map((one) => one[1]));
  let least = Infinity, most = -Infinity, farthest = 0;
  for (const track of tracks) {
    for (const value of track) {
      if (value >= low && value <= high) [least, most] = [Math.min(least, value), Math.max(most, value)];
      if (Math.abs(value) < Infinity) farthest = Math.max(farthest, Math.abs(value));
    }
  }
  const room = 0.12 * (most - least);
  if (room > 1e-10 * (high - low)) [low, high] = [least - room, most + room];
  const wide = Math.max(Math.abs(low), Math.abs(high));
  if (farthest <= 3 * wide) return { low, high };
  return { low: -3 * farthest, high: 3 * farthest, kind: "symlog", knee: 10 ** Math.floor(Math.log10(wide)) };
}

/**
 * The first three weights, those of a second run, and the point where the run settled.
 * @param {Outcome} outcome
 * @param {State} state
 * @param {Box} box
 * @param {Outcome | null} rival
 * @returns {Scene}
 */
export function phaseView(outcome, state, box, rival) {
  const { trajectory, problem, verdict } = outcome;
  const tracks = weightTracks(trajectory), others = rival ? weightTracks(rival.trajectory) : [], names = problem.loss.weights;
  const record = shownStep(trajectory, state), last = Math.max(1, ...[...tracks, ...others].map((one) => one.length - 1)), { point } = verdict;
  /** @type {Entry[]} */
  const legend = tracks.length === 1 ? [] : tracks.map((_, k) => ({ text: names[k], colour: WEIGHT_LINES[k][0], dash: WEIGHT_LINES[k][1] }));
  if (rival) legend.push({ text: rivalWords(outcome, rival), colour: "rival" });
  if (point) legend.push({ text: point.kind, colour: "quiet", dash: "dashed" });
  const frame = frameOf({
    box, legend, x: { low: -0.02 * last, high: 1.02 * last, name: "step", whole: true },
    y: { ...visitedAxis([...tracks, ...others], problem.domain), name: tracks.length === 1 ? "weight " + names[0] : "weights" },
  });
  const { left, right, width } = frame;
  /** @type {Item[]} */
  const items = tracks.flatMap((_, k) => (
    point ? [lineItem([left, frame.y(point.weight[k]), right, frame.y(point.weight[k])], "quiet", 1.2, { dash: "dashed" })] : []
  ));
  [...others, ...tracks].forEach((track, k) => {
    const [own, dash] = WEIGHT_LINES[k % tracks.length], colour = k < others.length ? "rival" : own;
    const records = drawnRecords(track), xs = records.map(frame.x), ys = records.map((one) => frame.y(track[one]));
    for (const points of piecesInside(frame, xs, ys)) items.push(lineItem(points, colour, records.length < width / 3 ? 1.8 : 1, { dash }));
    const dots = xs.flatMap((x, j) => (Number.isFinite(ys[j]) ? [x, ys[j]] : []));
    if (records.length <= MARKED_RECORDS) items.push(marksItem(dots, colour, 3, "disc"));
  });
  for (const track of tracks) {
    if (Number.isFinite(track[record])) items.push(marksItem([frame.x(record), frame.y(track[record])], "accent", 6, "ring"));
  }
  const said = (/** @type {number} */ k) => tracks.map((track, place) => `${names[place]} = ${shortNumber(track[k])}`).join(", ");
  return {
    ...box, items: [...frame.items, insideFrame(frame, items)],
    label: `Weight against step over ${countSteps(trajectory.steps)}: ${said(record)} at step ${record}, ${said(trajectory.steps)} at the end.`,
    pick: (x) => ({ step: Math.max(0, Math.min(trajectory.steps, Math.round(frame.backX(x)))) }),
  };
}
