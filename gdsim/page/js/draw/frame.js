// Axes: from limits, names and a box to a rectangle, ticks, a grid and room for labels.
/** @import {Box, Colour, Dash, Item, Numbers, Scene, Shape} from "../types.js" */
/** @import {TextItem} from "./items.js" */
/** @import {Scale, ScaleKind, Ticks} from "./scale.js" */
import { lineItem, marksItem, textItem } from "./items.js";
import { labelled, makeScale, niceTicks, ticksOf } from "./scale.js";
import { textWidth } from "./shapes.js";

/** One axis: its ends in data, its name, and how it counts. `knee` is that of a symlog scale.
 * @typedef {{low: number, high: number, name: string, kind?: ScaleKind, knee?: number, whole?: boolean,
 *   reversed?: boolean}} Axis
 */
/** What a line or mark stands for, said above the plot.
 * @typedef {{text: string, colour: Colour, dash?: Dash, shape?: Shape, filled?: boolean, line?: boolean}} Entry
 */
/** What a frame is made from. `left`, `top`: where the box begins in the scene (default 0, 0); `legend`: entries
 * above the plot, those without room are left out; `equal`: one unit is equally long on both axes; `strip`:
 * pixels kept free between legend and plot; `grid`: default true; `aside`: pixels kept free on the right;
 * `flush`: its sides stand where those of every such frame of this width stand, whatever the size of its text.
 * @typedef {{box: Box, x: Axis, y: Axis, left?: number, top?: number, size?: number, legend?: Entry[],
 *   equal?: boolean, strip?: number, grid?: boolean, aside?: number, flush?: boolean}} FrameWish
 */
/** A frame. `items` hold grid, axes, tick labels, names and legend; `x`, `y` go from data to pixels of the
 * scene, `backX`, `backY` from pixels to data; `room` keeps texts in the plot from overlapping. Views put what is
 * cut at the edge into `inside`, and marks and words into `above`.
 * @typedef {{size: number, left: number, top: number, right: number, bottom: number, width: number,
 *   height: number, x: (value: number) => number, y: (value: number) => number,
 *   backX: (pixel: number) => number, backY: (pixel: number) => number, xScale: Scale, yScale: Scale,
 *   items: Item[], inside: Item[], above: Item[], room: Room}} Frame
 */
/** Keeps texts apart. `block` takes a rectangle by its edges; `shun` takes a line that texts avoid where they
 * can; `isFree` asks for a rectangle, `strict`: without such lines too; `put` adds a text at the first of the
 * spots where it stands inside and on nothing that is taken, and says whether there was one; `strict`: and on no
 * line.
 * @typedef {{block: (x0: number, y0: number, x1: number, y1: number) => void, shun: (points: Numbers) => void,
 *   isFree: (x0: number, y0: number, x1: number, y1: number, strict?: boolean) => boolean,
 *   put: (items: Item[], text: TextItem, spots?: Spot[], strict?: boolean) => boolean}} Room
 */
/** Where a text may stand, seen from its point: a shift in pixels, and how it is aligned there.
 * @typedef {{dx: number, dy: number, anchor: "start" | "middle" | "end", baseline: "top" | "middle" | "bottom"}} Spot
 */

/** Height of a line of text as a part of its size. */
export const LINE_HEIGHT = 1.25;

/**
 * Returns the size of text for a box: 12 to 15 pixels.
 * @param {Box} box
 * @returns {number}
 */
export function textSizeFor(box) {
  return Math.round(2 * Math.max(12, Math.min(15, 10.5 + Math.min(box.width, 1.6 * box.height) / 200))) / 2;
}

/**
 * Breaks a text at its blanks into lines of at most so many pixels; a longer word stands alone.
 * @param {string} text
 * @param {number} most
 * @param {number} size
 * @returns {string[]}
 */
export function foldedText(text, most, size) {
  const lines = [""];
  for (const word of text.split(" ")) {
    const longer = (lines[lines.length - 1] + " " + word).trim();
    if (lines[lines.length - 1] === "" || textWidth(longer, size) <= most) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/**
 * Returns the edges of a text: left, top, right, bottom.
 * @param {TextItem} text
 * @returns {[number, number, number, number]}
 */
export function textEdges(text) {
  const width = textWidth(text.text, text.size, text.bold);
  const left = text.x - (text.anchor === "middle" ? 0.5 * width : text.anchor === "end" ? width : 0);
  const height = 1.2 * text.size;
  const top = text.y - (text.baseline === "top" ? 0 : text.baseline === "bottom" ? height : 0.5 * height);
  return [left, top, left + width, top + height];
}

/**
 * Returns the eight places around a point, above first.
 * @param {number} distance in pixels
 * @returns {Spot[]}
 */
export function spotsAround(distance) {
  const far = distance, near = 0.7 * distance;
  return [
    { dx: 0, dy: -far, anchor: "middle", baseline: "bottom" }, { dx: near, dy: -near, anchor: "start", baseline: "bottom" },
    { dx: -near, dy: -near, anchor: "end", baseline: "bottom" }, { dx: far, dy: 0, anchor: "start", baseline: "middle" },
    { dx: -far, dy: 0, anchor: "end", baseline: "middle" }, { dx: 0, dy: far, anchor: "middle", baseline: "top" },
    { dx: near, dy: near, anchor: "start", baseline: "top" }, { dx: -near, dy: near, anchor: "end", baseline: "top" },
  ];
}

/**
 * Makes a keeper of the room inside a rectangle.
 * @param {number} left
 * @param {number} top
 * @param {number} right
 * @param {number} bottom
 * @returns {Room}
 */
export function makeRoom(left, top, right, bottom) {
  /** @type {number[]} */
  const taken = [];
  const shunned = new Set(), grain = 5;
  /** @type {Room["isFree"]} */
  const isFree = (x0, y0, x1, y1, strict = false) => {
    if (x0 < left || y0 < top || x1 > right || y1 > bottom) return false;
    for (let k = 0; k < taken.length; k += 4) {
      if (x0 < taken[k + 2] && x1 > taken[k] && y0 < taken[k + 3] && y1 > taken[k + 1]) return false;
    }
    if (!strict || shunned.size === 0) return true;
    for (let row = Math.floor(y0 / grain); row * grain < y1; row++) {
      for (let column = Math.floor(x0 / grain); column * grain < x1; column++) {
        if (shunned.has(row * 4096 + column)) return false;
      }
    }
    return true;
  };
  return {
    isFree,
    block: (x0, y0, x1, y1) => void taken.push(x0, y0, x1, y1),
    shun: (points) => {
      for (let k = 2; k < points.length; k += 2) {
        const dx = points[k] - points[k - 2], dy = points[k + 1] - points[k - 1];
        const parts = Math.ceil(Math.max(Math.abs(dx), Math.abs(dy)) / grain) || 1;
        for (let j = 0; j <= parts; j++) {
          const x = points[k - 2] + (dx * j) / parts, y = points[k - 1] + (dy * j) / parts;
          shunned.add(Math.floor(y / grain) * 4096 + Math.floor(x / grain));
        }
      }
    },
    put: (items, text, spots = [{ dx: 0, dy: 0, anchor: text.anchor ?? "start", baseline: text.baseline ?? "middle" }], strict = false) => {
      const places = spots.map(({ dx, dy, anchor, baseline }) => ({ ...text, x: text.x + dx, y: text.y + dy, anchor, baseline }));
      const found = places.find((one) => isFree(...textEdges(one), true))
        ?? places.find((one) => !strict && isFree(...textEdges(one)));
      if (found) {
        taken.push(...textEdges(found));
        items.push(found);
      }
      return found !== undefined;
    },
  };
}

/**
 * Lays out axes in a box.
 * @param {FrameWish} wish
 * @returns {Frame}
 */
export function frameOf(wish) {
  const { box, x, y, left = 0, top = 0, strip = 0, aside = 0 } = wish;
  const size = wish.size ?? textSizeFor(box), line = LINE_HEIGHT * size;
  const low = box.height < 15 * size;
  const head = top + 0.3 * size + 0.5 * line;
  const factor = (y.kind ?? "linear") === "linear" && labelled(niceTicks(y.low, y.high, 4)).factor ? 5 * size : 0;
  const legend = legendRows(wish.legend ?? [], left + 0.3 * size, left + box.width - 0.3 * size, head, size,
    textWidth(y.name, size, true) + factor, Math.max(1, Math.floor((0.12 * box.height) / line)));
  let upper = top + 0.3 * size + Math.max(1, legend.rows) * line + (strip ? 0.3 : 0.65) * size + strip;
  let lower = top + box.height - (low ? 1.85 : 3.15) * size;
  const upward = (/** @type {number} */ from, /** @type {number} */ to) =>
    makeScale(y.kind ?? "linear", y.low, y.high, y.reversed ? to : from, y.reversed ? from : to, y.knee);
  const most = Math.max(3, Math.floor((lower - upper) / (3 * size)));
  const ticksOfY = () => fittingTicks(upward(lower, upper), most, () => 0.65 * size, y.whole);
  let yTicks = ticksOfY();
  const labels = Math.max(0, ...yTicks.labels.map((one) => textWidth(one, size)));
  const sides = wish.flush ? textSizeFor({ width: box.width, height: box.width }) : size;
  const plain = left + Math.max(4.4 * sides, labels + 1.1 * size);
  let start = plain, end = left + box.width - 0.9 * sides - aside;
  if (wish.equal) [start, end, lower, upper] = squared(x, y, start, end, lower, upper);
  if (wish.equal) yTicks = ticksOfY();
  const xScale = makeScale(x.kind ?? "linear", x.low, x.high, start, end, x.knee), yScale = upward(lower, upper);
  /** @type {Item[]} */
  const items = [];
  const frame = {
    size, left: start, right: end, top: upper, bottom: lower, width: end - start, height: lower - upper,
    x: xScale.at, y: yScale.at, backX: xScale.back, backY: yScale.back, xScale, yScale, items, inside: [], above: [],
    room: makeRoom(start, upper, end, lower),
  };
  const beside = Math.max(3, Math.min(10, Math.floor((end - start) / (4 * size))));
  const xTicks = fittingTicks(xScale, beside, (one) => 0.5 * textWidth(one, size) + 0.3 * size, x.whole);
  drawGrid(frame, xTicks, yTicks, wish.grid ?? true);
  drawLabels(frame, xTicks, yTicks, x.name, low);
  const shift = Math.max(0, Math.min(start - plain, left + box.width - 0.3 * size - legend.end));
  const name = y.name + (yTicks.factor ? " " + yTicks.factor : "");
  items.push(textItem(left + 0.3 * size + shift, head, name, "ink", size, { bold: true }), ...legendItems(legend, size, shift));
  return frame;
}

/**
 * Shrinks a rectangle to the middle or upwards until a unit is equally long on both axes.
 * @param {Axis} x
 * @param {Axis} y
 * @param {number} start
 * @param {number} end
 * @param {number} lower
 * @param {number} upper
 * @returns {[number, number, number, number]}
 */
function squared(x, y, start, end, lower, upper) {
  const aspect = (x.high - x.low) / (y.high - y.low);
  const spareX = end - start - (lower - upper) * aspect, spareY = lower - upper - (end - start) / aspect;
  if (spareX > 0) return [start + 0.5 * spareX, end - 0.5 * spareX, lower, upper];
  return [start, end, lower - Math.max(0, spareY), upper];
}

/**
 * Returns as many ticks as have room for their labels beside each other.
 * @param {Scale} scale
 * @param {number} most
 * @param {(label: string) => number} reach half of the room that a label takes
 * @param {boolean} [whole]
 * @returns {Ticks}
 */
function fittingTicks(scale, most, reach, whole) {
  for (let wanted = most; wanted >= 1; wanted = wanted > 4 ? Math.floor(0.75 * wanted) : wanted - 1) {
    const ticks = ticksOf(scale, wanted, whole), { values, labels } = ticks;
    const places = values.map(scale.at), reaches = labels.map(reach);
    const apart = (/** @type {number} */ k) => Math.abs(places[k] - places[k - 1]) > reaches[k] + reaches[k - 1];
    if (labels.every((_, k) => k === 0 || apart(k))) return ticks;
  }
  const { values, labels, factor } = ticksOf(scale, 2, whole);
  return { values: values.slice(0, 1), labels: labels.slice(0, 1), factor };
}

/**
 * @param {Frame} frame
 * @param {Ticks} xTicks
 * @param {Ticks} yTicks
 * @param {boolean} grid
 */
function drawGrid(frame, xTicks, yTicks, grid) {
  const { left, right, top, bottom, items } = frame;
  const xs = xTicks.values.map(frame.x), ys = yTicks.values.map(frame.y);
  if (grid) {
    items.push(...xs.map((x) => lineItem([x, top, x, bottom], "grid", 1)), ...ys.map((y) => lineItem([left, y, right, y], "grid", 1)));
  }
  items.push(lineItem([left, top, left, bottom, right, bottom], "quiet", 1.2),
    ...xs.map((x) => lineItem([x, bottom, x, bottom + 4], "quiet", 1.2)), ...ys.map((y) => lineItem([left - 4, y, left, y], "quiet", 1.2)));
}

/**
 * Writes tick labels and the name of the horizontal axis, which in a low box stands beside the tick labels.
 * @param {Frame} frame
 * @param {Ticks} xTicks
 * @param {Ticks} yTicks
 * @param {string} name
 * @param {boolean} low
 */
function drawLabels(frame, xTicks, yTicks, name, low) {
  const { size, left, right, bottom, items } = frame;
  const row = bottom + 0.62 * size, room = makeRoom(-1e9, row - 1, right + 0.9 * size, 1e9);
  const words = name + (xTicks.factor ? " " + xTicks.factor : "");
  room.put(items, low ? textItem(right, row, words, "ink", size, { anchor: "end", baseline: "top" })
    : textItem(0.5 * (left + right), row + 1.3 * size, words, "ink", size, { anchor: "middle", baseline: "top" }));
  if (low) room.block(right - textWidth(words, size) - 0.6 * size, row - 1, right, 1e9);
  xTicks.values.forEach((one, k) => {
    const text = xTicks.labels[k], x = Math.min(frame.x(one), right + 0.85 * size - 0.5 * textWidth(text, size));
    room.put(items, textItem(x, row, text, "ink", size, { anchor: "middle", baseline: "top" }));
  });
  yTicks.values.forEach((one, k) => {
    items.push(textItem(left - 0.55 * size, frame.y(one), yTicks.labels[k], "ink", size, { anchor: "end" }));
  });
}

/**
 * Lays out the entries of a legend in rows to the right of a name; entries without room are left out.
 * @param {Entry[]} entries
 * @param {number} left
 * @param {number} right
 * @param {number} top middle of the first row
 * @param {number} size
 * @param {number} name width of what stands at the left of the first row
 * @param {number} most rows
 * @returns {{rows: number, end: number, placed: {entry: Entry, x: number, y: number}[]}}
 */
function legendRows(entries, left, right, top, size, name, most) {
  const placed = [];
  let x = left + name + (name ? 1.6 * size : 0), row = 0, end = x;
  for (const entry of entries) {
    const width = 1.9 * size + textWidth(entry.text, size);
    if (x + width > right) {
      if (row + 1 >= most || left + width > right) continue;
      [x, row] = [left, row + 1];
    }
    placed.push({ entry, x, y: top + row * LINE_HEIGHT * size });
    end = Math.max(end, x + width);
    x += width + size;
  }
  return { rows: row + 1, end, placed };
}

/**
 * @param {ReturnType<typeof legendRows>} legend
 * @param {number} size
 * @param {number} shift to the right
 * @returns {Item[]}
 */
function legendItems(legend, size, shift) {
  /** @type {Item[]} */
  const items = [];
  for (const { entry, x: place, y } of legend.placed) {
    const x = place + shift, { text, colour, shape, dash, filled } = entry;
    if (entry.line ?? !shape) items.push(lineItem([x, y, x + 1.5 * size, y], colour, 2.2, { dash }));
    if (shape) items.push(marksItem([x + 0.75 * size, y], colour, 0.36 * size, shape, filled));
    items.push(textItem(x + 1.9 * size, y, text, "ink", size));
  }
  return items;
}

/**
 * Returns a clip of the plot of a frame, so that what leaves it is cut.
 * @param {Frame} frame
 * @param {Item[]} items
 * @returns {Item}
 */
export function insideFrame(frame, items) {
  return { kind: "clip", x: frame.left, y: frame.top, width: frame.width, height: frame.height, items };
}

/**
 * Writes a text with a halo into a frame where there is room, and says whether there was.
 * @param {Frame} frame
 * @param {number} x
 * @param {number} y
 * @param {string} text
 * @param {Colour} colour
 * @param {Spot[]} [spots] the text itself alone by default
 * @param {Partial<TextItem>} [more]
 * @param {boolean} [strict] not on a line either
 * @returns {boolean}
 */
export function sayInFrame(frame, x, y, text, colour, spots, more, strict) {
  return frame.room.put(frame.above, textItem(x, y, text, colour, frame.size, { halo: true, ...more }), spots, strict);
}

/**
 * Makes a scene from a frame and what was put into it.
 * @param {Box} box
 * @param {Frame} frame
 * @param {string} label
 * @param {Scene["pick"]} [pick]
 * @returns {Scene}
 */
export function frameScene(box, frame, label, pick) {
  return { width: box.width, height: box.height, items: [...frame.items, insideFrame(frame, frame.inside), ...frame.above], label, pick };
}

/**
 * Returns lines through points in pixels: broken where a number is not finite, and cut a little outside the frame.
 * @param {Frame} frame
 * @param {Numbers} xs pixels
 * @param {Numbers} ys pixels
 * @param {number} [room] pixels around the frame
 * @returns {number[][]} each as x, y, x, y, …
 */
export function piecesInside(frame, xs, ys, room = 20) {
  /** @type {number[][]} */
  const pieces = [];
  const x0 = frame.left - room, x1 = frame.right + room, y0 = frame.top - room, y1 = frame.bottom + room;
  /** @type {number[]} */
  let piece = [];
  const finish = () => {
    if (piece.length > 2) pieces.push(piece);
    piece = [];
  };
  for (let k = 1; k < xs.length; k++) {
    const cut = cutSegment(xs[k - 1], ys[k - 1], xs[k], ys[k], x0, y0, x1, y1);
    if (!cut) {
      finish();
      continue;
    }
    if (piece.length === 0 || cut[0] !== piece[piece.length - 2] || cut[1] !== piece[piece.length - 1]) {
      finish();
      piece.push(cut[0], cut[1]);
    }
    if (cut[2] !== cut[0] || cut[3] !== cut[1]) piece.push(cut[2], cut[3]);
  }
  finish();
  return pieces;
}

/**
 * Cuts a segment to a rectangle; null where nothing is left or an end is not finite (Liang and Barsky).
 * @param {number} ax
 * @param {number} ay
 * @param {number} bx
 * @param {number} by
 * @param {number} x0
 * @param {number} y0
 * @param {number} x1
 * @param {number} y1
 * @returns {[number, number, number, number] | null}
 */
function cutSegment(ax, ay, bx, by, x0, y0, x1, y1) {
  const dx = bx - ax, dy = by - ay;
  if (!Number.isFinite(dx) || !Number.isFinite(dy)) return null;
  let from = 0, to = 1;
  for (const [speed, reach] of [[-dx, ax - x0], [dx, x1 - ax], [-dy, ay - y0], [dy, y1 - ay]]) {
    if (speed === 0) {
      if (reach < 0) return null;
    } else if (speed < 0) from = Math.max(from, reach / speed);
    else to = Math.min(to, reach / speed);
  }
  if (from > to) return null;
  return [from > 0 ? ax + from * dx : ax, from > 0 ? ay + from * dy : ay, to < 1 ? ax + to * dx : bx, to < 1 ? ay + to * dy : by];
}
