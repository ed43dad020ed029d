// The text box for a loss of the reader's own. It is parsed, never run.

import { button, make, setAttribute, setText } from "./elements.js";
import { groupOf, RESTORED } from "./fields.js";
import { readLoss } from "./reading.js";

/** @import {Desk} from "./desk.js" */
/** @import {Part} from "./fields.js" */

/**
 * What is wrong with a formula, with the place under it.
 * @param {string} text
 * @param {{message: string, column?: number | null}} fault
 * @returns {string}
 */
function located(text, { message, column }) {
  if (!column) return message;
  const from = Math.max(0, column - 24);
  const line = (from ? "…" : "") + text.slice(from, from + 60).replace(/\s/g, " ");
  return message + " (column " + column + ")\n" + line + "\n" + " ".repeat(column - 1 - from + (from ? 1 : 0)) + "^";
}

/**
 * @param {Desk} desk
 * @returns {Part}
 */
export function lossBox(desk) {
  const id = desk.id + "-loss", given = desk.emitted.losses[desk.lab.loss];
  const box = make("textarea", {
    id, rows: 2, spellcheck: "false", autocomplete: "off", autocapitalize: "off", "aria-describedby": id + "-help " + id + "-fault",
  });
  const fault = make("pre", { class: "fault", id: id + "-fault", role: "alert" });
  const help = make("p", { class: "help", id: id + "-help" }, "Such as (w^2 - 1)^2 or sin(x) + y^2. Enter computes.");
  let shown = "\n";
  const say = (/** @type {string} */ text) => {
    setAttribute(box, "aria-invalid", text ? "true" : null);
    setText(fault, text);
  };
  const take = () => {
    const text = box.value.trim();
    const own = text === given.text || text === "";
    const made = own ? { loss: given } : readLoss(text, given);
    if (!("loss" in made)) return say(located(text, made));
    say("");
    const before = desk.loss().weights, formula = own ? "" : text, usual = desk.model.stateFor(formula).start;
    const start = made.loss.weights.map((name, place) => {
      const known = before.indexOf(name);
      return known < 0 ? usual[place] : desk.state.start[known];
    });
    desk.set({ formula, start });
  };
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey) return;
    event.preventDefault();
    take();
  });
  const group = groupOf("Edit the loss", [], "edit");
  group.element.append(make("div", { class: "field wide" }, make("label", { for: id }, "L ="), box, help, fault),
    button("Compute this loss", take, { class: "plain" }));
  /** @type {Part} */
  const part = {
    element: group.element,
    update() {
      const text = desk.state.formula || given.text;
      if (text === shown) return;
      shown = box.value = text;
      say("");
    },
  };
  box.addEventListener(RESTORED, () => {
    shown = "\n";
    part.update();
  });
  return part;
}
