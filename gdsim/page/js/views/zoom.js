// The limit that defines the derivative: a window that narrows with h, until rounding takes over.
/** @import {Box, Colour, Item, Outcome, Scene, State} from "../types.js" */
/** @import {Slice} from "./secants.js" */
import { foldedText, frameOf, insideFrame, piecesInside, textSizeFor } from "../draw/frame.js";
import { lineItem, marksItem, textItem } from "../draw/items.js";
import { raised, shortNumber } from "../draw/scale.js";
import { writeNumber } from "../engine/words.js";
import { wordsScene } from "./points.js";
import { agreeingDigits, errorRuledBy, quotientOf, sliceAt, stepFromLog } from "./secants.js";
import { errorFrame, NO_SLICE, pickStep } from "./vcurve.js";

const BEFORE_H = -0.8, BEYOND_H = 1.6; // of h: where the window begins and ends
const BESIDE_FROM = 560; // pixels of width from which the error stands beside the window

/**
 * What the zoom shows in numbers: the forward quotient, how many of its digits agree, and what to see in words.
 * @typedef {{h: number, quotient: number, digits: number, words: string}} ZoomNumbers
 */

/**
 * @param {Slice} slice
 * @param {number} logH
 * @returns {ZoomNumbers}
 */
export function zoomNumbers(slice, logH) {
  const h = stepFromLog(logH), quotient = quotientOf(slice, "forward", h), digits = agreeingDigits(quotient, slice.slope), { name } = slice;
  const agree = digits === 0 ? "No digit agrees" : digits === 1 ? "1 digit agrees" : digits + " digits agree";
  const words = {
    exact: "All digits agree.",
    bend: agree + ". A narrower window straightens the curve: the secant turns into the tangent.",
    rounding: roundingWords(name) + agree + ".",
    kink: `A kink: the slope is ${writeNumber(quotient)} on the right and ${writeNumber(quotientOf(slice, "backward", h))} on the left, `
      + "however narrow the window.",
    lost: `${name} + h is rounded to ${name} itself: nothing is left of h, and the quotient is 0.`,
  };
  return {
    h, quotient, digits,
    words: Number.isFinite(quotient) ? words[errorRuledBy(slice, h)] : "The loss at the second point is no finite number.",
  };
}

/**
 * @param {string} name
 * @returns {string}
 */
function roundingWords(name) {
  return `Round-off takes over: f(${name} + h) and f(${name}) share their leading digits, and dividing by h magnifies what rounding `
    + "left of the rest. ";
}

/**
 * A number with all the digits that tell it from its neighbours.
 * @param {number} value
 * @returns {string}
 */
export function allDigits(value) {
  if (!Number.isFinite(value)) return writeNumber(value);
  const [mantissa, power] = String(value).split("e");
  return mantissa.replace("-", "−") + (power ? "×10" + raised(Number(power)) : "");
}

/**
 * @param {Outcome} outcome
 * @param {State} state
 * @param {Box} box
 * @returns {Scene}
 */
export function zoomView(outcome, state, box) {
  const slice = sliceAt(outcome, state);
  if (!slice) return wordsScene(box, NO_SLICE);
  const numbers = zoomNumbers(slice, state.logH), size = textSizeFor(box), beside = box.width >= BESIDE_FROM;
  const rows = [writeNumber(Number(numbers.h.toPrecision(3))), allDigits(numbers.quotient), allDigits(slice.slope)];
  const { items, height: top } = drawZoomNumbers(slice, numbers, rows, box, size, beside);
  const left = box.height - top, both = beside || left >= 19 * size;
  const width = beside ? Math.round(0.6 * box.width) : box.width, height = beside || !both ? left : Math.round(0.58 * left);
  items.push(...drawZoomWindow(slice, numbers, { width, height }, top, size));
  /** @type {Scene} */
  const scene = {
    ...box, items,
    label: `Zoom at ${slice.name} = ${shortNumber(slice.at)}: h = ${rows[0]}, difference quotient ${rows[1]}, true derivative ${rows[2]}. `
      + numbers.words,
  };
  if (both) {
    const place = beside ? { width: box.width - width, height: left, left: width, top } : { width, height: left - height, top: top + height };
    const frame = errorFrame(slice, state, { ...place, size: size - 1 }, 1), error = Math.abs(numbers.quotient - slice.slope);
    items.push(...frame.items);
    scene.pick = pickStep(frame);
    const x = Math.max(frame.left, Math.min(frame.right, frame.x(numbers.h)));
    if (error < Infinity) items.push(marksItem([x, Math.max(frame.top, Math.min(frame.bottom - 8, frame.y(error)))], "accent", 5.5, "disc"));
  }
  return scene;
}

/**
 * The numbers above the window, and how high they are: as the longest words need, so that the picture below
 * stands still while h is dragged.
 * @param {Slice} slice
 * @param {ZoomNumbers} numbers
 * @param {string[]} rows
 * @param {Box} box
 * @param {number} size
 * @param {boolean} beside
 * @returns {{items: Item[], height: number}}
 */
function drawZoomNumbers({ name, sign }, { words }, rows, box, size, beside) {
  const leading = 1.4 * size, from = beside ? 0.45 * box.width : 6, first = beside ? 0 : 3;
  const folded = (/** @type {string} */ text) => foldedText(text, box.width - from - 8, size), lines = folded(words);
  /** @type {Colour[]} */
  const colours = ["ink", "secant", "tangent"];
  const put = (/** @type {number} */ x, /** @type {number} */ line, /** @type {string} */ text, /** @type {Colour} */ colour, bold = false) => (
    textItem(x, 4 + line * leading, text, colour, size, { baseline: "top", bold })
  );
  return {
    items: [
      ...["h", "Δf/h", sign].flatMap((text, k) => [put(6, k, text, "quiet"), put(6 + 6.2 * size, k, rows[k], colours[k], true)]),
      ...lines.map((text, k) => put(from, first + k, text, "ink")),
    ],
    height: 8 + leading * Math.max(3, first + lines.length, first + folded(roundingWords(name) + "15 digits agree.").length),
  };
}

/**
 * Curve, tangent and secant as distances from the weight and from its loss.
 * @param {Slice} slice
 * @param {ZoomNumbers} numbers
 * @param {Box} box
 * @param {number} top
 * @param {number} size
 * @returns {Item[]}
 */
function drawZoomWindow({ at, value, slope, along, name, rows }, { h, quotient }, box, top, size) {
  const samples = Math.round(Math.max(61, Math.min(241, 2e5 / Math.max(1, rows)))), low = BEFORE_H * h, high = BEYOND_H * h;
  const places = Array.from({ length: samples }, (_, k) => low + ((high - low) * k) / (samples - 1));
  // The sum at + t is rounded as all numbers are: where t is tiny the curve is the staircase that a computer sees.
  const rises = places.map((t) => along(at + t) - value);
  const seen = [...rises, 0, quotient * h, slope * low, slope * high].filter(Number.isFinite);
  const least = Math.min(...seen), most = Math.max(...seen), room = 0.08 * (most - least);
  const frame = frameOf({
    box, top, size, x: { low, high, name: `from ${name} = ${shortNumber(at)}: Δ${name}` },
    y: { low: least - room, high: most + room, name: "Δf" },
    legend: [
      { text: "curve", colour: "loss" }, { text: "secant", colour: "secant", dash: "dashed", shape: "disc", line: true },
      { text: "tangent", colour: "tangent" },
    ],
  });
  const straight = (/** @type {number} */ steep) => [frame.left, frame.y(steep * low), frame.right, frame.y(steep * high)];
  /** @type {Item[]} */
  const items = piecesInside(frame, places.map(frame.x), rises.map(frame.y)).map((points) => lineItem(points, "loss", 3));
  items.push(lineItem(straight(slope), "tangent", 2));
  if (Number.isFinite(quotient)) {
    const x0 = frame.x(0), y0 = frame.y(0), x = frame.x(h), y = frame.y(quotient * h);
    items.push(
      lineItem(straight(quotient), "secant", 2.2, { dash: "dashed" }), lineItem([x0, y0, x, y0, x, y], "quiet", 1.2, { dash: "dotted" }),
      marksItem([x0, y0, x, y], "secant", 5, "disc"),
    );
  }
  return [...frame.items, insideFrame(frame, items)];
}
