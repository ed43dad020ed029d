// Panels with numbers beside their pictures: the zoom with its h, and the derivative by every method.

import { writeNumber } from "../engine/words.js";
import { methodRows } from "../views/methods.js";
import { vcurveView } from "../views/vcurve.js";
import { zoomView } from "../views/zoom.js";
import { make, setAttribute, setText } from "./elements.js";
import { drawn, figureOf } from "./figures.js";
import { exactText } from "./numerals.js";

/** @import {Desk} from "./desk.js" */
/** @import {Part} from "./fields.js" */
/** @import {Figure} from "./figures.js" */

const WIDEST = 0;
const NARROWEST = -16;

/**
 * A slider for h, from wide to narrow.
 * @param {Desk} desk
 * @param {string} panel
 * @returns {Part}
 */
function stepSlider(desk, panel) {
  const id = desk.id + "-" + panel + "-h";
  const slider = make("input", { id, type: "range", min: WIDEST, max: -NARROWEST, step: 0.1, class: "h-slider" });
  const told = make("output", { for: id, class: "count" });
  slider.addEventListener("input", () => desk.set({ logH: -Number(slider.value) }));
  return {
    element: make("div", { class: "field h-field" }, make("label", { for: id }, "h, towards 0"), told, slider),
    update() {
      const text = "h = " + writeNumber(Number((10 ** desk.state.logH).toPrecision(3)));
      slider.value = String(-desk.state.logH);
      setAttribute(slider, "aria-valuetext", text);
      setText(told, text);
    },
  };
}

/**
 * A panel with a picture and a slider for h.
 * @param {Desk} desk
 * @param {"zoom" | "vcurve"} name
 * @param {string} title
 * @returns {Part & {figure: Figure}}
 */
export function stepPanel(desk, name, title) {
  const figure = figureOf(desk, name, title, drawn(desk, name === "zoom" ? zoomView : vcurveView), true);
  const slider = stepSlider(desk, name);
  return {
    element: make("div", {}, slider.element, figure.element),
    figure,
    update() {
      slider.update();
      figure.update();
    },
  };
}

/**
 * The derivative at the step that is shown, by every method, as a table.
 * @param {Desk} desk
 * @returns {Part}
 */
export function methodsPanel(desk) {
  const head = make("tr"), body = make("tbody"), where = make("caption"), note = make("p", { class: "help" });
  return {
    element: make("div", { class: "table methods" },
      make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "The derivative by every method" },
        make("table", {}, where, make("thead", {}, head), body)), note),
    update() {
      const names = desk.loss().weights, { step, start, formula } = desk.state;
      const same = formula === "" && start.join() === desk.lab.start.join()
        && desk.state.parameters.join() === desk.lab.parameters.join();
      const rows = methodRows(desk.outcome, desk.state, desk.lab).filter((one) => one.live || same);
      setText(where, "The derivative at step " + step);
      head.replaceChildren(...["method", ...names.map((name) => "∂L/∂" + name), "off by", "evaluations"].map(
        (text) => make("th", { scope: "col" }, text)));
      body.replaceChildren(...rows.map(({ name, value, error, evaluations, live }) => make("tr", { class: live ? null : "embedded" },
        make("th", { scope: "row" }, name + (live ? "" : " (at the start)")),
        ...names.map((_, k) => make("td", {}, exactText(value[k]).replace("-", "−"))),
        make("td", {}, error === null ? "–" : writeNumber(error)), make("td", {}, String(evaluations)))));
      setText(note, rows.some((one) => !one.live)
        ? "What Python's libraries found was written into this page; it is the derivative at the start." : "");
    },
  };
}
