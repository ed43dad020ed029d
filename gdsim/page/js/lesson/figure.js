// The figures of a lesson: a view on a canvas, and a slider where something in it moves.

/** @import {FigureStep, PictureStep} from "../lesson" */
/** @import {Outcome, State, View} from "../types" */

import { themeNow, watchTheme } from "../app/appearance.js";
import { paintScene } from "../draw/canvas.js";
import { cobwebView } from "../views/cobweb.js";
import { contourView } from "../views/contour.js";
import { convergenceView } from "../views/convergence.js";
import { curveView } from "../views/curve.js";
import { derivativeView } from "../views/derivative.js";
import { rulerView } from "../views/ruler.js";
import { vcurveView } from "../views/vcurve.js";
import { zoomView } from "../views/zoom.js";
import { lessonNode } from "./markup.js";

/** @type {Record<string, View>} */
const LESSON_VIEWS = {
  cobweb: cobwebView, contour: contourView, convergence: convergenceView, curve: curveView,
  derivative: derivativeView, ruler: rulerView, vcurve: vcurveView, zoom: zoomView,
};
const STILL = ["ruler", "vcurve", "zoom"]; // in which no step is shown
const FIRST_H = -0.5; // of log10 h, where a secant is still seen to be one
/** The least and the greatest height in CSS pixels, where they are others. @type {[string, number, number][]} */
const HEIGHTS = [["ruler", 124, 124], ["zoom", 330, 440], ["contour", 300, 480]];
const LEAST_H = -16;

/** @type {{room: ResizeObserver, draw: () => void}[]} */
const figuresShown = [];

/** Draws the figures anew whenever the colours change. @type {() => void} */
export function watchFigures() {
  watchTheme(() => figuresShown.forEach((one) => one.draw()));
}

/** Forgets the figures of the step before. @type {() => void} */
export function releaseFigures() {
  for (const { room } of figuresShown.splice(0)) room.disconnect();
}

/**
 * A figure of a run, in words for those who do not see it.
 * @param {Outcome} outcome
 * @param {string} plot
 * @param {FigureStep | null} step what of the run it shows; all of it where null
 * @param {Record<string, string>} phrases
 * @returns {HTMLElement}
 */
export function lessonFigure(outcome, plot, step, phrases) {
  const view = LESSON_VIEWS[plot] ?? (outcome.problem.start.length > 1 ? contourView : curveView);
  const canvas = lessonNode("canvas", { role: "img", "aria-label": plot });
  const figure = lessonNode("figure", { class: "plot-" + plot }, canvas);
  const { steps } = outcome.trajectory;
  const first = Math.min(step?.until ?? step?.at[0] ?? steps, steps);
  let state = stateShown(outcome, plot === "vcurve" || plot === "zoom" ? 0 : first);
  const draw = () => paintFigure(figure, canvas, (box) => view(outcome, state, box, null));
  const slide = (/** @type {Partial<State>} */ change) => {
    state = { ...state, ...change };
    draw();
  };
  if (plot === "zoom") {
    figure.append(slider("h = 10^", phrases["page-h"], LEAST_H, 0.5, 0.05, FIRST_H, (logH) => slide({ logH })));
  } else if (!STILL.includes(plot) && steps > 0 && step?.until !== 0) {
    figure.append(slider("", phrases["page-at-step"], 0, step?.until ?? steps, 1, first, (at) => slide({ step: at })));
  }
  watchFigure(canvas, draw);
  return figure;
}

/** A picture that Python drew. @type {(step: PictureStep) => HTMLElement} */
export function lessonPicture({ picture, alt }) {
  return lessonNode("figure", { class: "picture" }, lessonNode("img", { src: picture, alt }));
}

/** @type {(outcome: Outcome, step: number) => State} */
function stateShown({ problem }, step) {
  const { derivative, parameters, rate, rule, seed, start, stopping } = problem;
  return {
    formula: "", parameters, start, rate: rate.initial, rule: rule.name, options: rule.options,
    maxSteps: stopping.maxSteps, derivative: derivative.method === "numeric" ? derivative.scheme : "exact",
    rival: "", rivalOptions: {}, rivalRate: rate.initial, step, logH: FIRST_H, seed,
  };
}

/** @type {(before: string, label: string, least: number, most: number, by: number, now: number, act: (value: number) => void) => HTMLElement} */
function slider(before, label, least, most, by, now, act) {
  const value = lessonNode("output", {}, before + now);
  const input = lessonNode("input", { type: "range", min: least, max: most, step: by, value: now, oninput: () => {
    value.textContent = before + input.value.replace("-", "−");
    act(Number(input.value));
  } });
  return lessonNode("label", { class: "slide" }, lessonNode("span", {}, label), input, value);
}

/** @type {(figure: HTMLElement, canvas: HTMLCanvasElement, scene: (box: {width: number, height: number}) => import("../types").Scene) => void} */
function paintFigure(figure, canvas, scene) {
  const width = Math.floor(figure.clientWidth);
  const brush = canvas.getContext("2d");
  if (!width || !brush) return;
  const [, least, most] = HEIGHTS.find(([plot]) => figure.classList.contains("plot-" + plot)) ?? ["", 230, 440];
  const height = Math.round(Math.min(most, Math.max(least, 0.62 * width)));
  const ratio = window.devicePixelRatio || 1;
  const drawn = scene({ width, height });
  canvas.width = Math.round(drawn.width * ratio);
  canvas.height = Math.round(drawn.height * ratio);
  canvas.style.width = drawn.width + "px";
  canvas.style.height = drawn.height + "px";
  canvas.setAttribute("aria-label", drawn.label);
  paintScene(brush, drawn, themeNow(), ratio);
}

/** Draws when there is room, and anew when it changes. @type {(canvas: HTMLCanvasElement, draw: () => void) => void} */
function watchFigure(canvas, draw) {
  let width = 0;
  const room = new ResizeObserver(([entry]) => {
    const now = Math.floor(entry.contentRect.width);
    if (now === width) return;
    width = now;
    draw();
  });
  room.observe(/** @type {HTMLElement} */ (canvas.parentElement));
  figuresShown.push({ room, draw });
}

/** What happened in a run, and why. @type {(outcome: Outcome) => HTMLElement} */
export function verdictNode({ verdict }) {
  const kind = verdict.kind.replaceAll("_", " ");
  const made = lessonNode("p", { class: "outcome" }, lessonNode("b", {}, kind), " ", verdict.sentence);
  if (verdict.remedy) made.append(lessonNode("br"), "→ " + verdict.remedy);
  return made;
}
