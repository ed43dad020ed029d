// Error against h: how good a difference quotient can be, and where it is best.

import { frameOf, insideFrame, piecesInside } from "../draw/frame.js";
import { shortNumber } from "../draw/scale.js";
import { DOUBLE_EPSILON, DRAWN_SCHEMES, QUOTIENT_STEPS, quotientErrors, sliceAt, stepOf } from "./secants.js";
import { messageScene } from "./words_scene.js";

/** @import {Entry, Frame} from "../draw/frame.js" */
/** @import {Box, Colour, Dash, Item, Outcome, Scene, Scheme, Shape, State} from "../types.js" */
/** @import {Slice} from "./secants.js" */

/** @type {Record<string, {text: string, colour: Colour, dash: Dash, shape: Shape}>} */
const SCHEME_LINES = {
  forward: { text: "forward", colour: "path", dash: "", shape: "disc" },
  backward: { text: "backward", colour: "rival", dash: "dashed", shape: "square" },
  central: { text: "central", colour: "loss", dash: "", shape: "triangle" },
  five_point: { text: "five-point", colour: "minimum", dash: "dashed", shape: "diamond" },
  complex_step: { text: "complex step", colour: "ink", dash: "dotted", shape: "ring" },
};

/**
 * The least error that is drawn: half a unit in the last place of the derivative. Smaller ones lie on it.
 * @param {Slice} slice
 * @param {number[][]} errors
 * @returns {[number, number]} that, and the largest error drawn
 */
function errorLimits(slice, errors) {
  const seen = errors.flat().filter((error) => error > 0 && error < Infinity);
  const floor = 0.5 * DOUBLE_EPSILON * Math.abs(slice.slope) || Math.max(1e-24, 0.1 * Math.min(DOUBLE_EPSILON, ...seen));
  const essential = 1e3 * Math.max(1, Math.abs(slice.slope));
  return [floor, Math.max(10 * floor, Math.min(essential, Math.max(0, ...seen)))];
}

/**
 * Axes of error against h with lines for schemes; the present h stands upright in them.
 * @param {Slice} slice
 * @param {State} state
 * @param {Box & {left: number, top: number, size?: number, legend: boolean}} place
 * @param {Scheme[]} schemes
 * @returns {Frame}
 */
export function errorFrame(slice, state, place, schemes) {
  const errors = schemes.map((scheme) => quotientErrors(slice, scheme));
  const [floor, highest] = errorLimits(slice, errors);
  const complex = place.legend ? [SCHEME_LINES.complex_step] : [];
  /** @type {Entry[]} */
  const legend = place.legend ? [...schemes.map((scheme) => SCHEME_LINES[scheme]), ...complex].map((one) => ({ ...one, line: true })) : [];
  const frame = frameOf({
    box: place, left: place.left, top: place.top, size: place.size, legend,
    x: { low: 5e-17, high: 2, name: place.legend ? "← rounding rules · h · the bend rules →" : "h", kind: "log" },
    y: { low: floor / 3, high: 3 * highest, name: "error of the quotient", kind: "log" },
  });
  const xs = QUOTIENT_STEPS.map(frame.x);
  const now = frame.x(stepOf(state.logH));
  /** @type {Item[]} */
  const items = [{ kind: "line", points: [now, frame.top, now, frame.bottom], colour: "accent", width: 1.5, dash: "dashed" }];
  if (complex.length) {
    const y = frame.y(floor);
    items.push({ kind: "line", points: [frame.left, y, frame.right, y], colour: "ink", width: 1.5, dash: "dotted" });
    items.push({ kind: "marks", points: xs.flatMap((x, k) => (k % 16 === 8 ? [x, y] : [])), colour: "ink", radius: 4, shape: "ring" });
  }
  schemes.forEach((scheme, order) => {
    const { colour, dash, shape } = SCHEME_LINES[scheme];
    const ys = errors[order].map((error) => (error < Infinity ? frame.y(Math.max(error, floor)) : NaN));
    for (const points of piecesInside(frame, xs, ys)) items.push({ kind: "line", points, colour, width: 2, dash });
    const marked = xs.flatMap((x, k) => (k % 8 === (2 * order) % 8 && Number.isFinite(ys[k]) ? [x, ys[k]] : []));
    if (place.legend) items.push({ kind: "marks", points: marked, colour, radius: 4, shape });
  });
  frame.items.push(insideFrame(frame, items));
  const size = frame.size - 1, text = `h = ${shortNumber(stepOf(state.logH), 2)}`;
  frame.room.put(frame.items, { kind: "text", x: now, y: frame.top + 3, text, colour: "accent", size, halo: true },
    [{ dx: -6, dy: 0, anchor: "end", baseline: "top" }, { dx: 6, dy: 0, anchor: "start", baseline: "top" }]);
  return frame;
}

/**
 * What a click in these axes sets: h, in tenths of a decade.
 * @param {Frame} frame
 * @returns {(x: number, y: number) => Partial<State> | null}
 */
export function pickStep(frame) {
  return (x, y) => {
    const inside = x >= frame.left && x <= frame.right && y >= frame.top && y <= frame.bottom;
    return inside ? { logH: Math.max(-16, Math.min(0, Math.round(10 * Math.log10(frame.backX(x))) / 10)) } : null;
  };
}

/**
 * @param {Outcome} outcome
 * @param {State} state
 * @param {Box} box
 * @returns {Scene}
 */
export function vcurveView(outcome, state, box) {
  const slice = sliceAt(outcome, state);
  if (!slice) return messageScene(box, NOTHING_TO_DIFFER);
  const frame = errorFrame(slice, state, { ...box, left: 0, top: 0, legend: true }, DRAWN_SCHEMES);
  const best = DRAWN_SCHEMES.map((scheme) => {
    const errors = quotientErrors(slice, scheme);
    const least = errors.reduce((k, error, j) => (error < errors[k] ? j : k), 0);
    return `${SCHEME_LINES[scheme].text} is best at h = ${shortNumber(QUOTIENT_STEPS[least], 2)}, error ${shortNumber(errors[least], 2)}`;
  });
  return {
    ...box, items: frame.items, pick: pickStep(frame),
    label: `Error of difference quotients against h at ${slice.name} = ${shortNumber(slice.at)}, where ${slice.sign} = `
      + `${shortNumber(slice.slope)}: ${best.join("; ")}; the complex step has no difference to round.`,
  };
}

/** Said where weight, loss or slope is no finite number. */
export const NOTHING_TO_DIFFER = "Nothing to look at: at this step the weight, the loss or its slope is no finite number.";
