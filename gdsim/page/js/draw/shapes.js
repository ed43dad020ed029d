// The geometry that canvas and SVG share.
/** @import {Dash, Numbers, Shape} from "../types.js" */

/** Corners of marks as parts of their radius.
 * @type {Partial<Record<Shape, number[][]>>}
 */
const OUTLINES = {
  square: [[-0.88, -0.88, 0.88, -0.88, 0.88, 0.88, -0.88, 0.88]],
  diamond: [[0, -1.2, 1.2, 0, 0, 1.2, -1.2, 0]],
  triangle: [[0, -1.1, 1.1, 0.85, -1.1, 0.85]],
  cross: [[-0.8, -0.8, 0.8, 0.8], [-0.8, 0.8, 0.8, -0.8]],
};

/**
 * Returns the outlines of a mark, each as x, y, x, y, …; none for a disc or ring, which are circles.
 * @param {Shape} shape
 * @param {number} x
 * @param {number} y
 * @param {number} radius
 * @returns {number[][]}
 */
export function markOutlines(shape, x, y, radius) {
  return (OUTLINES[shape] ?? []).map((corners) => corners.map((part, k) => (k % 2 ? y : x) + radius * part));
}

/**
 * Returns tip and feet of the arrow head at the end of a line, and where the line itself ends; null for a point.
 * @param {Numbers} points
 * @param {number} width of the line
 * @returns {{head: number[], end: [number, number]} | null}
 */
export function arrowHead(points, width) {
  const n = points.length;
  const x = points[n - 2], y = points[n - 1];
  for (let k = n - 4; k >= 0; k -= 2) {
    const dx = x - points[k], dy = y - points[k + 1], length = Math.hypot(dx, dy);
    if (length < 0.5 && k > 0) continue;
    if (length < 0.01) return null;
    const size = Math.min(5 + 2 * width, length), half = 0.42 * size, u = dx / length, v = dy / length;
    const bx = x - size * u, by = y - size * v;
    return { head: [x, y, bx - half * v, by + half * u, bx + half * v, by - half * u], end: [x - 0.7 * size * u, y - 0.7 * size * v] };
  }
  return null;
}

/**
 * Returns the lengths of dashes and gaps.
 * @param {Dash | undefined} dash
 * @param {number} width of the line
 * @returns {number[]}
 */
export function dashLengths(dash, width) {
  return dash === "dashed" ? [3 + 2 * width, 2 + 1.5 * width] : dash === "dotted" ? [width, 1.5 + 1.5 * width] : [];
}

/**
 * Returns the height of the baseline of a text below its y.
 * @param {"top" | "middle" | "bottom" | undefined} baseline middle by default
 * @param {number} size
 * @returns {number}
 */
export function baselineShift(baseline, size) {
  return size * (baseline === "top" ? 0.95 : baseline === "bottom" ? -0.25 : 0.35);
}

/** Parts of the size of a letter, by letters of one width. */
const LETTER_WIDTHS = [
  [0.29, "ijlI|.,:;'′!"], [0.34, " []()/\\-"], [0.41, "frt\"″*⁰¹²³⁴⁵⁶⁷⁸⁹⁻·"], [0.55, "cksvxyzJL?η"], [0.79, "wMNOQGD"],
  [0.86, "+−=<>≤≥×±~∞←→↑↓≈"], [0.98, "mW%@—…◀▶▲▼"],
];
/** @type {Record<string, number>} */
const WIDTH_OF_LETTER = {};
for (const [width, letters] of LETTER_WIDTHS) for (const one of String(letters)) WIDTH_OF_LETTER[one] = Number(width);

/**
 * Estimates how wide a text is in pixels, rather too wide than too narrow; needs no document.
 * @param {string} text
 * @param {number} size
 * @param {boolean} [bold]
 * @returns {number}
 */
export function textWidth(text, size, bold = false) {
  let width = 0;
  for (const one of text) {
    width += WIDTH_OF_LETTER[one] ?? (one > "\u2e7f" ? 1 : one >= "A" && one <= "Z" ? 0.7 : 0.63);
  }
  return width * size * (bold ? 1.1 : 1);
}
