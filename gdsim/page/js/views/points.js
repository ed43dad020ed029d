// What the views share: critical points and steps as marks and words, sampled curves, places that are picked.
/** @import {Box, Colour, CriticalPoint, Interval, Item, Numbers, Outcome, PointKind, Scene, Shape, State, Trajectory} from "../types.js" */
/** @import {Frame} from "../draw/frame.js" */
import { foldedText, makeRoom, piecesInside, spotsAround, textSizeFor } from "../draw/frame.js";
import { shortNumber } from "../draw/scale.js";
import { textWidth } from "../draw/shapes.js";

/** Mark, colour and word of each kind of critical point.
 * @type {Record<PointKind, {shape: Shape, colour: Colour, word: string}>}
 */
export const POINT_LOOKS = {
  minimum: { shape: "diamond", colour: "minimum", word: "minimum" },
  maximum: { shape: "triangle", colour: "maximum", word: "maximum" },
  saddle: { shape: "square", colour: "saddle", word: "saddle" },
  inflection: { shape: "square", colour: "saddle", word: "inflection (saddle)" },
  flat: { shape: "ring", colour: "quiet", word: "flat" },
  kink: { shape: "square", colour: "minimum", word: "kink" },
  undecided: { shape: "ring", colour: "quiet", word: "undecided" },
};

/**
 * Marks critical points, filled where certified, and says their kind where there is room.
 * @param {Frame} frame
 * @param {Item[]} marks to which marks are added
 * @param {Item[]} words to which words are added
 * @param {CriticalPoint[]} points
 * @param {(point: CriticalPoint) => [number, number]} place in pixels
 */
export function addCriticalPoints(frame, marks, words, points, place) {
  const { size, room } = frame, radius = 0.42 * size;
  const seen = points.filter((one) => isInside(frame, ...place(one)));
  for (const one of seen) {
    const [x, y] = place(one), { shape, colour } = POINT_LOOKS[one.kind];
    marks.push({ kind: "marks", points: [x, y], colour, radius, shape, filled: one.proof === "certified" });
    room.block(x - radius, y - radius, x + radius, y + radius);
  }
  const below = [5, 6, 7, 3, 4, 0, 1, 2].map((k) => spotsAround(radius + 3)[k]);
  const said = new Set();
  for (const one of seen) {
    const [x, y] = place(one), { colour, word } = POINT_LOOKS[one.kind];
    if (seen.length > 6 && said.has(word)) continue;
    said.add(word);
    room.put(words, { kind: "text", x, y, text: word, colour, size, halo: true }, one.kind === "maximum" ? spotsAround(radius + 3) : below);
  }
}

/**
 * @param {Frame} frame
 * @param {number} x
 * @param {number} y
 * @returns {boolean}
 */
export function isInside(frame, x, y) {
  return x >= frame.left - 0.5 && x <= frame.right + 0.5 && y >= frame.top - 0.5 && y <= frame.bottom + 0.5;
}

/**
 * Draws steps as discs, one for a pixel, and arrows between those that are apart, the last ones strongest.
 * @param {Frame} frame
 * @param {Item[]} items
 * @param {Numbers} xs pixels of records 0 … last
 * @param {Numbers} ys
 * @param {{colour: Colour, last: number, radius: number, dashed: boolean}} look
 */
export function addSteps(frame, items, xs, ys, { colour, last, radius, dashed }) {
  /** @type {number[]} */
  const discs = [];
  const seen = new Set();
  for (let k = 0; k <= last; k++) {
    if (!isInside(frame, xs[k], ys[k])) continue;
    const key = Math.round(xs[k]) * 8192 + Math.round(ys[k]);
    if (!seen.has(key)) discs.push(xs[k], ys[k]);
    seen.add(key);
  }
  let left = 40;
  /** @type {Item[]} */
  const arrows = [];
  for (let k = last; k > 0 && left > 0 && last - k < 400; k--) {
    const [piece] = piecesInside(frame, [xs[k - 1], xs[k]], [ys[k - 1], ys[k]], 0);
    if (!piece || Math.hypot(piece[2] - piece[0], piece[3] - piece[1]) < 3.2 * radius) continue;
    const opacity = last <= 25 || left > 37 ? 0.9 : 0.25 + 0.012 * left;
    arrows.push({ kind: "line", points: piece, colour, width: dashed ? 1.2 : 1.5, arrow: true, opacity, dash: dashed ? "dashed" : "" });
    if (left-- > 28) frame.room.shun(piece);
  }
  items.push(...arrows.reverse());
  if (discs.length) items.push({ kind: "marks", points: discs, colour, radius, shape: dashed ? "ring" : "disc", filled: !dashed });
}

/**
 * Marks the start by a ring with a word, and the step that is shown by a larger disc.
 * @param {Frame} frame
 * @param {Item[]} marks
 * @param {Item[]} words
 * @param {[number, number]} start pixels
 * @param {[number, number]} now pixels
 */
export function addStartAndNow(frame, marks, words, start, now) {
  const { size, room } = frame, radius = 0.5 * size;
  if (isInside(frame, ...now)) {
    marks.push({ kind: "marks", points: now, colour: "ink", radius: 0.42 * size, shape: "disc" },
      { kind: "marks", points: now, colour: "path", radius: 0.28 * size, shape: "disc" });
    room.block(now[0] - 0.4 * size, now[1] - 0.4 * size, now[0] + 0.4 * size, now[1] + 0.4 * size);
  }
  if (!start.every(Number.isFinite)) return;
  const x = Math.max(frame.left, Math.min(frame.right, start[0])), y = Math.max(frame.top, Math.min(frame.bottom, start[1]));
  marks.push({ kind: "marks", points: [x, y], colour: "ink", radius, shape: "ring" },
    { kind: "marks", points: [x, y], colour: "path", radius: 0.24 * size, shape: "disc" });
  room.block(x - radius, y - radius, x + radius, y + radius);
  room.put(words, { kind: "text", x, y, text: "start", colour: "ink", size, bold: true, halo: true }, spotsAround(radius + 3));
}

/**
 * Numbers the steps, the latest first, as far as there is room.
 * @param {Frame} frame
 * @param {Item[]} words
 * @param {Numbers} xs pixels
 * @param {Numbers} ys
 * @param {number} last
 */
export function addStepNumbers(frame, words, xs, ys, last) {
  const size = Math.max(11, frame.size - 1), spots = spotsAround(0.55 * size);
  const order = [last];
  for (let k = 1; k < last && last <= 200; k++) order.push(k);
  let left = 40;
  for (const k of order) {
    if (k < 1 || !isInside(frame, xs[k], ys[k])) continue;
    if (frame.room.put(words, { kind: "text", x: xs[k], y: ys[k], text: String(k), colour: "path", size, halo: true }, spots.slice(0, 3))) left--;
    if (left === 0) return;
  }
}

/** A step that left the frame to a side, with how many more there are.
 * @typedef {{side: "left" | "right", step: number, more: number, value: number}} Departure
 */

/**
 * Returns the first step that lies beyond each side, among records 0 … last of the first weight.
 * @param {Trajectory} trajectory
 * @param {number} last
 * @param {Interval} ends
 * @returns {Departure[]}
 */
export function departuresOf(trajectory, last, [low, high]) {
  /** @type {Departure[]} */
  const found = [];
  for (let k = 0; k <= last; k++) {
    const value = trajectory.weight[k * trajectory.weights];
    const side = value < low ? "left" : value > high ? "right" : null;
    if (side === null) continue;
    const known = found.find((one) => one.side === side);
    if (known) known.more++;
    else found.push({ side, step: k, more: 0, value });
  }
  return found;
}

/**
 * Draws an arrow at the edge for the first step that left on each side, with its number and weight.
 * @param {Frame} frame
 * @param {Item[]} items
 * @param {Departure[]} departures
 * @param {string} name of the weight
 */
export function addDepartures(frame, items, departures, name) {
  const { size, room } = frame;
  for (const { side, step, more, value } of departures) {
    const sign = side === "left" ? -1 : 1, edge = side === "left" ? frame.left : frame.right;
    const where = "step " + step + " at " + name + " = " + shortNumber(value);
    const forms = [more ? where + ", " + more + " more outside" : "", where, "step " + step];
    const spots = forms.filter(Boolean).flatMap((text) => {
      const width = textWidth(text, size) + 2.2 * size, places = [];
      for (let y = frame.top + 0.9 * size; y < frame.bottom - size; y += 0.5 * size) places.push({ text, y, edges: ordered(edge, edge - sign * width, y) });
      return places;
    });
    const found = spots.find((one) => room.isFree(...one.edges, true)) ?? spots.find((one) => room.isFree(...one.edges));
    if (!found) continue;
    const { text, y, edges } = found;
    room.block(...edges);
    items.push({ kind: "line", points: [edge - 1.6 * size * sign, y, edge - sign, y], colour: "path", width: 2.2, arrow: true },
      { kind: "text", x: edge - 2 * size * sign, y, text, colour: "path", size, anchor: side === "left" ? "start" : "end", baseline: "middle", halo: true });
  }
  /** @type {(edge: number, other: number, y: number) => [number, number, number, number]} */
  function ordered(edge, other, y) {
    return [Math.min(edge, other), y - 0.65 * size, Math.max(edge, other), y + 0.65 * size];
  }
}

/**
 * Returns pixels of a function over the frame: closer together where it jumps or ends, nan where it has a gap.
 * @param {Frame} frame
 * @param {(weight: number) => number} f
 * @returns {{weights: number[], values: number[]}}
 */
export function sampled(frame, f) {
  const { low, high } = frame.xScale, count = Math.max(64, Math.min(700, Math.round(0.75 * frame.width)));
  const weights = [], values = [];
  for (let k = 0; k <= count; k++) {
    const weight = k === count ? high : low + ((high - low) * k) / count;
    weights.push(weight);
    values.push(f(weight));
  }
  return { weights, values };
}

/**
 * Returns the lines of a sampled function in pixels: up to the end where it stops being a number, and with a gap
 * where it jumps.
 * @param {Frame} frame
 * @param {(weight: number) => number} f
 * @param {{weights: number[], values: number[]}} samples
 * @returns {number[][]}
 */
export function curveLines(frame, f, { weights, values }) {
  const xs = [frame.x(weights[0])], ys = [frame.y(values[0])];
  const add = (/** @type {number} */ weight, /** @type {number} */ value) => {
    xs.push(frame.x(weight));
    ys.push(Number.isFinite(value) ? frame.y(value) : NaN);
  };
  if (!Number.isFinite(values[0])) ys[0] = NaN;
  for (let k = 1; k < weights.length; k++) {
    const before = Number.isFinite(values[k - 1]), after = Number.isFinite(values[k]);
    const high = Math.abs(frame.y(values[k]) - frame.y(values[k - 1])) > 0.15 * frame.height;
    if (before !== after || (before && high)) {
      const [a, b] = narrowed(f, weights[k - 1], weights[k], before !== after);
      const [fa, fb] = [f(a), f(b)];
      if (before !== after || Math.abs(fb - fa) > 0.4 * Math.abs(values[k] - values[k - 1])) {
        if (before) add(a, fa);
        add(0.5 * (a + b), NaN);
        if (after) add(b, fb);
      }
    }
    add(weights[k], values[k]);
  }
  const pieces = piecesInside(frame, xs, ys);
  for (const piece of pieces) frame.room.shun(piece);
  return pieces;
}

/**
 * Halves an interval around a jump, or around the end of where a function is a number.
 * @param {(weight: number) => number} f
 * @param {number} a
 * @param {number} b
 * @param {boolean} ends whether the function is a number at one end alone
 * @returns {Interval}
 */
function narrowed(f, a, b, ends) {
  let [fa, fb] = [f(a), f(b)];
  for (let k = 0; k < 40; k++) {
    const middle = 0.5 * (a + b), value = f(middle);
    const toLeft = ends ? Number.isFinite(value) === Number.isFinite(fa) : Math.abs(value - fa) < Math.abs(value - fb);
    if (toLeft) [a, fa] = [middle, value];
    else [b, fb] = [middle, value];
  }
  return [a, b];
}

/**
 * Returns the loss and its slope as functions of one weight, the others as they are at the start.
 * @param {Outcome} outcome
 * @returns {{loss: (weight: number) => number, slope: (weight: number) => number}}
 */
export function functionsOf({ problem }) {
  const { loss, parameters, data } = problem, w = [...problem.start], out = w.map(() => 0);
  return {
    loss: (weight) => {
      w[0] = weight;
      return loss.value(w, parameters, data);
    },
    slope: (weight) => {
      w[0] = weight;
      loss.gradient(w, parameters, data, out);
      return out[0];
    },
  };
}

/**
 * Returns the stretch of a weight that is shown: its domain, and the start where that lies beyond.
 * @param {Outcome} outcome
 * @param {number} [index] of the weight
 * @returns {Interval}
 */
export function stretchShown({ problem }, index = 0) {
  const [low, high] = problem.domain[index], start = problem.start[index];
  if (!Number.isFinite(start) || (start >= low && start <= high)) return [low, high];
  const room = 0.05 * (high - low);
  return [Math.min(low, start - room), Math.max(high, start + room)];
}

/**
 * Returns a picked number without digits that the pixels cannot tell apart.
 * @param {number} value
 * @param {Frame["xScale"]} scale
 * @returns {number}
 */
export function pickedNumber(value, scale) {
  const grain = Math.abs((scale.high - scale.low) / (scale.to - scale.from));
  const decimals = Math.ceil(-Math.log10(grain));
  const inside = Math.max(scale.low, Math.min(scale.high, value));
  return decimals > 0 && decimals < 100 ? Number(inside.toFixed(decimals)) + 0 : decimals > -300 ? Number(inside.toPrecision(4)) : inside;
}

/**
 * @param {string} name of a rule, as in files
 * @returns {string}
 */
export function ruleWords(name) {
  return name.replaceAll("_", " ");
}

/**
 * Returns the record that is shown, whatever the state says.
 * @param {Trajectory} trajectory
 * @param {State} state
 * @returns {number}
 */
export function shownStep(trajectory, state) {
  return Math.max(0, Math.min(trajectory.steps, Math.round(state.step) || 0));
}

/**
 * Says which critical points there are, for those who do not see the picture.
 * @param {Outcome} outcome
 * @returns {string}
 */
export function pointsInWords({ search, problem }) {
  const said = search.points.slice(0, 6).map((one) => POINT_LOOKS[one.kind].word + " at "
    + one.weight.map((value, k) => problem.loss.weights[k] + " = " + shortNumber(value)).join(", "));
  const more = search.points.length - said.length;
  return said.length ? " Critical points: " + said.join("; ") + (more ? "; and " + more + " more" : "") + "." : " No critical point was found.";
}

/**
 * Says where a run stands.
 * @param {Outcome} outcome
 * @param {number} step
 * @returns {string}
 */
export function standingInWords({ problem, trajectory }, step) {
  const { weights } = problem.loss, from = step * trajectory.weights;
  const at = weights.map((name, k) => name + " = " + shortNumber(trajectory.weight[from + k])).join(", ");
  return "step " + step + " of " + trajectory.steps + " stands at " + at + " with loss " + shortNumber(trajectory.loss[step]);
}

/**
 * A picture with nothing but words in its middle.
 * @param {Box} box
 * @param {string} text
 * @returns {Scene}
 */
export function wordsScene(box, text) {
  const size = textSizeFor(box), lines = foldedText(text, box.width - 2 * size, size);
  /** @type {Item[]} */
  const items = [];
  const room = makeRoom(0, 0, box.width, box.height);
  lines.forEach((line, k) => {
    const y = 0.5 * box.height + (k - 0.5 * (lines.length - 1)) * 1.3 * size;
    room.put(items, { kind: "text", x: 0.5 * box.width, y, text: line, colour: "quiet", size, anchor: "middle", baseline: "middle" });
  });
  return { width: box.width, height: box.height, items, label: text };
}
