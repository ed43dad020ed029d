// The limit that defines the derivative: a window that narrows with h, until rounding takes over.

import { frameOf, insideFrame, piecesInside, textSizeFor } from "../draw/frame.js";
import { raised, shortNumber } from "../draw/scale.js";
import { writeNumber } from "../engine/words.js";
import { agreeingDigits, errorRuledBy, quotientErrors, quotientOf, sliceAt, stepOf } from "./secants.js";
import { errorFrame, NOTHING_TO_DIFFER, pickStep } from "./vcurve.js";
import { messageScene, wrapWords } from "./words_scene.js";

/** @import {Frame} from "../draw/frame.js" */
/** @import {Box, Item, Outcome, Scene, State} from "../types.js" */
/** @import {Slice} from "./secants.js" */

const BEFORE_H = -0.8, BEYOND_H = 1.6; // of h: where the window begins and ends
const BESIDE_FROM = 560; // pixels of width from which the error stands beside the window

/**
 * What the zoom shows in numbers.
 * @typedef {object} ZoomNumbers
 * @property {number} h
 * @property {number} quotient forward, the textbook's formula to the last digit
 * @property {number} slope
 * @property {number} digits how many of them agree
 * @property {ReturnType<typeof errorRuledBy>} rules
 * @property {string} words what to see
 */

/**
 * @param {Slice} slice
 * @param {number} logH
 * @returns {ZoomNumbers}
 */
export function zoomNumbers(slice, logH) {
  const h = stepOf(logH), { slope } = slice;
  const quotient = quotientOf(slice, "forward", h);
  const digits = agreeingDigits(quotient, slope);
  const rules = errorRuledBy(slice, h);
  const agree = digits === 0 ? "No digit agrees" : digits === 1 ? "1 digit agrees" : `${digits} digits agree`;
  const { name } = slice;
  const words = {
    exact: "All digits agree.",
    bend: `${agree}. A narrower window straightens the curve: the secant turns into the tangent.`,
    rounding: roundingWords(name, agree),
    kink: `A kink: the slope is ${writeNumber(quotient)} on the right and `
      + `${writeNumber(quotientOf(slice, "backward", h))} on the left, however narrow the window.`,
    lost: `${name} + h is rounded to ${name} itself: nothing is left of h, and the quotient is 0.`,
  };
  return { h, quotient, slope, digits, rules, words: Number.isFinite(quotient) ? words[rules] : "The loss at the second point is no finite number." };
}

/**
 * The longest of the words, for which room is kept.
 * @param {string} name
 * @param {string} agree
 * @returns {string}
 */
function roundingWords(name, agree) {
  return `Round-off takes over: f(${name} + h) and f(${name}) share their leading digits, and dividing by h magnifies `
    + `what rounding left of the rest. ${agree}.`;
}

/**
 * A number with all the digits that tell it from its neighbours.
 * @param {number} value
 * @returns {string}
 */
export function allDigits(value) {
  if (!Number.isFinite(value)) return writeNumber(value);
  const [mantissa, power] = String(value).replace("-", "−").replace("e-", "e−").split("e");
  return power ? `${mantissa}×10${raised(Number(power.replace("−", "-")))}` : mantissa;
}

/**
 * @param {Outcome} outcome
 * @param {State} state
 * @param {Box} box
 * @returns {Scene}
 */
export function zoomView(outcome, state, box) {
  const slice = sliceAt(outcome, state);
  if (!slice) return messageScene(box, NOTHING_TO_DIFFER);
  const numbers = zoomNumbers(slice, state.logH);
  const size = textSizeFor(box);
  const text = drawNumbers(slice, numbers, box, size);
  const left = box.height - text.height;
  const beside = box.width >= BESIDE_FROM;
  const both = beside || left >= 19 * size;
  const width = beside ? Math.round(0.6 * box.width) : box.width;
  const height = beside || !both ? left : Math.round(0.58 * left);
  const items = [...text.items, ...drawWindow(slice, numbers, { width, height }, text.height, size)];
  /** @type {Scene} */
  const scene = {
    ...box, items,
    label: `Zoom at ${slice.name} = ${shortNumber(slice.at)}: h = ${writeNumber(Number(numbers.h.toPrecision(3)))}, difference quotient `
      + `${allDigits(numbers.quotient)}, true derivative ${allDigits(slice.slope)}. ${numbers.words}`,
  };
  if (both) {
    const place = beside ? { width: box.width - width, height: left, left: width, top: text.height }
      : { width: box.width, height: left - height, left: 0, top: text.height + height };
    const frame = errorFrame(slice, state, { ...place, size: size - 1, legend: false }, ["forward"]);
    items.push(...frame.items, ...drawPresent(slice, numbers, frame));
    scene.pick = pickStep(frame);
  }
  return scene;
}

/**
 * The present h on the line of errors.
 * @param {Slice} slice
 * @param {ZoomNumbers} numbers
 * @param {Frame} frame
 * @returns {Item[]}
 */
function drawPresent(slice, { h, quotient, slope }, frame) {
  const y = Math.max(frame.top, Math.min(frame.bottom - 8, frame.y(Math.abs(quotient - slope) || 1e-300)));
  if (!Number.isFinite(y) || quotientErrors(slice, "forward").length === 0) return [];
  return [{ kind: "marks", points: [frame.x(h), y], colour: "accent", radius: 5.5, shape: "disc" }];
}

/**
 * The numbers in lines above the window, and how high they are.
 * @param {Slice} slice
 * @param {ZoomNumbers} numbers
 * @param {Box} box
 * @param {number} size
 * @returns {{items: Item[], height: number}}
 */
function drawNumbers(slice, numbers, box, size) {
  const x = 6, leading = 1.4 * size, column = x + 6.2 * size;
  /** @type {[string, string][]} */
  const rows = [["h", writeNumber(Number(numbers.h.toPrecision(3)))], ["Δf/h", allDigits(numbers.quotient)], [slice.sign, allDigits(slice.slope)]];
  /** @type {Item[]} */
  const items = rows.flatMap(([name, value], line) => [
    { kind: "text", x, y: 4 + line * leading, text: name, colour: "quiet", size, baseline: "top" },
    {
      kind: "text", x: column, y: 4 + line * leading, text: value, colour: line === 1 ? "secant" : line === 2 ? "tangent" : "ink", size,
      baseline: "top", bold: true,
    },
  ]);
  const wide = box.width >= BESIDE_FROM;
  const from = wide ? 0.45 * box.width : x;
  const first = wide ? 0 : rows.length;
  const lines = wrapWords(numbers.words, box.width - from - 8, size);
  lines.forEach((text, line) => {
    items.push({ kind: "text", x: from, y: 4 + (first + line) * leading, text, colour: "ink", size, baseline: "top" });
  });
  // As high as the longest words need, so that the picture below stands still while h is dragged.
  const longest = wrapWords(roundingWords(slice.name, "15 digits agree"), box.width - from - 8, size).length;
  const most = Math.max(rows.length, first + Math.max(longest, lines.length));
  return { items, height: 8 + most * leading };
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
function drawWindow(slice, { h, quotient }, box, top, size) {
  const { at, value, slope, along, name } = slice;
  const samples = Math.round(Math.max(61, Math.min(241, 2e5 / Math.max(1, slice.rows))));
  const places = Array.from({ length: samples }, (_, k) => h * (BEFORE_H + ((BEYOND_H - BEFORE_H) * k) / (samples - 1)));
  // The sum at + t is rounded as all numbers are: where t is tiny the curve is the staircase that a computer sees.
  const rises = places.map((t) => along(at + t) - value);
  const ends = [BEFORE_H * h, BEYOND_H * h];
  const seen = [...rises, 0, quotient * h, ...ends.map((t) => slope * t)].filter(Number.isFinite);
  const [low, high] = [Math.min(...seen), Math.max(...seen)];
  const room = 0.08 * (high - low);
  const frame = frameOf({
    box, top, size, x: { low: ends[0], high: ends[1], name: `from ${name} = ${shortNumber(at)}: Δ${name}` },
    y: { low: low - room, high: high + room, name: "Δf" },
    legend: [
      { text: "curve", colour: "loss" }, { text: "secant", colour: "secant", dash: "dashed", shape: "disc", line: true },
      { text: "tangent", colour: "tangent" },
    ],
  });
  /** @param {number} steep */
  const straight = (steep) => ends.flatMap((t) => [frame.x(t), frame.y(steep * t)]);
  /** @type {Item[]} */
  const items = piecesInside(frame, places.map(frame.x), rises.map(frame.y)).map((points) => (
    { kind: "line", points, colour: "loss", width: 3 }
  ));
  items.push({ kind: "line", points: straight(slope), colour: "tangent", width: 2 });
  if (Number.isFinite(quotient)) {
    const [x, y] = [frame.x(h), frame.y(quotient * h)], base = frame.y(0);
    items.push(
      { kind: "line", points: straight(quotient), colour: "secant", width: 2.2, dash: "dashed" },
      { kind: "line", points: [frame.x(0), base, x, base, x, y], colour: "quiet", width: 1.2, dash: "dotted" },
      { kind: "marks", points: [frame.x(0), base, x, y], colour: "secant", radius: 5, shape: "disc" },
    );
  }
  return [...frame.items, insideFrame(frame, items)];
}
