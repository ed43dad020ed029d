// One laboratory: pictures, verdict, controls and panels around one desk.

import { contourView } from "../views/contour.js";
import { cobwebView } from "../views/cobweb.js";
import { convergenceView } from "../views/convergence.js";
import { curveView } from "../views/curve.js";
import { derivativeView } from "../views/derivative.js";
import { phaseView } from "../views/phase.js";
import { rulerView } from "../views/ruler.js";
import { watchTheme } from "./appearance.js";
import { atlasPanel } from "./atlas_panel.js";
import { controlsOf, settingsLine } from "./controls.js";
import { deskOf } from "./desk.js";
import { make, setText } from "./elements.js";
import { exportsOf } from "./exports.js";
import { drawn, figureOf } from "./figures.js";
import { formulaOf } from "./formula_line.js";
import { methodsPanel, stepPanel } from "./number_panels.js";
import { panelsOf } from "./panels.js";
import { playerOf } from "./player.js";
import { tableOf } from "./table.js";
import { verdictCard } from "./verdict_card.js";

/** @import {Emitted, LabData, View} from "../types.js" */
/** @import {Desk, LabOptions} from "./desk.js" */
/** @import {Part} from "./fields.js" */
/** @import {Figure} from "./figures.js" */
/** @import {Panel} from "./panels.js" */

/**
 * A laboratory on a page.
 * @typedef {object} Laboratory
 * @property {HTMLElement} element
 * @property {Desk} desk its state and outcome, and `set` to change it
 */

/**
 * Puts a laboratory into an element of the page.
 * @param {HTMLElement} element
 * @param {LabData} lab
 * @param {Emitted} emitted
 * @param {LabOptions} [options]
 * @returns {Laboratory}
 */
export function mountLab(element, lab, emitted, options = {}) {
  const desk = deskOf(lab, emitted, options);
  const root = make("div", { class: "lab", id: desk.id });
  element.append(root);
  /** @type {Bench} */
  let bench = benchOf(desk, root);
  desk.listen(() => {
    if (bench.weights !== desk.loss().weights.length) bench = benchOf(desk, root);
    bench.update();
  });
  watchTheme(() => desk.tell("theme"));
  if (options.address) addEventListener("keydown", (event) => bench.keys(event));
  else root.addEventListener("keydown", (event) => bench.keys(event));
  desk.tell("run");
  options.onRun?.(desk.outcome, desk.state);
  return { element: root, desk };
}

/**
 * What stands in a laboratory for one number of weights.
 * @typedef {{weights: number, update: () => void, keys: (event: KeyboardEvent) => void}} Bench
 */

/**
 * @param {Desk} desk
 * @param {HTMLElement} root is emptied
 * @returns {Bench}
 */
function benchOf(desk, root) {
  const weights = desk.loss().weights.length;
  const stage = stageOf(desk, weights);
  const chosen = panelChoice(desk, weights);
  const panels = chosen.length ? panelsOf(desk, chosen) : null;
  const controls = controlsOf(desk);
  const formula = desk.shows("formula") ? formulaOf(desk) : null;
  const open = () => {
    const figure = panels?.figure();
    return [...stage.figures, ...(figure ? [figure] : [])];
  };
  const saving = desk.shows("exports") ? exportsOf(desk, open) : null;
  const settings = make("p", { class: "settings-line" });
  const parts = [formula, stage, controls, panels, saving].filter((one) => one !== null);
  root.dataset.weights = String(weights);
  root.classList.toggle("no-controls", !controls);
  root.classList.toggle("no-panels", !panels);
  root.replaceChildren(...parts.map((one) => one.element), settings);
  return {
    weights,
    keys: stage.keys,
    update() {
      parts.forEach((one) => one.update());
      setText(settings, settingsLine(desk));
    },
  };
}

/**
 * The pictures that always stand there, the player, the verdict and the ruler.
 * @param {Desk} desk
 * @param {number} weights
 * @returns {Part & {figures: Figure[], keys: (event: KeyboardEvent) => void}}
 */
function stageOf(desk, weights) {
  /** @type {Figure[]} */
  const figures = [];
  const add = (/** @type {string} */ part, /** @type {string} */ name, /** @type {string} */ title, /** @type {View} */ view, picked = false) => {
    if (desk.shows(part)) figures.push(figureOf(desk, name, title, drawn(desk, view), picked));
  };
  const picked = desk.shows("start");
  if (weights === 1) {
    add("picture", "curve", "Curve", curveView, picked);
    add("derivative", "derivative", "Derivative", derivativeView, picked);
  } else if (weights === 2) add("picture", "contour", "Contour", contourView, picked);
  else add("picture", "convergence", "Convergence", convergenceView);
  const player = desk.shows("player") ? playerOf(desk) : null;
  const verdict = desk.shows("verdict") ? verdictCard(desk) : null;
  const ruler = desk.shows("ruler") ? figureOf(desk, "ruler", "Ruler", drawn(desk, rulerView), desk.shows("rate")) : null;
  const parts = [...figures, player, verdict, ruler].filter((one) => one !== null);
  if (ruler) figures.push(ruler);
  return {
    element: make("div", { class: "stage" }, ...parts.map((one) => one.element)),
    figures,
    keys: (event) => player?.keys(event),
    update: () => parts.forEach((one) => one.update()),
  };
}

/**
 * The panels that suit a number of weights and are not hidden.
 * @param {Desk} desk
 * @param {number} weights
 * @returns {Panel[]}
 */
function panelChoice(desk, weights) {
  const plain = (/** @type {string} */ name, /** @type {string} */ title, /** @type {View} */ view) => ({
    name, title, make: () => {
      const figure = figureOf(desk, name, title, drawn(desk, view));
      return { element: figure.element, figure, update: figure.update };
    },
  });
  /** @type {(Panel | false)[]} */
  const all = [
    weights <= 2 && plain("convergence", "Convergence", convergenceView),
    { name: "zoom", title: "Zoom", make: () => stepPanel(desk, "zoom", "Zoom") },
    { name: "methods", title: "Methods", make: () => methodsPanel(desk) },
    { name: "vcurve", title: "V-curve", make: () => stepPanel(desk, "vcurve", "V-curve") },
    weights === 1 && plain("cobweb", "Cobweb", cobwebView),
    plain("phase", "Phase", phaseView),
    { name: "atlas", title: "Atlas", make: () => atlasPanel(desk) },
    { name: "table", title: "Table", make: () => tableOf(desk) },
  ];
  return all.filter((one) => one !== false).filter((one) => desk.shows(one.name));
}
