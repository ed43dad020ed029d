// What the views share: critical points and steps as marks and words, sampled curves, places that are picked.
/** @import {Box, Colour, CriticalPoint, Interval, Item, Numbers, Outcome, PointKind, Scene, Shape, State, Trajectory} from "../types.js" */
/** @import {Entry, Frame} from "../draw/frame.js" */
import { foldedText, makeRoom, piecesInside, sayInFrame, spotsAround, textSizeFor } from "../draw/frame.js";
import { lineItem, marksItem, textItem } from "../draw/items.js";
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
 * @param {CriticalPoint[]} points
 * @param {(point: CriticalPoint) => [number, number]} place in pixels
 */
export function addCriticalPoints(frame, points, place) {
  const radius = 0.42 * frame.size, around = spotsAround(radius + 3), said = new Set();
  const seen = points.map((one) => ({ ...one, at: place(one) })).filter((one) => isInside(frame, ...one.at));
  for (const { at, kind, proof } of seen) {
    const { shape, colour } = POINT_LOOKS[kind];
    frame.above.push(marksItem(at, colour, radius, shape, proof === "certified"));
    blockAround(frame, ...at, radius);
  }
  for (const { at, kind } of seen) {
    const { colour, word } = POINT_LOOKS[kind];
    if (seen.length > 6 && said.has(word)) continue;
    said.add(word);
    sayInFrame(frame, ...at, word, colour, kind === "maximum" ? around : [5, 6, 7, 3, 4, 0, 1, 2].map((k) => around[k]));
  }
}

/**
 * @param {Frame} frame
 * @param {number} x
 * @param {number} y
 * @param {number} radius
 */
function blockAround(frame, x, y, radius) {
  frame.room.block(x - radius, y - radius, x + radius, y + radius);
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
 * @param {Numbers} xs pixels of records 0 … last
 * @param {Numbers} ys
 * @param {boolean} second whether it is the second run
 */
export function addSteps(frame, xs, ys, second) {
  const last = xs.length - 1, colour = second ? "rival" : "path";
  let left = 40;
  /** @type {Item[]} */
  const arrows = [];
  for (let k = last; k > 0 && left > 0 && last - k < 400; k--) {
    const [piece] = piecesInside(frame, [xs[k - 1], xs[k]], [ys[k - 1], ys[k]], 0);
    if (!piece || Math.hypot(piece[2] - piece[0], piece[3] - piece[1]) < 12) continue;
    const opacity = last <= 25 || left > 37 ? 0.9 : 0.25 + 0.012 * left;
    arrows.push(lineItem(piece, colour, second ? 1.2 : 1.5, { arrow: true, opacity, dash: second ? "dashed" : "" }));
    if (left-- > 28) frame.room.shun(piece);
  }
  frame.inside.push(...arrows.reverse());
  addDiscs(frame, xs, ys, second);
}

/**
 * Draws discs, or rings for a second run, one for a pixel.
 * @param {Frame} frame
 * @param {Numbers} xs
 * @param {Numbers} ys
 * @param {boolean} second
 */
export function addDiscs(frame, xs, ys, second) {
  const discs = [], seen = new Set();
  for (let k = 0; k < xs.length; k++) {
    const key = Math.round(xs[k]) * 8192 + Math.round(ys[k]);
    if (seen.has(key) || !isInside(frame, xs[k], ys[k])) continue;
    discs.push(xs[k], ys[k]);
    if (seen.size < 60) frame.room.shun([xs[k] - 3, ys[k], xs[k] + 3, ys[k]]);
    seen.add(key);
  }
  const radius = xs.length > 200 ? 2.5 : 3.5;
  if (discs.length) frame.inside.push(marksItem(discs, second ? "rival" : "path", radius, second ? "ring" : "disc"));
}

/**
 * Marks the step that is shown by a disc in a ring.
 * @param {Frame} frame
 * @param {number} x
 * @param {number} y
 */
export function addNow(frame, x, y) {
  if (!isInside(frame, x, y)) return;
  const radius = 0.42 * frame.size;
  frame.above.push(marksItem([x, y], "ink", radius, "disc"), marksItem([x, y], "path", 0.67 * radius, "disc"));
  blockAround(frame, x, y, radius);
}

/**
 * Marks the start, at the edge where it lies beyond, by a ring with a word.
 * @param {Frame} frame
 * @param {number} x
 * @param {number} y
 */
export function addStart(frame, x, y) {
  if (!Number.isFinite(x + y)) return;
  const radius = 0.5 * frame.size, u = Math.max(frame.left, Math.min(frame.right, x)), v = Math.max(frame.top, Math.min(frame.bottom, y));
  frame.above.push(marksItem([u, v], "ink", radius, "ring"), marksItem([u, v], "path", 0.5 * radius, "disc"));
  blockAround(frame, u, v, radius);
  sayInFrame(frame, u, v, "start", "ink", spotsAround(radius + 3), { bold: true });
}

/**
 * Numbers the steps as far as there is room, the latest first; of a long run that one alone.
 * @param {Frame} frame
 * @param {Numbers} xs pixels
 * @param {Numbers} ys
 */
export function addStepNumbers(frame, xs, ys) {
  const size = Math.max(11, frame.size - 1), spots = spotsAround(0.55 * size).slice(0, 3), last = xs.length - 1;
  let left = 40;
  for (let j = 0; j < last && left > 0 && (j === 0 || last <= 200); j++) {
    const k = j || last;
    if (isInside(frame, xs[k], ys[k]) && sayInFrame(frame, xs[k], ys[k], String(k), "path", spots, { size })) left--;
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
 * @param {Departure[]} departures
 * @param {string} name of the weight
 */
export function addDepartures(frame, departures, name) {
  const { size, room } = frame;
  for (const { side, step, more, value } of departures) {
    const sign = side === "left" ? -1 : 1, edge = side === "left" ? frame.left : frame.right;
    const where = "step " + step + " at " + name + " = " + shortNumber(value);
    const forms = [more ? where + ", " + more + " more outside" : "", where, "step " + step];
    const spots = forms.filter(Boolean).flatMap((text) => {
      const width = textWidth(text, size) + 2.2 * size, places = [];
      for (let y = frame.top + 0.9 * size; y < frame.bottom - size; y += 0.5 * size) {
        places.push({ text, y, edges: ordered(edge, edge - sign * width, y) });
      }
      return places;
    });
    const found = spots.find((one) => room.isFree(...one.edges, true)) ?? spots.find((one) => room.isFree(...one.edges));
    if (!found) continue;
    const { text, y, edges } = found;
    room.block(...edges);
    frame.above.push(lineItem([edge - 1.6 * size * sign, y, edge - sign, y], "path", 2.2, { arrow: true }),
      textItem(edge - 2 * size * sign, y, text, "path", size, { anchor: sign < 0 ? "start" : "end", halo: true }));
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
 * Returns the pixels of records 0 … last.
 * @param {Frame} frame
 * @param {Numbers} across by record
 * @param {Numbers} up
 * @param {number} last
 * @param {number} [count] numbers of a record
 * @returns {[number[], number[]]}
 */
export function recordPixels(frame, across, up, last, count = 1) {
  const xs = [], ys = [];
  for (let k = 0; k <= last; k++) {
    xs.push(frame.x(across[k * count]));
    ys.push(frame.y(up[k * count]));
  }
  return [xs, ys];
}

/**
 * Says what the second run is beside the first: its rule, or where that is the same its learning rate.
 * @param {Outcome} outcome
 * @param {Outcome} rival
 * @returns {string}
 */
export function rivalWords(outcome, rival) {
  const { rule, rate } = rival.problem;
  return rule.name === outcome.problem.rule.name ? "with η = " + shortNumber(rate.initial) : ruleWords(rule.name);
}

/**
 * Returns the legend of a run and its rival.
 * @param {Outcome} outcome
 * @param {Outcome | null} rival
 * @returns {Entry[]}
 */
export function runEntries(outcome, rival) {
  /** @type {Entry[]} */
  const entries = [{ text: ruleWords(outcome.problem.rule.name), colour: "path", shape: "disc", line: true }];
  if (rival) entries.push({ text: rivalWords(outcome, rival), colour: "rival", shape: "ring", dash: "dashed", line: true });
  return entries;
}

/**
 * Returns what a click at a place sets where the horizontal axis is the weight.
 * @param {Frame} frame
 * @returns {(x: number) => Partial<State>}
 */
export function pickStart(frame) {
  return (x) => ({ start: [pickedNumber(frame.backX(x), frame.xScale)] });
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
  if (!said.length) return " No critical point was found.";
  return " Critical points: " + said.join("; ") + (more ? "; and " + more + " more" : "") + ".";
}

/**
 * Says where a second run stands; nothing without one.
 * @param {Outcome} outcome
 * @param {Outcome | null} rival
 * @param {State} state
 * @returns {string}
 */
export function rivalStanding(outcome, rival, state) {
  return rival ? " Beside it " + rivalWords(outcome, rival) + ": " + standingInWords(rival, shownStep(rival.trajectory, state)) + "." : "";
}

/**
 * @param {Interval} ends
 * @returns {string}
 */
export function rangeInWords([low, high]) {
  return " from " + shortNumber(low) + " to " + shortNumber(high);
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
    room.put(items, textItem(0.5 * box.width, y, line, "quiet", size, { anchor: "middle" }));
  });
  return { width: box.width, height: box.height, items, label: text };
}
