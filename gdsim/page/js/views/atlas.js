// The atlas: for each learning rate and start a colour that says what becomes of the run.

import { frameOf, insideFrame, textSizeFor } from "../draw/frame.js";
import { shortNumber } from "../draw/scale.js";
import { textWidth } from "../draw/shapes.js";
import { ATLAS_POINT, stableLimits } from "../engine/atlas_grid.js";
import { writePlace } from "../engine/words.js";
import { messageScene } from "./words_scene.js";

/** @import {Frame} from "../draw/frame.js" */
/** @import {Atlas} from "../engine/atlas_grid.js" */
/** @import {Box, Colour, Item, Outcome, PointKind, Scene, State} from "../types.js" */

/** What a colour of the atlas stands for. @typedef {{code: number, colour: Colour, shade: number, words: string, letter: string, count: number}} Meaning */

const MOST_MEANINGS = 8;
const POINT_SHADES = [1, 0.55, 0.28, 0.8, 0.4];
/** @type {Partial<Record<PointKind, Colour>>} */
const POINT_COLOURS = { minimum: "converged", maximum: "maximum", saddle: "saddle", inflection: "saddle", kink: "minimum" };

/**
 * The meanings that occur, the most frequent first, and a colour and a shade for each code.
 * @param {Outcome} outcome
 * @param {Atlas} atlas
 * @returns {Meaning[]}
 */
export function atlasMeanings(outcome, atlas) {
  const { points } = outcome.search, names = outcome.problem.loss.weights;
  const counts = new Array(ATLAS_POINT + points.length).fill(0);
  for (const code of atlas.cells) counts[code] += 1;
  /** @type {[Colour, string][]} */
  const plain = [
    ["converged", "settles elsewhere"], ["cycling", "cycles"], ["diverged", "diverges"], ["nonfinite", "no longer finite"],
    ["stalled", "stalls"], ["moving", `still moving after ${atlas.spec.maxSteps} steps`],
  ];
  const meanings = plain.map(([colour, words], k) => ({ code: k + 1, colour, shade: 1, words, letter: "", count: counts[k + 1] }));
  let minima = 0;
  points.forEach(({ kind, weight }, k) => {
    const shade = kind === "minimum" ? POINT_SHADES[minima++ % POINT_SHADES.length] : 1;
    const article = kind === "inflection" || kind === "undecided" ? "an" : "a";
    const what = kind === "undecided" ? "undecided point" : kind === "flat" ? "flat piece" : kind;
    const place = writePlace(names, weight.map((value) => Number(value.toPrecision(4))));
    const code = ATLAS_POINT + k, words = `settles at ${article} ${what}, ${place}`;
    meanings.push({ code, colour: POINT_COLOURS[kind] ?? "stalled", shade, words, letter: "", count: counts[code] });
  });
  const seen = meanings.filter(({ count }) => count > 0).sort((a, b) => b.count - a.count);
  seen.forEach((meaning, k) => (meaning.letter = k < MOST_MEANINGS ? String.fromCharCode(65 + k) : ""));
  return seen;
}

/**
 * @param {Outcome} outcome
 * @param {State} state
 * @param {Box} box
 * @param {Atlas | null} atlas
 * @returns {Scene}
 */
export function atlasView(outcome, state, box, atlas) {
  if (!atlas) return messageScene(box, "The atlas is being computed.");
  const { spec } = atlas, size = textSizeFor(box);
  const meanings = atlasMeanings(outcome, atlas);
  const legend = atlasLegend(meanings, box, size);
  const name = outcome.problem.loss.weights[0];
  const frame = frameOf({
    box: { width: box.width, height: box.height - legend.height }, size, grid: false,
    x: { low: spec.rates[0], high: spec.rates[1], name: "learning rate η", kind: "log" },
    y: { low: spec.starts[0], high: spec.starts[1], name: `start of ${name}` },
  });
  const limits = drawStableLimits(outcome, frame);
  const items = [
    drawCells(atlas, meanings, frame), ...frame.items,
    insideFrame(frame, [...limits, ...drawCrossHair(frame, state)]), ...drawRegionLetters(atlas, meanings, frame), ...legend.items,
  ];
  const all = meanings.reduce((sum, { count }) => sum + count, 0);
  const shares = meanings.map(({ words, count }) => `${words}: ${Math.max(1, Math.round((100 * count) / all))} %`);
  return {
    ...box, items,
    label: `Atlas of learning rates from ${shortNumber(spec.rates[0], 2)} to ${shortNumber(spec.rates[1], 2)} and starts from `
      + `${shortNumber(spec.starts[0])} to ${shortNumber(spec.starts[1])}${atlas.done ? "" : ", still being computed"}. ${shares.join("; ")}.`,
    pick: (x, y) => {
      if (x < frame.left || x > frame.right || y < frame.top || y > frame.bottom) return null;
      const pixel = (spec.starts[1] - spec.starts[0]) / frame.height;
      const decimals = Math.max(0, Math.min(12, Math.ceil(-Math.log10(pixel))));
      const start = Number(frame.backY(y).toFixed(decimals)) + 0;
      return { rate: Number(frame.backX(x).toPrecision(3)), start: [start, ...state.start.slice(1)] };
    },
  };
}

/**
 * @param {Atlas} atlas
 * @param {Meaning[]} meanings
 * @param {Frame} frame
 * @returns {Item}
 */
function drawCells({ spec, cells }, meanings, frame) {
  /** @type {Colour[]} */
  const colours = [];
  /** @type {number[]} */
  const shadeOf = [];
  const last = Math.max(0, ...meanings.map(({ code }) => code));
  for (let code = 0; code <= last; code++) [colours[code], shadeOf[code]] = ["panel", 1];
  for (const { code, colour, shade } of meanings) [colours[code], shadeOf[code]] = [colour, shade];
  const shades = Float64Array.from(cells, (code) => shadeOf[code]);
  return {
    kind: "cells", x: frame.left, y: frame.top, width: frame.width, height: frame.height,
    columns: spec.columns, rows: spec.rows, colours, cells, shades,
  };
}

/**
 * Upright lines at the limits of theory, where the rate stays as it is.
 * @param {Outcome} outcome
 * @param {Frame} frame
 * @returns {Item[]}
 */
function drawStableLimits(outcome, frame) {
  const { rate, rule } = outcome.problem;
  if (rate.schedule !== "constant" || rate.warmup > 0) return [];
  const text = rule.name === "gradient_descent" ? "2/L" : "limit";
  /** @type {Item[]} */
  const items = [];
  for (const limit of stableLimits(outcome).slice(0, 4)) {
    const x = frame.x(limit), upright = [x, frame.top, x, frame.bottom];
    items.push({ kind: "line", points: upright, colour: "ground", width: 4, opacity: 0.6 });
    items.push({ kind: "line", points: upright, colour: "ink", width: 1.6, dash: "dashed" });
    const label = { kind: /** @type {const} */ ("text"), x: x + 5, y: frame.top + 4, text, colour: /** @type {const} */ ("ink"), size: frame.size };
    const reach = textWidth(text, frame.size) + 10;
    const before = x + reach > frame.right;
    frame.room.put(items, { ...label, x: before ? x - 5 : x + 5, anchor: before ? "end" : "start", baseline: "top", bold: true, halo: true });
  }
  return items;
}

/**
 * The present learning rate and start.
 * @param {Frame} frame
 * @param {State} state
 * @returns {Item[]}
 */
function drawCrossHair(frame, state) {
  const x = frame.x(state.rate), y = frame.y(state.start[0]);
  frame.room.block(x - 9, y - 9, x + 9, y + 9);
  const lines = [[x, frame.top, x, frame.bottom], [frame.left, y, frame.right, y]];
  return [
    ...lines.map((points) => /** @type {const} */ ({ kind: "line", points, colour: "ground", width: 3, opacity: 0.7 })),
    ...lines.map((points) => /** @type {const} */ ({ kind: "line", points, colour: "ink", width: 1.2 })),
    { kind: "marks", points: [x, y], colour: "ink", radius: 6, shape: "ring" },
  ];
}

/**
 * Letters in the middle of the largest square of each colour, where there is room.
 * @param {Atlas} atlas
 * @param {Meaning[]} meanings
 * @param {Frame} frame
 * @returns {Item[]}
 */
function drawRegionLetters({ spec, cells }, meanings, frame) {
  const { columns, rows } = spec;
  // The side of the largest square of one colour that ends at a cell, by the three cells before it.
  const sides = new Uint16Array(cells.length);
  /** @type {Map<number, {side: number, place: number}>} */
  const largest = new Map();
  for (let place = 0; place < cells.length; place++) {
    const code = cells[place], up = place - columns;
    const inner = up > 0 && place % columns > 0 && cells[place - 1] === code && cells[up] === code && cells[up - 1] === code;
    sides[place] = inner ? 1 + Math.min(sides[place - 1], sides[up], sides[up - 1]) : 1;
    if (sides[place] > (largest.get(code)?.side ?? 0)) largest.set(code, { side: sides[place], place });
  }
  /** @type {Item[]} */
  const items = [];
  for (const { code, letter } of meanings) {
    const found = largest.get(code);
    if (!found || !letter) continue;
    const middle = (found.side - 1) / 2;
    const x = frame.left + ((found.place % columns) + 0.5 - middle) * (frame.width / columns);
    const y = frame.top + (Math.floor(found.place / columns) + 0.5 - middle) * (frame.height / rows);
    if (found.side * Math.min(frame.width / columns, frame.height / rows) < 1.3 * frame.size) continue;
    const shift = 1.3 * frame.size;
    frame.room.put(items, { kind: "text", x, y, text: letter, colour: "ink", size: frame.size, anchor: "middle", bold: true, halo: true },
      [[0, 0], [shift, 0], [-shift, 0], [0, shift], [0, -shift]].map(([dx, dy]) => ({ dx, dy, anchor: "middle", baseline: "middle" })));
  }
  return items;
}

/**
 * Colours, letters and words in rows below the picture.
 * @param {Meaning[]} meanings
 * @param {Box} box
 * @param {number} size
 * @returns {{items: Item[], height: number}}
 */
function atlasLegend(meanings, box, size) {
  const line = 1.45 * size, most = Math.max(1, Math.floor((0.4 * box.height) / line));
  /** @type {Item[]} */
  const items = [];
  let x = 6, row = 0;
  for (const { colour, shade, letter, words } of meanings) {
    const text = letter ? `${letter}  ${words}` : words;
    const width = 1.8 * size + textWidth(text, size);
    if (x > 6 && x + width > box.width - 4) [x, row] = [6, row + 1];
    if (row >= most) break;
    const y = row * line, side = size;
    const square = [x, y, x + side, y, x + side, y + side, x, y + side];
    items.push({ kind: "area", points: square, colour, opacity: shade });
    items.push({ kind: "line", points: [...square, x, y], colour: "quiet", width: 1 });
    items.push({ kind: "text", x: x + 1.5 * size, y: y + side / 2, text, colour: "ink", size });
    x += width + 1.2 * size;
  }
  const height = Math.min(most, row + 1) * line + 4, top = box.height - height;
  return { items: items.map((item) => movedDown(item, top)), height };
}

/**
 * @param {Item} item
 * @param {number} down
 * @returns {Item}
 */
function movedDown(item, down) {
  if (item.kind === "text") return { ...item, y: item.y + down };
  if (item.kind !== "area" && item.kind !== "line") return item;
  return { ...item, points: Array.from(item.points, (value, k) => (k % 2 ? value + down : value)) };
}
