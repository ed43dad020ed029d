// Short ways to say what is drawn.
/** @import {Colour, Item, Numbers, Shape} from "../types.js" */

/** @typedef {Extract<Item, {kind: "line"}>} LineItem */
/** @typedef {Extract<Item, {kind: "marks"}>} MarksItem */
/** @typedef {Extract<Item, {kind: "text"}>} TextItem */

/**
 * @param {Numbers} points
 * @param {Colour} colour
 * @param {number} width
 * @param {Partial<LineItem>} [more]
 * @returns {LineItem}
 */
export function lineItem(points, colour, width, more) {
  return { kind: "line", points, colour, width, ...more };
}

/**
 * @param {Numbers} points
 * @param {Colour} colour
 * @param {number} radius
 * @param {Shape} shape
 * @param {boolean} [filled]
 * @returns {MarksItem}
 */
export function marksItem(points, colour, radius, shape, filled = shape !== "ring") {
  return { kind: "marks", points, colour, radius, shape, filled };
}

/**
 * @param {number} x
 * @param {number} y
 * @param {string} text
 * @param {Colour} colour
 * @param {number} size
 * @param {Partial<TextItem>} [more]
 * @returns {TextItem}
 */
export function textItem(x, y, text, colour, size, more) {
  return { kind: "text", x, y, text, colour, size, baseline: "middle", ...more };
}
