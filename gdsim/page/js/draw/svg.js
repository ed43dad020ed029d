// Writes a scene as a standalone SVG, letters as letters: what the canvas is painted with, written down.
/** @import {Scene} from "../types.js" */
/** @import {Brush} from "./canvas.js" */
/** @import {Theme} from "./theme.js" */
import { paintScene } from "./canvas.js";

/**
 * Writes a scene as one SVG document that needs nothing else.
 * @param {Scene} scene
 * @param {Theme} theme
 * @param {string} [title] of the document; the label of the scene is its description
 * @returns {string}
 */
export function svgOf(scene, theme, title = "") {
  const { width, height, label } = scene, { brush, lines } = svgBrush("c" + hashOf(label + width + "x" + height) + "-");
  paintScene(brush, scene, theme, 1);
  const size = attributes({ width, height, viewBox: "0 0 " + width + " " + height, role: "img", "font-family": theme.font });
  return '<svg xmlns="http://www.w3.org/2000/svg"' + size + ">\n" + (title ? "<title>" + escapeXml(title) + "</title>\n" : "")
    + "<desc>" + escapeXml(label) + "</desc>\n" + lines.join("\n") + "\n</svg>\n";
}

/**
 * Escapes text for XML; characters that XML does not allow become the replacement character.
 * @param {string} text
 * @returns {string}
 */
function escapeXml(text) {
  return text.replace(/(?![\t\n\r])[\p{Cc}\p{Surrogate}\ufffe\uffff]/gu, "\ufffd")
    .replace(/[&<>"']/g, (one) => "&#" + one.charCodeAt(0) + ";");
}

/**
 * @param {Record<string, string | number>} values numbers are rounded to hundredths; 1 for an opacity is left out
 * @returns {string}
 */
function attributes(values) {
  return Object.entries(values).filter(([name, value]) => value !== "" && !(value === 1 && name.endsWith("opacity")))
    .map(([name, value]) => " " + name + '="' + (typeof value === "number" ? hundredths(value) : escapeXml(value)) + '"').join("");
}

/**
 * @param {number} value
 * @returns {string}
 */
function hundredths(value) {
  return String(Math.round(value * 100) / 100 + 0);
}

/**
 * Returns a short name for a text.
 * @param {string} text
 * @returns {string}
 */
function hashOf(text) {
  let hash = 2166136261;
  for (let k = 0; k < text.length; k++) hash = Math.imul(hash ^ text.charCodeAt(k), 16777619);
  return (hash >>> 0).toString(36);
}

/**
 * Returns a brush that writes down what it paints.
 * @param {string} prefix of the names of clips, which differ between pictures of one page
 * @returns {{brush: Brush, lines: string[]}}
 */
function svgBrush(prefix) {
  /** @type {string[]} */
  const lines = [];
  let path = "", dashes = "", halo = {}, clips = 0;
  /** @type {(letter: string, ...numbers: number[]) => void} */
  const draw = (letter, ...numbers) => {
    path += letter + numbers.map(hundredths).join(" ");
  };
  /** @type {(tag: string, values: Record<string, string | number>, body?: string) => void} */
  const write = (tag, values, body = "") => void lines.push("<" + tag + attributes(values) + (body ? ">" + body + "</" + tag + ">" : "/>"));
  const brush = {
    globalAlpha: 1, fillStyle: "", strokeStyle: "", lineWidth: 1, font: "",
    lineCap: /** @type {CanvasLineCap} */ ("round"), lineJoin: /** @type {CanvasLineJoin} */ ("round"),
    textAlign: /** @type {CanvasTextAlign} */ ("start"), textBaseline: /** @type {CanvasTextBaseline} */ ("alphabetic"),
    setTransform: () => {},
    save: () => {},
    restore: () => void lines.push("</g>"),
    clip: () => {
      const id = prefix + ++clips;
      lines.push('<clipPath id="' + id + '"><path d="' + path + '"/></clipPath><g clip-path="url(#' + id + ')">');
    },
    beginPath: () => {
      path = "";
    },
    moveTo: (/** @type {number} */ x, /** @type {number} */ y) => draw("M", x, y),
    lineTo: (/** @type {number} */ x, /** @type {number} */ y) => draw("L", x, y),
    closePath: () => draw("Z"),
    /** @type {(x: number, y: number, width: number, height: number) => void} */
    rect: (x, y, width, height) => {
      draw("M", x, y);
      draw("h", width);
      draw("v", height);
      draw("h", -width);
      draw("Z");
    },
    /** @type {(x: number, y: number, radius: number) => void} */
    arc: (x, y, radius) => {
      draw("a", radius, radius, 0, 1, 1, -2 * radius, 0);
      draw("a", radius, radius, 0, 1, 1, 2 * radius, 0);
    },
    fill: () => write("path", { d: path, fill: brush.fillStyle, "fill-rule": "evenodd", "fill-opacity": brush.globalAlpha }),
    stroke: () => write("path", {
      d: path, fill: "none", stroke: brush.strokeStyle, "stroke-width": brush.lineWidth, "stroke-linejoin": "round",
      "stroke-linecap": brush.lineCap, "stroke-dasharray": dashes, "stroke-opacity": brush.globalAlpha,
    }),
    setLineDash: (/** @type {number[]} */ lengths) => {
      dashes = lengths.map(hundredths).join(" ");
    },
    /** @type {(x: number, y: number, width: number, height: number) => void} */
    fillRect: (x, y, width, height) => write("rect", { x, y, width, height, fill: brush.fillStyle, "fill-opacity": brush.globalAlpha }),
    strokeText: () => {
      halo = { stroke: brush.strokeStyle, "stroke-width": brush.lineWidth, "stroke-linejoin": "round", "paint-order": "stroke" };
    },
    /** @type {(text: string, x: number, y: number) => void} */
    fillText: (text, x, y) => {
      write("text", {
        x, y, fill: brush.fillStyle, "font-size": /[\d.]+(?=px)/.exec(brush.font)?.[0] ?? "", ...halo,
        "font-weight": brush.font.startsWith("bold") ? "bold" : "", "text-anchor": brush.textAlign.replace("center", "middle"),
      }, escapeXml(text));
      halo = {};
    },
  };
  return { brush, lines };
}
