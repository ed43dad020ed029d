// A picture that says in words why there is nothing to draw, and words broken into lines.

import { textWidth } from "../draw/shapes.js";

/** @import {Box, Scene} from "../types.js" */

/**
 * Breaks text into lines that are at most so wide.
 * @param {string} text
 * @param {number} width
 * @param {number} size
 * @returns {string[]}
 */
export function wrapWords(text, width, size) {
  /** @type {string[]} */
  const lines = [];
  for (const word of text.split(" ")) {
    const longer = lines.length ? lines[lines.length - 1] + " " + word : "";
    if (longer && textWidth(longer, size) <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/**
 * @param {Box} box
 * @param {string} text
 * @returns {Scene}
 */
export function messageScene(box, text) {
  const size = 14, lines = wrapWords(text, box.width - 24, size), leading = size + 6;
  const first = box.height / 2 - ((lines.length - 1) / 2) * leading;
  return {
    ...box, label: text,
    items: lines.map((line, index) => (
      { kind: "text", x: box.width / 2, y: first + index * leading, text: line, colour: "quiet", size, anchor: "middle" }
    )),
  };
}
