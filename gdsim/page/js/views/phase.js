// Weights against the step, and beside them the step that a weight takes against the weight.

import { frameOf, insideFrame, piecesInside } from "../draw/frame.js";
import { shortNumber } from "../draw/scale.js";
import { countSteps } from "../engine/words.js";
import { presentRecord } from "./secants.js";

/** @import {Axis, Entry, Frame} from "../draw/frame.js" */
/** @import {Box, Colour, Dash, Interval, Item, Outcome, Scene, State, Trajectory} from "../types.js" */

const PHASE_BESIDE = 620; // pixels of width from which both stand beside each other
const PHASE_BELOW = 420; // pixels of height from which they stand below each other
const MOST_DRAWN = 800; // records that are drawn; of more, the least and the greatest of each stretch
const MARKED_RECORDS = 60;
/** @type {[Colour, Dash][]} */
const WEIGHT_LINES = [["path", ""], ["loss", "dashed"], ["minimum", "dotted"]];

/**
 * One weight over all records.
 * @param {Trajectory} trajectory
 * @param {number} place
 * @returns {Float64Array}
 */
export function weightTrack({ weight, weights, steps }, place) {
  const track = new Float64Array(steps + 1);
  for (let k = 0; k <= steps; k++) track[k] = weight[k * weights + place];
  return track;
}

/**
 * The records that are drawn: all of few; of many, where each stretch is least and greatest.
 * @param {Float64Array} track
 * @returns {number[]}
 */
export function drawnRecords(track) {
  if (track.length <= MOST_DRAWN) return Array.from(track, (_, k) => k);
  const stretch = Math.ceil((2 * track.length) / MOST_DRAWN);
  /** @type {number[]} */
  const kept = [];
  for (let from = 0; from < track.length; from += stretch) {
    let least = from, most = from;
    for (let k = from; k < Math.min(from + stretch, track.length); k++) {
      if (track[k] < track[least]) least = k;
      if (track[k] > track[most]) most = k;
    }
    kept.push(...(least < most ? [least, most] : least > most ? [most, least] : [least]));
  }
  return kept;
}

/**
 * What runs saw of the domain, with some room, and the farthest that they went.
 * @param {Float64Array[]} tracks
 * @param {Interval[]} domain
 * @returns {{ends: Interval, farthest: number}}
 */
function visitedEnds(tracks, domain) {
  const low = Math.min(...domain.map((one) => one[0])), high = Math.max(...domain.map((one) => one[1]));
  let least = Infinity, most = -Infinity, farthest = 0;
  for (const track of tracks) {
    for (const value of track) {
      if (value >= low && value <= high) [least, most] = [Math.min(least, value), Math.max(most, value)];
      if (Math.abs(value) < Infinity) farthest = Math.max(farthest, Math.abs(value));
    }
  }
  if (!(most - least > 1e-9 * (high - low))) return { ends: [low, high], farthest };
  return { ends: [least - 0.12 * (most - least), most + 0.12 * (most - least)], farthest };
}

/**
 * @param {Outcome} outcome
 * @param {State} state
 * @param {Box} box
 * @param {Outcome | null} rival
 * @returns {Scene}
 */
export function phaseView(outcome, state, box, rival) {
  const { trajectory, problem } = outcome, names = problem.loss.weights.slice(0, WEIGHT_LINES.length);
  const tracks = names.map((_, place) => weightTrack(trajectory, place));
  const others = rival ? names.map((_, place) => weightTrack(rival.trajectory, place)) : [];
  const beside = box.width >= PHASE_BESIDE, below = !beside && box.height >= PHASE_BELOW;
  const width = beside ? Math.round(box.width / 2) : box.width, height = below ? Math.round(box.height / 2) : box.height;
  const { ends, farthest } = visitedEnds([...tracks, ...others], problem.domain);
  const record = presentRecord(outcome, state);
  const items = drawTracks(outcome, { width, height }, trackAxis(ends, farthest), tracks, others, record);
  if (beside || below) {
    items.push(...drawMoves(names, { width: beside ? box.width - width : width, height: below ? box.height - height : height },
      beside ? width : 0, below ? height : 0, ends, tracks, record));
  }
  const now = names.map((name, place) => `${name} = ${shortNumber(tracks[place][record])}`).join(", ");
  const last = names.map((name, place) => `${name} = ${shortNumber(tracks[place][trajectory.steps])}`).join(", ");
  return {
    ...box, items,
    label: `Weight against step over ${countSteps(trajectory.steps)}: ${now} at step ${record}, ${last} at the end.`
      + (beside || below ? " Beside it the next step against the weight; on the level line at 0 the run rests." : ""),
  };
}

/**
 * @param {Outcome} outcome
 * @param {Box} box
 * @param {Omit<Axis, "name">} axis
 * @param {Float64Array[]} tracks
 * @param {Float64Array[]} others
 * @param {number} record
 * @returns {Item[]}
 */
function drawTracks(outcome, box, axis, tracks, others, record) {
  const names = outcome.problem.loss.weights, { point } = outcome.verdict;
  const last = Math.max(1, outcome.trajectory.steps, ...others.map((one) => one.length - 1));
  const frame = frameOf({
    box, legend: [
      ...trackEntries(names, tracks), ...(others.length ? [{ text: "second rule", colour: /** @type {const} */ ("rival") }] : []),
      ...(point ? [{ text: point.kind, colour: /** @type {const} */ ("quiet"), dash: /** @type {const} */ ("dashed") }] : []),
    ],
    x: { low: -0.02 * last, high: 1.02 * last, name: "step", whole: true },
    y: { ...axis, name: tracks.length === 1 ? `weight ${names[0]}` : "weights" },
  });
  /** @type {Item[]} */
  const items = [];
  if (point) {
    for (const value of point.weight.slice(0, tracks.length)) {
      const y = frame.y(value);
      items.push({ kind: "line", points: [frame.left, y, frame.right, y], colour: "quiet", width: 1.2, dash: "dashed" });
    }
  }
  others.forEach((track, place) => items.push(...drawTrack(frame, track, "rival", WEIGHT_LINES[place][1])));
  tracks.forEach((track, place) => items.push(...drawTrack(frame, track, ...WEIGHT_LINES[place])));
  tracks.forEach((track) => items.push(...drawNow(frame, record, track[record])));
  return [...frame.items, insideFrame(frame, items)];
}

/**
 * What was visited of the domain; where a run went far beyond, all of it by powers of ten.
 * @param {Interval} ends
 * @param {number} farthest
 * @returns {Omit<Axis, "name">}
 */
function trackAxis([low, high], farthest) {
  const wide = Math.max(Math.abs(low), Math.abs(high));
  if (farthest <= 3 * wide) return { low, high };
  return { low: -3 * farthest, high: 3 * farthest, kind: "symlog", knee: 10 ** Math.floor(Math.log10(wide)) };
}

/**
 * @param {string[]} names
 * @param {Float64Array[]} tracks
 * @returns {Entry[]}
 */
function trackEntries(names, tracks) {
  return tracks.length === 1 ? [] : tracks.map((_, place) => ({ text: names[place], colour: WEIGHT_LINES[place][0], dash: WEIGHT_LINES[place][1] }));
}

/**
 * @param {Frame} frame
 * @param {Float64Array} track
 * @param {Colour} colour
 * @param {Dash} dash
 * @returns {Item[]}
 */
function drawTrack(frame, track, colour, dash) {
  const records = drawnRecords(track);
  const xs = records.map(frame.x), ys = records.map((k) => frame.y(track[k]));
  const width = records.length < frame.width / 3 ? 1.8 : 1;
  /** @type {Item[]} */
  const items = piecesInside(frame, xs, ys).map((points) => ({ kind: "line", points, colour, width, dash }));
  if (records.length <= MARKED_RECORDS) items.push(...dotsAt(xs, ys, colour));
  return items;
}

/**
 * Dots where both numbers are finite.
 * @param {number[]} xs
 * @param {number[]} ys
 * @param {Colour} colour
 * @returns {Item[]}
 */
function dotsAt(xs, ys, colour) {
  const points = xs.flatMap((x, k) => (Number.isFinite(x + ys[k]) ? [x, ys[k]] : []));
  return [{ kind: "marks", points, colour, radius: 3, shape: "disc" }];
}

/**
 * @param {Frame} frame
 * @param {number} x
 * @param {number} y
 * @returns {Item[]}
 */
function drawNow(frame, x, y) {
  return Number.isFinite(x + y) ? [{ kind: "marks", points: [frame.x(x), frame.y(y)], colour: "accent", radius: 6, shape: "ring" }] : [];
}

/**
 * The next step against the weight, joined in order.
 * @param {string[]} names
 * @param {Box} box
 * @param {number} left
 * @param {number} top
 * @param {Interval} ends
 * @param {Float64Array[]} tracks
 * @param {number} record
 * @returns {Item[]}
 */
function drawMoves(names, box, left, top, ends, tracks, record) {
  // Of many steps those are drawn that draw the line of the weight, each with its own next step.
  const drawn = tracks.map((track) => drawnRecords(track).filter((k) => track[k] >= ends[0] && track[k] <= ends[1]));
  const moves = tracks.map((track, place) => drawn[place].map((k) => track[k + 1] - track[k]));
  const widest = 3 * (ends[1] - ends[0]);
  const seen = moves.flat().filter((move) => Math.abs(move) <= widest);
  const least = Math.min(0, ...seen), most = Math.max(0, ...seen);
  const room = 0.1 * (most - least || 1), whose = names.length === 1 ? ` ${names[0]}` : "";
  const frame = frameOf({
    box, left, top, x: { low: ends[0], high: ends[1], name: `weight${whose}` },
    y: { low: least - room, high: most + room, name: `next step of${whose || " each weight"}` },
  });
  const zero = frame.y(0);
  /** @type {Item[]} */
  const items = [{ kind: "line", points: [frame.left, zero, frame.right, zero], colour: "ink", width: 1.2 }];
  moves.forEach((move, place) => {
    const [colour, dash] = WEIGHT_LINES[place], track = tracks[place];
    const xs = drawn[place].map((k) => frame.x(track[k])), ys = move.map(frame.y);
    for (const points of piecesInside(frame, xs, ys)) items.push({ kind: "line", points, colour, width: 1.2, dash, opacity: 0.6 });
    items.push(...dotsAt(xs, ys, colour), ...drawNow(frame, track[record], track[record + 1] - track[record]));
  });
  return [...frame.items, insideFrame(frame, items)];
}
