// Pictures: a canvas each, painted when it is seen, and picked from by pointer.

import { paintScene } from "../draw/canvas.js";
import { isPrinting, themeNow } from "./appearance.js";
import { make, setAttribute } from "./elements.js";

/** @import {Box, Outcome, Scene, State} from "../types.js" */
/** @import {Desk} from "./desk.js" */
/** @import {Part} from "./fields.js" */

/**
 * What draws: a view, or a view with more to know bound to it.
 * @typedef {(box: Box) => Scene} Drawing
 */

/**
 * A picture of the page.
 * @typedef {Part & {name: string, title: string, drawing: Drawing, box: () => Box, redraw: () => void}} Figure
 */

/** A picture on paper, in pixels of 1/96 inch: as wide as a sheet of A4 between its margins. */
const PAPER_WIDTH = 688;
const PAPER_HEIGHT = 360;
const PAPER_DOTS = 3; // in such a pixel
/** @type {Record<string, number>} */
const PAPER_HEIGHTS = { curve: 264, derivative: 160, ruler: 176 };

/** The size of the letters of the page over the usual one: projectors get larger pictures' texts, too. */
function magnification() {
  return parseFloat(getComputedStyle(document.documentElement).fontSize) / 16 || 1;
}

/**
 * @param {Desk} desk
 * @param {string} name for the style, the tests and the names of files
 * @param {string} title
 * @param {Drawing} drawing
 * @param {boolean} [picked] whether a click in it sets something
 * @returns {Figure}
 */
export function figureOf(desk, name, title, drawing, picked = false) {
  const canvas = make("canvas", { role: "img", "aria-label": title, class: "canvas-" + name, tabindex: picked ? 0 : null });
  const element = make("figure", { class: "figure figure-" + name, "data-view": name }, canvas);
  const brush = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  let width = 0, height = 0, near = true, stale = true;
  /** @type {Scene | null} */
  let scene = null;
  const box = () => {
    if (isPrinting()) return { width: PAPER_WIDTH, height: PAPER_HEIGHTS[name] ?? PAPER_HEIGHT };
    const scale = magnification();
    return { width: Math.max(1, (width || 640) / scale), height: Math.max(1, (height || 360) / scale) };
  };
  const paint = () => {
    if (width === 0 || height === 0 || !(near || isPrinting())) {
      stale = true;
      return;
    }
    stale = !near;
    const fine = isPrinting() ? PAPER_DOTS : Math.min(3, devicePixelRatio || 1) * magnification();
    const ratio = name === "atlas" ? Math.ceil(fine) : fine; // cells of whole pixels have no seams
    scene = drawing(box());
    const [wide, high] = [Math.round(scene.width * ratio), Math.round(scene.height * ratio)];
    if (canvas.width !== wide || canvas.height !== high) [canvas.width, canvas.height] = [wide, high];
    paintScene(brush, scene, themeNow(), ratio);
    setAttribute(canvas, "aria-label", scene.label);
  };
  new ResizeObserver(([entry]) => {
    const { width: wide, height: high } = entry.contentRect;
    if (wide === width && high === height) return;
    [width, height] = [wide, high];
    paint();
  }).observe(canvas);
  new IntersectionObserver(([entry]) => {
    near = entry.isIntersecting;
    if (near && stale) paint();
  }, { rootMargin: "200px" }).observe(canvas);
  if (picked) pickFrom(desk, canvas, () => scene);
  return { name, title, drawing, element, update: paint, box, redraw: paint };
}

/**
 * Sets what stands at the place of a press, and follows the pointer until it is let go.
 * @param {Desk} desk
 * @param {HTMLCanvasElement} canvas
 * @param {() => Scene | null} sceneNow
 */
function pickFrom(desk, canvas, sceneNow) {
  let held = false;
  const pick = (/** @type {PointerEvent} */ event) => {
    const scene = sceneNow();
    if (!scene?.pick) return;
    const { left, top, width, height } = canvas.getBoundingClientRect();
    const found = scene.pick((event.clientX - left) * scene.width / width, (event.clientY - top) * scene.height / height);
    if (found) desk.set(found);
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !sceneNow()?.pick) return;
    held = true;
    canvas.setPointerCapture(event.pointerId);
    pick(event);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (held) pick(event);
  });
  for (const end of /** @type {const} */ (["pointerup", "pointercancel", "lostpointercapture"])) {
    canvas.addEventListener(end, () => {
      held = false;
    });
  }
}

/**
 * Binds a view to what the desk knows.
 * @param {Desk} desk
 * @param {(outcome: Outcome, state: State, box: Box, rival: Outcome | null) => Scene} view
 * @returns {Drawing}
 */
export function drawn(desk, view) {
  return (box) => view(desk.outcome, desk.state, box, desk.rival);
}
