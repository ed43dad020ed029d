// Writes a scene as a standalone SVG, letters as letters.
/** @import {Item, Scene} from "../types.js" */
/** @import {Theme} from "./theme.js" */
import { arrowHead, baselineShift, dashLengths, markCorners } from "./shapes.js";

/** What is written so far; `name` begins the names of clips, which differ between pictures in one page.
 * @typedef {{name: string, clips: number, lines: string[]}} Body
 */

/**
 * Writes a scene as one SVG document that needs nothing else.
 * @param {Scene} scene
 * @param {Theme} theme
 * @param {string} [title] of the document; the label of the scene is its description
 * @returns {string}
 */
export function svgOf(scene, theme, title = "") {
  const [width, height] = [scene.width, scene.height].map(svgNumber);
  /** @type {Body} */
  const body = { name: "c" + hashOf(scene.label + "|" + width + "|" + height) + "-", clips: 0, lines: [] };
  for (const item of scene.items) writeItem(body, item, theme);
  return '<svg xmlns="http://www.w3.org/2000/svg" width="' + width + '" height="' + height + '" viewBox="0 0 '
    + width + " " + height + '" role="img" font-family="' + escapeXml(theme.font) + '">\n'
    + (title ? "<title>" + escapeXml(title) + "</title>\n" : "")
    + "<desc>" + escapeXml(scene.label) + "</desc>\n"
    + '<rect width="100%" height="100%" fill="' + theme.lines.ground + '"/>\n'
    + body.lines.join("\n") + "\n</svg>\n";
}

/**
 * Escapes text for XML; characters that XML does not allow become the replacement character.
 * @param {string} text
 * @returns {string}
 */
export function escapeXml(text) {
  const clean = text.replace(/(?![\t\n\r])[\p{Cc}\p{Surrogate}\ufffe\uffff]/gu, "\ufffd");
  return clean.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;")
    .replace(/'/g, "&#39;");
}

/**
 * @param {string} text
 * @returns {string}
 */
function hashOf(text) {
  let hash = 2166136261;
  for (let k = 0; k < text.length; k++) hash = Math.imul(hash ^ text.charCodeAt(k), 16777619);
  return (hash >>> 0).toString(36);
}

/**
 * @param {number} value
 * @returns {string}
 */
function svgNumber(value) {
  return String(Math.round(value * 100) / 100 + 0);
}

/**
 * @param {ArrayLike<number>} points
 * @returns {string}
 */
function pathOf(points) {
  let text = "M";
  for (let k = 0; k < points.length; k += 2) text += (k ? "L" : "") + svgNumber(points[k]) + " " + svgNumber(points[k + 1]);
  return text;
}

/**
 * @param {Body} body
 * @param {Item} item
 * @param {Theme} theme
 */
function writeItem(body, item, theme) {
  if (item.kind === "line") body.lines.push(...svgLine(item, theme));
  else if (item.kind === "marks") body.lines.push(...svgMarks(item, theme));
  else if (item.kind === "text") body.lines.push(svgText(item, theme));
  else if (item.kind === "cells") body.lines.push(...svgCells(item, theme));
  else if (item.kind === "area") {
    body.lines.push('<path d="' + pathOf(item.points) + 'Z" fill="' + theme.lines[item.colour]
      + '" fill-rule="evenodd" fill-opacity="' + svgNumber(item.opacity) + '"/>');
  } else {
    const name = body.name + ++body.clips;
    body.lines.push('<clipPath id="' + name + '">' + svgRect(item.x, item.y, item.width, item.height, "") + "</clipPath>",
      '<g clip-path="url(#' + name + ')">');
    for (const one of item.items) writeItem(body, one, theme);
    body.lines.push("</g>");
  }
}

/**
 * @param {number} x
 * @param {number} y
 * @param {number} width
 * @param {number} height
 * @param {string} more attributes
 * @returns {string}
 */
function svgRect(x, y, width, height, more) {
  return '<rect x="' + svgNumber(x) + '" y="' + svgNumber(y) + '" width="' + svgNumber(width) + '" height="'
    + svgNumber(height) + '"' + more + "/>";
}

/**
 * @param {Extract<Item, {kind: "line"}>} item
 * @param {Theme} theme
 * @returns {string[]}
 */
function svgLine(item, theme) {
  const { points, width } = item;
  if (points.length < 4) return [];
  const arrow = item.arrow ? arrowHead(points, width) : null;
  const faint = item.opacity === undefined ? "" : ' opacity="' + svgNumber(item.opacity) + '"';
  const dashes = dashLengths(item.dash, width).map(svgNumber).join(" ");
  const colour = theme.lines[item.colour];
  const lines = ['<path d="' + pathOf(arrow ? [...Array.from(points).slice(0, -2), ...arrow.end] : points)
    + '" fill="none" stroke="' + colour + '" stroke-width="' + svgNumber(width) + '" stroke-linejoin="round"'
    + (dashes ? ' stroke-dasharray="' + dashes + '"' : ' stroke-linecap="round"') + faint + "/>"];
  if (arrow) lines.push('<path d="' + pathOf(arrow.head) + 'Z" fill="' + colour + '"' + faint + "/>");
  return lines;
}

/**
 * @param {Extract<Item, {kind: "marks"}>} item
 * @param {Theme} theme
 * @returns {string[]}
 */
function svgMarks(item, theme) {
  const { points, radius, shape } = item, lines = [];
  const colour = theme.lines[item.colour];
  const fill = shape === "cross" ? "none" : item.filled ?? shape !== "ring" ? colour : theme.lines.ground;
  const stroke = shape === "disc" && item.filled !== false ? ""
    : ' stroke="' + colour + '" stroke-width="' + svgNumber(Math.max(1.5, 0.3 * radius)) + '"';
  for (let k = 0; k < points.length; k += 2) {
    const x = points[k], y = points[k + 1], s = 0.8 * radius;
    if (shape === "disc" || shape === "ring") {
      lines.push('<circle cx="' + svgNumber(x) + '" cy="' + svgNumber(y) + '" r="' + svgNumber(radius) + '"/>');
    } else if (shape === "cross") {
      lines.push('<path d="' + pathOf([x - s, y - s, x + s, y + s]) + pathOf([x - s, y + s, x + s, y - s]) + '"/>');
    } else lines.push('<path d="' + pathOf(markCorners(shape, x, y, radius)) + 'Z"/>');
  }
  return ['<g fill="' + fill + '"' + stroke + ">", ...lines, "</g>"];
}

/**
 * @param {Extract<Item, {kind: "text"}>} item
 * @param {Theme} theme
 * @returns {string}
 */
function svgText(item, theme) {
  const { size } = item;
  return '<text x="' + svgNumber(item.x) + '" y="' + svgNumber(item.y + baselineShift(item.baseline, size))
    + '" font-size="' + svgNumber(size) + '" fill="' + theme.text[item.colour] + '"'
    + (item.anchor && item.anchor !== "start" ? ' text-anchor="' + item.anchor + '"' : "")
    + (item.bold ? ' font-weight="bold"' : "")
    + (item.halo ? ' paint-order="stroke" stroke="' + theme.lines.ground + '" stroke-linejoin="round" stroke-width="'
      + svgNumber(0.28 * size) + '"' : "")
    + ">" + escapeXml(item.text) + "</text>";
}

/**
 * Merges neighbours of one colour and shade in a row into one rectangle.
 * @param {Extract<Item, {kind: "cells"}>} item
 * @param {Theme} theme
 * @returns {string[]}
 */
function svgCells(item, theme) {
  const { columns, cells, shades } = item;
  const wide = item.width / columns, high = item.height / item.rows;
  const lines = ['<g shape-rendering="crispEdges">'];
  for (let row = 0; row < item.rows; row++) {
    for (let column = 0; column < columns;) {
      const first = column, k = row * columns + column;
      do column++; while (
        column < columns && cells[row * columns + column] === cells[k]
        && (!shades || shades[row * columns + column] === shades[k])
      );
      const faint = shades && shades[k] < 1 ? ' fill-opacity="' + svgNumber(shades[k]) + '"' : "";
      lines.push(svgRect(item.x + first * wide, item.y + row * high, (column - first) * wide, high,
        ' fill="' + theme.lines[item.colours[cells[k]]] + '"' + faint));
    }
  }
  return [...lines, "</g>"];
}
