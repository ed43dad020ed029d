// The loss and its derivatives as formulas: typeset by Python, or by the page for a loss that the reader typed.

import { parseFormula } from "../engine/formula.js";
import { formulaMathml } from "../engine/typeset.js";
import { make, mathElement } from "./elements.js";

/** @import {Loss} from "../types.js" */
/** @import {Desk} from "./desk.js" */
/** @import {Part} from "./fields.js" */

/**
 * @param {string} sign
 * @param {string} markup
 * @param {string} name
 * @returns {HTMLElement}
 */
function equation(sign, markup, name) {
  return make("p", { class: "equation " + name }, make("span", { class: "sign" }, sign), mathElement(markup));
}

/**
 * A loss that the reader typed, typeset.
 * @param {Loss} loss
 * @returns {string}
 */
function typed({ text, parameters, columns }) {
  return formulaMathml(parseFormula(text, { parameters, columns }).tree);
}

/**
 * @param {Desk} desk
 * @returns {Part}
 */
export function formulaOf(desk) {
  const element = make("section", { class: "formula", "aria-label": "The loss" });
  let shown = "\n";
  return {
    element,
    update() {
      const { formula } = desk.state;
      if (formula === shown) return;
      shown = formula;
      const { weights } = desk.loss();
      const own = formula === "";
      const lines = [equation("L(" + weights.join(", ") + ") =", own ? desk.lab.mathml : typed(desk.loss()), "loss")];
      if (own && desk.shows("derivative")) {
        desk.lab.derivatives.forEach(({ mathml }, place) => lines.push(
          equation(weights.length === 1 ? "L′(" + weights[0] + ") =" : "∂L/∂" + weights[place] + " =", mathml, "slope")));
      }
      element.replaceChildren(...lines);
    },
  };
}
