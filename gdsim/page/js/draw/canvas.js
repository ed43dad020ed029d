// Paints a scene on a canvas. Nothing else of the pictures knows a canvas.
/** @import {Item, Scene} from "../types.js" */
/** @import {Theme} from "./theme.js" */
import { arrowHead, baselineShift, dashLengths, markOutlines } from "./shapes.js";

/** What the painter needs of the context of a canvas; svg.js has another that writes down what is painted.
 * @typedef {Pick<CanvasRenderingContext2D, "setTransform" | "globalAlpha" | "fillStyle" | "strokeStyle" | "lineWidth" | "lineCap"
 *   | "lineJoin" | "font" | "textAlign" | "textBaseline" | "fillRect" | "beginPath" | "moveTo" | "lineTo" | "arc" | "rect"
 *   | "closePath" | "setLineDash" | "strokeText" | "fillText"> & {save: () => void, restore: () => void, clip: () => void,
 *   fill: (rule?: "evenodd") => void, stroke: () => void}} Brush
 */

/**
 * Paints the whole scene.
 * @param {Brush} brush the context of a canvas of scene.width · ratio by scene.height · ratio
 * @param {Scene} scene
 * @param {Theme} theme
 * @param {number} ratio pixels of the canvas for one CSS pixel
 */
export function paintScene(brush, scene, theme, ratio) {
  brush.setTransform(ratio, 0, 0, ratio, 0, 0);
  brush.globalAlpha = 1;
  brush.fillStyle = theme.lines.ground;
  brush.fillRect(0, 0, scene.width, scene.height);
  brush.lineCap = "round";
  brush.lineJoin = "round";
  for (const item of scene.items) paintItem(brush, item, theme);
}

/**
 * @param {Brush} brush
 * @param {Item} item
 * @param {Theme} theme
 */
function paintItem(brush, item, theme) {
  if (item.kind === "line") paintLine(brush, item, theme);
  else if (item.kind === "marks") paintMarks(brush, item, theme);
  else if (item.kind === "text") paintText(brush, item, theme);
  else if (item.kind === "cells") paintCells(brush, item, theme);
  else if (item.kind === "area") {
    brush.globalAlpha = item.opacity;
    brush.fillStyle = theme.lines[item.colour];
    brush.beginPath();
    trace(brush, item.points);
    brush.fill("evenodd");
    brush.globalAlpha = 1;
  } else {
    brush.save();
    brush.beginPath();
    brush.rect(item.x, item.y, item.width, item.height);
    brush.clip();
    for (const one of item.items) paintItem(brush, one, theme);
    brush.restore();
  }
}

/**
 * @param {Brush} brush
 * @param {ArrayLike<number>} points
 */
function trace(brush, points) {
  brush.moveTo(points[0], points[1]);
  for (let k = 2; k < points.length; k += 2) brush.lineTo(points[k], points[k + 1]);
}

/**
 * @param {Brush} brush
 * @param {Extract<Item, {kind: "line"}>} item
 * @param {Theme} theme
 */
function paintLine(brush, item, theme) {
  const { points, width } = item;
  if (points.length < 4) return;
  brush.globalAlpha = item.opacity ?? 1;
  brush.strokeStyle = brush.fillStyle = theme.lines[item.colour];
  brush.lineWidth = width;
  const arrow = item.arrow ? arrowHead(points, width) : null;
  brush.beginPath();
  trace(brush, arrow ? [...Array.from(points).slice(0, -2), ...arrow.end] : points);
  brush.setLineDash(dashLengths(item.dash, width));
  brush.lineCap = item.dash ? "butt" : "round";
  brush.stroke();
  brush.setLineDash([]);
  if (arrow) {
    brush.beginPath();
    trace(brush, arrow.head);
    brush.fill();
  }
  brush.globalAlpha = 1;
}

/**
 * @param {Brush} brush
 * @param {Extract<Item, {kind: "marks"}>} item
 * @param {Theme} theme
 */
function paintMarks(brush, item, theme) {
  const { points, radius, shape } = item;
  brush.strokeStyle = theme.lines[item.colour];
  brush.fillStyle = item.filled ?? shape !== "ring" ? theme.lines[item.colour] : theme.lines.ground;
  brush.lineWidth = Math.max(1.5, 0.3 * radius);
  brush.beginPath();
  for (let k = 0; k < points.length; k += 2) {
    const x = points[k], y = points[k + 1];
    if (shape === "disc" || shape === "ring") {
      brush.moveTo(x + radius, y);
      brush.arc(x, y, radius, 0, 2 * Math.PI);
    } else markOutlines(shape, x, y, radius).forEach((corners) => trace(brush, corners));
    if (shape !== "cross") brush.closePath();
  }
  if (shape !== "cross") brush.fill();
  if (shape !== "disc" || item.filled === false) brush.stroke();
}

/**
 * @param {Brush} brush
 * @param {Extract<Item, {kind: "text"}>} item
 * @param {Theme} theme
 */
function paintText(brush, item, theme) {
  const y = item.y + baselineShift(item.baseline, item.size);
  brush.font = (item.bold ? "bold " : "") + item.size + "px " + theme.font;
  brush.textAlign = item.anchor === "middle" ? "center" : item.anchor ?? "start";
  brush.textBaseline = "alphabetic";
  if (item.halo) {
    brush.strokeStyle = theme.lines.ground;
    brush.lineWidth = 0.28 * item.size;
    brush.strokeText(item.text, item.x, y);
  }
  brush.fillStyle = theme.text[item.colour];
  brush.fillText(item.text, item.x, y);
}

/**
 * @param {Brush} brush
 * @param {Extract<Item, {kind: "cells"}>} item
 * @param {Theme} theme
 */
function paintCells(brush, item, theme) {
  const wide = item.width / item.columns, high = item.height / item.rows;
  const colours = item.colours.map((one) => theme.lines[one]);
  for (let row = 0; row < item.rows; row++) {
    // Whole pixels: no seams between neighbours, nor stripes where translucent ones overlap.
    const y = Math.round(item.y + row * high), below = Math.round(item.y + (row + 1) * high);
    for (let column = 0; column < item.columns;) {
      const first = column, k = row * item.columns + column;
      const shade = item.shades ? item.shades[k] : 1;
      do column++; while (
        column < item.columns && item.cells[row * item.columns + column] === item.cells[k]
        && (item.shades ? item.shades[row * item.columns + column] : 1) === shade
      );
      brush.globalAlpha = shade;
      brush.fillStyle = colours[item.cells[k]];
      const x = Math.round(item.x + first * wide);
      brush.fillRect(x, y, Math.round(item.x + column * wide) - x, below - y);
    }
  }
  brush.globalAlpha = 1;
}
