// The atlas: for each learning rate and start a colour that says what becomes of the run.
/** @import {Frame} from "../draw/frame.js" */
/** @import {Atlas} from "../engine/atlas_grid.js" */
/** @import {Box, Colour, Item, Outcome, PointKind, Scene, State} from "../types.js" */
import { frameOf, insideFrame, textSizeFor } from "../draw/frame.js";
import { lineItem, marksItem, textItem } from "../draw/items.js";
import { shortNumber } from "../draw/scale.js";
import { textWidth } from "../draw/shapes.js";
import { ATLAS_POINT, stableLimits } from "../engine/atlas_grid.js";
import { writePlace } from "../engine/words.js";
import { pickedNumber, wordsScene } from "./points.js";

/** What a colour of the atlas stands for. @typedef {{code: number, colour: Colour, shade: number, words: string, letter: string, count: number}} Meaning */

const LETTERED = 8; // meanings
const POINT_SHADES = [1, 0.55, 0.28, 0.8, 0.4];
/** @type {Partial<Record<PointKind, Colour>>} */
const POINT_COLOURS = { minimum: "converged", maximum: "maximum", saddle: "saddle", inflection: "saddle", kink: "minimum" };

/**
 * The meanings that occur, the most frequent first.
 * @param {Outcome} outcome
 * @param {Atlas} atlas
 * @returns {Meaning[]}
 */
function atlasMeanings({ search, problem }, { cells, spec }) {
  const counts = new Array(ATLAS_POINT + search.points.length).fill(0);
  for (const code of cells) counts[code] += 1;
  /** @type {Meaning[]} */
  const meanings = [];
  const add = (/** @type {number} */ code, /** @type {Colour} */ colour, /** @type {string} */ words, shade = 1) => {
    if (counts[code]) meanings.push({ code, colour, shade, words, letter: "", count: counts[code] });
  };
  add(1, "converged", "settles elsewhere");
  add(2, "cycling", "cycles");
  add(3, "diverged", "diverges");
  add(4, "nonfinite", "no longer finite");
  add(5, "stalled", "stalls");
  add(6, "moving", `still moving after ${spec.maxSteps} steps`);
  let minima = 0;
  search.points.forEach(({ kind, weight }, k) => {
    const shade = kind === "minimum" ? POINT_SHADES[minima++ % POINT_SHADES.length] : 1;
    const place = writePlace(problem.loss.weights, weight.map((value) => Number(value.toPrecision(4))));
    const what = kind === "undecided" ? "a point" : kind === "flat" ? "a flat piece" : (kind === "inflection" ? "an " : "a ") + kind;
    add(ATLAS_POINT + k, POINT_COLOURS[kind] ?? "stalled", `settles at ${what}, ${place}`, shade);
  });
  meanings.sort((a, b) => b.count - a.count);
  meanings.slice(0, LETTERED).forEach((meaning, k) => (meaning.letter = String.fromCharCode(65 + k)));
  return meanings;
}

/**
 * @param {Outcome} outcome
 * @param {State} state
 * @param {Box} box
 * @param {Atlas | null} atlas
 * @returns {Scene}
 */
export function atlasView(outcome, state, box, atlas) {
  if (!atlas) return wordsScene(box, "The atlas is being computed.");
  const { rates, starts } = atlas.spec, size = textSizeFor(box), meanings = atlasMeanings(outcome, atlas);
  const legend = drawAtlasLegend(meanings, box, size);
  const frame = frameOf({
    box: { width: box.width, height: box.height - legend.height }, size, grid: false,
    x: { low: rates[0], high: rates[1], name: "learning rate η", kind: "log" },
    y: { low: starts[0], high: starts[1], name: "start of " + outcome.problem.loss.weights[0] },
  });
  const { left, right, top, bottom } = frame, all = meanings.reduce((sum, { count }) => sum + count, 0);
  const inside = insideFrame(frame, [...drawStableLimits(outcome, frame), ...drawCrossHair(frame, state)]);
  return {
    ...box, items: [drawAtlasCells(atlas, meanings, frame), ...frame.items, inside, ...drawRegionLetters(atlas, meanings, frame), ...legend.items],
    label: `Atlas of learning rates from ${shortNumber(rates[0], 2)} to ${shortNumber(rates[1], 2)} and starts from `
      + `${shortNumber(starts[0])} to ${shortNumber(starts[1])}${atlas.done ? "" : ", still being computed"}: `
      + meanings.map(({ words, count }) => `${Math.max(1, Math.round((100 * count) / all))} % ${words}`).join("; ") + ".",
    pick: (x, y) => (x < left || x > right || y < top || y > bottom ? null : {
      rate: Number(frame.backX(x).toPrecision(3)), start: [pickedNumber(frame.backY(y), frame.yScale), ...state.start.slice(1)],
    }),
  };
}

/**
 * @param {Atlas} atlas
 * @param {Meaning[]} meanings
 * @param {Frame} frame
 * @returns {Item}
 */
function drawAtlasCells({ spec, cells }, meanings, { left: x, top: y, width, height }) {
  const codes = Math.max(0, ...meanings.map(({ code }) => code)) + 1;
  /** @type {Colour[]} */
  const colours = new Array(codes).fill("panel");
  const shadeOf = new Array(codes).fill(1);
  for (const { code, colour, shade } of meanings) [colours[code], shadeOf[code]] = [colour, shade];
  const { columns, rows } = spec, shades = new Float64Array(cells.length);
  for (let place = 0; place < cells.length; place++) shades[place] = shadeOf[cells[place]];
  return { kind: "cells", x, y, width, height, columns, rows, colours, cells, shades };
}

/**
 * Upright lines at the limits of theory, where the rate stays as it is.
 * @param {Outcome} outcome
 * @param {Frame} frame
 * @returns {Item[]}
 */
function drawStableLimits(outcome, { x: at, top, bottom, size, room }) {
  const { rate, rule } = outcome.problem, text = rule.name === "gradient_descent" ? "2/L" : "limit";
  if (rate.schedule !== "constant" || rate.warmup > 0) return [];
  return stableLimits(outcome).slice(0, 4).flatMap((limit) => {
    const x = at(limit), upright = [x, top, x, bottom];
    /** @type {Item[]} */
    const items = [lineItem(upright, "ground", 4, { opacity: 0.6 }), lineItem(upright, "ink", 1.6, { dash: "dashed" })];
    room.put(items, textItem(x, top + 4, text, "ink", size, { bold: true, halo: true }),
      [{ dx: 5, dy: 0, anchor: "start", baseline: "top" }, { dx: -5, dy: 0, anchor: "end", baseline: "top" }]);
    return items;
  });
}

/**
 * The present learning rate and start.
 * @param {Frame} frame
 * @param {State} state
 * @returns {Item[]}
 */
function drawCrossHair({ x: atX, y: atY, left, right, top, bottom, room }, state) {
  const x = atX(state.rate), y = atY(state.start[0]), lines = [[x, top, x, bottom], [left, y, right, y]];
  room.block(x - 9, y - 9, x + 9, y + 9);
  return [
    ...lines.map((points) => lineItem(points, "ground", 3, { opacity: 0.7 })), ...lines.map((points) => lineItem(points, "ink", 1.2)),
    marksItem([x, y], "ink", 6, "ring"),
  ];
}

/**
 * A letter in the largest square of each colour, where there is room.
 * @param {Atlas} atlas
 * @param {Meaning[]} meanings
 * @param {Frame} frame
 * @returns {Item[]}
 */
function drawRegionLetters({ spec, cells }, meanings, { left, top, width, height, size, room }) {
  const { columns, rows } = spec, wide = width / columns, high = height / rows;
  // The side of the largest square of one colour that ends at a cell, by the three cells before it.
  const sides = new Uint16Array(cells.length), largest = new Uint16Array(256), places = new Uint32Array(256);
  for (let place = 0; place < cells.length; place++) {
    const code = cells[place], up = place - columns;
    const inner = up > 0 && place % columns > 0 && cells[place - 1] === code && cells[up] === code && cells[up - 1] === code;
    const side = sides[place] = inner ? 1 + Math.min(sides[place - 1], sides[up], sides[up - 1]) : 1;
    if (side > largest[code]) [largest[code], places[code]] = [side, place];
  }
  /** @type {Item[]} */
  const items = [];
  for (const { code, letter } of meanings) {
    const side = largest[code], place = places[code], middle = side / 2 - 1;
    if (!letter || side * Math.min(wide, high) < 1.3 * size) continue;
    const x = left + ((place % columns) - middle) * wide, y = top + (Math.floor(place / columns) - middle) * high;
    room.put(items, textItem(x, y, letter, "ink", size, { bold: true, halo: true }), [0, 1.3 * size, -1.3 * size].map((dx) => (
      { dx, dy: 0, anchor: "middle", baseline: "middle" }
    )));
  }
  return items;
}

/**
 * Colours, letters and words in rows at the foot of the box.
 * @param {Meaning[]} meanings
 * @param {Box} box
 * @param {number} size
 * @returns {{items: Item[], height: number}}
 */
function drawAtlasLegend(meanings, box, size) {
  const line = 1.45 * size, most = Math.max(1, Math.floor((0.4 * box.height) / line));
  let x = 6, row = 0;
  const places = meanings.map(({ letter, words }) => {
    const width = 1.5 * size + textWidth(letter + "  " + words, size);
    if (x > 6 && x + width > box.width - 4) [x, row] = [6, row + 1];
    x += width + size;
    return [x - width - size, row];
  });
  const rows = Math.min(most, row + 1), top = box.height - rows * line;
  return {
    height: rows * line + 6,
    items: meanings.flatMap(({ colour, shade, letter, words }, k) => {
      const [px, level] = places[k], y = top + level * line, square = [px, y, px + size, y, px + size, y + size, px, y + size];
      return level >= rows ? [] : [
        /** @type {Item} */ ({ kind: "area", points: square, colour, opacity: shade }), lineItem([...square, px, y], "quiet", 1),
        textItem(px + 1.5 * size, y + size / 2, (letter && letter + "  ") + words, "ink", size),
      ];
    }),
  };
}
