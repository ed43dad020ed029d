// The steps as a table: what the pictures show, for those who read numbers.

import { button, make, setAttribute, setText } from "./elements.js";
import { exactText } from "./numerals.js";

/** @import {Desk} from "./desk.js" */
/** @import {Part} from "./fields.js" */

const ROWS = 25;

/**
 * @param {Desk} desk
 * @returns {Part}
 */
export function tableOf(desk) {
  const head = make("tr"), body = make("tbody"), where = make("p", { class: "count", "aria-live": "polite" });
  const caption = make("caption", {}, "The steps of this run");
  let first = 0, known = /** @type {unknown} */ (null);
  const pages = () => Math.max(0, desk.outcome.trajectory.steps - ROWS + 1);
  const go = (/** @type {() => number} */ to) => () => {
    first = Math.min(Math.max(0, to()), pages());
    fill();
  };
  const buttons = [
    button("First", go(() => 0)), button("Previous", go(() => first - ROWS)),
    button("Next", go(() => first + ROWS)), button("Last", go(pages)),
  ];
  const fill = () => {
    const { steps } = desk.outcome.trajectory;
    const { weights } = desk.loss();
    first = Math.min(first, pages());
    const last = Math.min(steps, first + ROWS - 1);
    const names = ["step", ...weights, "loss", ...weights.map((name) => "∂L/∂" + name), "η"];
    head.replaceChildren(...names.map((name) => make("th", { scope: "col" }, name)));
    body.replaceChildren(...Array.from({ length: last - first + 1 }, (_, k) => rowOf(desk, first + k)));
    setText(where, "Steps " + first + " to " + last + " of " + steps);
    buttons.forEach((one, k) => setAttribute(one, "aria-disabled", (k < 2 ? first === 0 : last === steps) ? "true" : null));
  };
  const element = make("div", { class: "table" },
    make("div", { class: "buttons" }, ...buttons, where),
    make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "The steps of this run, as a table" },
      make("table", {}, caption, make("thead", {}, head), body)));
  return {
    element,
    update() {
      const { step } = desk.state, { outcome } = desk;
      if (step < first || step >= first + ROWS || known !== outcome) {
        first = Math.min(Math.floor(step / ROWS) * ROWS, pages());
        known = outcome;
        fill();
      }
      [...body.rows].forEach((row, k) => setAttribute(row, "aria-current", first + k === step ? "step" : null));
    },
  };
}

/**
 * @param {Desk} desk
 * @param {number} step
 * @returns {HTMLTableRowElement}
 */
function rowOf(desk, step) {
  const { gradient, loss, rate, weight, weights } = desk.outcome.trajectory;
  const of = (/** @type {Float64Array} */ array) => Array.from(array.subarray(step * weights, (step + 1) * weights));
  const numbers = [...of(weight), loss[step], ...of(gradient), rate[step]];
  return make("tr", {}, make("th", { scope: "row" }, String(step)),
    ...numbers.map((value) => make("td", {}, exactText(value).replace("-", "−"))));
}
