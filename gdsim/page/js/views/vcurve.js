// Error against h: how good a difference quotient can be, and where it is best.
/** @import {Frame} from "../draw/frame.js" */
/** @import {Box, Colour, Dash, Item, Outcome, Scene, Shape, State} from "../types.js" */
/** @import {Slice} from "./secants.js" */
import { frameOf, insideFrame, piecesInside } from "../draw/frame.js";
import { lineItem, marksItem, textItem } from "../draw/items.js";
import { shortNumber } from "../draw/scale.js";
import { writeNumber } from "../engine/words.js";
import { wordsScene } from "./points.js";
import { DOUBLE_EPSILON, DRAWN_SCHEMES, QUOTIENT_STEPS, quotientErrors, sliceAt, stepFromLog } from "./secants.js";

/** @type {{text: string, colour: Colour, dash: Dash, shape: Shape, line: true}[]} */
const SCHEME_LINES = [
  { text: "forward", colour: "path", dash: "", shape: "disc", line: true },
  { text: "backward", colour: "rival", dash: "dashed", shape: "square", line: true },
  { text: "central", colour: "loss", dash: "", shape: "triangle", line: true },
  { text: "five-point", colour: "minimum", dash: "dashed", shape: "diamond", line: true },
  { text: "complex step", colour: "ink", dash: "dotted", shape: "ring", line: true },
];

/** Said where weight, loss or slope is no finite number. */
export const NO_SLICE = "Nothing to look at: at this step the weight, the loss or its slope is no finite number.";

/**
 * Axes of error against h with lines for the first of the schemes; with all of them the complex step lies at the
 * bottom: it has no difference to round. The present h stands upright.
 * @param {Slice} slice
 * @param {State} state
 * @param {Box & {left?: number, top?: number, size?: number}} box
 * @param {number} schemes
 * @returns {Frame}
 */
export function errorFrame(slice, state, box, schemes) {
  const errors = DRAWN_SCHEMES.slice(0, schemes).map((scheme) => quotientErrors(slice, scheme)), whole = schemes > 1;
  const seen = errors.flat().filter((error) => error > 0 && error < Infinity), size = Math.abs(slice.slope);
  // Half a unit in the last place of the derivative; smaller errors lie on it.
  const floor = 0.5 * DOUBLE_EPSILON * size || Math.max(1e-24, 0.1 * Math.min(DOUBLE_EPSILON, ...seen));
  const highest = Math.max(10 * floor, Math.min(1e3 * Math.max(1, size), Math.max(0, ...seen)));
  const frame = frameOf({
    ...box, box, legend: whole ? SCHEME_LINES : [],
    x: { low: 5e-17, high: 2, name: whole ? "← rounding rules · h · the bend rules →" : "h", kind: "log" },
    y: { low: floor / 3, high: 3 * highest, name: "error of the quotient", kind: "log" },
  });
  const xs = QUOTIENT_STEPS.map(frame.x), h = stepFromLog(state.logH), now = frame.x(h), side = now > 0.5 * (frame.left + frame.right) ? -1 : 1;
  /** @type {Item[]} */
  const items = [lineItem([now, frame.top, now, frame.bottom], "accent", 1.5, { dash: "dashed" })];
  [...errors, ...(whole ? [QUOTIENT_STEPS.map(() => floor)] : [])].forEach((list, order) => {
    const { colour, dash, shape } = SCHEME_LINES[order];
    const ys = list.map((error) => (error < Infinity ? frame.y(Math.max(error, floor)) : NaN));
    for (const points of piecesInside(frame, xs, ys)) items.push(lineItem(points, colour, 2, { dash }));
    const marked = xs.flatMap((x, k) => (k % 8 === (2 * order) % 8 && Number.isFinite(ys[k]) ? [x, ys[k]] : []));
    if (whole) items.push(marksItem(marked, colour, 4, shape));
  });
  frame.items.push(insideFrame(frame, items));
  frame.room.put(frame.items, textItem(now, frame.top + 3, "h = " + writeNumber(Number(h.toPrecision(2))), "accent", frame.size - 1, { halo: true }),
    [{ dx: side * 6, dy: 0, anchor: side < 0 ? "end" : "start", baseline: "top" }]);
  return frame;
}

/**
 * What a click in these axes sets: h, in tenths of a decade.
 * @param {Frame} frame
 * @returns {(x: number, y: number) => Partial<State> | null}
 */
export function pickStep({ left, right, top, bottom, backX }) {
  return (x, y) => (x < left || x > right || y < top || y > bottom ? null
    : { logH: Math.max(-16, Math.min(0, Math.round(10 * Math.log10(backX(x))) / 10)) });
}

/**
 * @param {Outcome} outcome
 * @param {State} state
 * @param {Box} box
 * @returns {Scene}
 */
export function vcurveView(outcome, state, box) {
  const slice = sliceAt(outcome, state);
  if (!slice) return wordsScene(box, NO_SLICE);
  const frame = errorFrame(slice, state, box, DRAWN_SCHEMES.length);
  const best = DRAWN_SCHEMES.map((scheme, order) => {
    const errors = quotientErrors(slice, scheme), least = errors.reduce((k, error, j) => (error < errors[k] ? j : k), 0);
    return `${SCHEME_LINES[order].text} is best at h = ${shortNumber(QUOTIENT_STEPS[least], 2)}, error ${shortNumber(errors[least], 2)}`;
  });
  return {
    ...box, items: frame.items, pick: pickStep(frame),
    label: `Error of difference quotients against h at ${slice.name} = ${shortNumber(slice.at)}, where ${slice.sign} = `
      + `${shortNumber(slice.slope)}: ${best.join("; ")}; the complex step has no difference to round.`,
  };
}
