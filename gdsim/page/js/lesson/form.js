// What a learner fills in: for each kind of step a form whose answer is the text that would be typed in a terminal.

/** @import {LessonStep, Pair} from "../lesson" */

import { lessonNode, proseNodes } from "./markup.js";

/**
 * @typedef {object} AnswerForm
 * @property {HTMLFormElement} element
 * @property {() => string} read what was answered, as it is typed in a terminal
 * @property {() => void} focus goes to the first thing to fill in
 */

/** @typedef {Record<string, string>} Phrases */

const COMPASS = ["left", "right", "stay"];

/**
 * The form of a step, or null where nothing is asked.
 * @type {(step: LessonStep, phrases: Phrases, submit: (typed: string) => void) => AnswerForm | null}
 */
export function answerForm(step, phrases, submit) {
  const made = fieldsFor(step, phrases);
  if (!made) return null;
  const word = phrases[step.kind === "run" || step.kind === "tune" ? "page-run" : "page-check"];
  const button = lessonNode("button", { type: "submit", class: "primary" }, word);
  const onsubmit = (/** @type {Event} */ event) => {
    event.preventDefault();
    submit(made.read());
  };
  const element = lessonNode("form", { class: "answer", autocomplete: "off", novalidate: true, onsubmit }, made.node, button);
  const focus = () => /** @type {HTMLElement | null} */ (element.querySelector("input, button"))?.focus();
  return { element, read: made.read, focus };
}

/** @typedef {{node: HTMLElement, read: () => string}} Fields */

/** @type {(step: LessonStep, phrases: Phrases) => Fields | null} */
function fieldsFor(step, phrases) {
  switch (step.kind) {
    case "predict":
      if (step.ask === "number") return textField(phrases["answer-number"]);
      return boxes(step.ask === "outcome" ? step.items : COMPASS.map((name) => [name, phrases["page-" + name]]),
        "radio", phrases["page-predict"]);
    case "choice":
      return step.right.length > 1
        ? boxes(step.items, "checkbox", phrases["page-choose-several"])
        : boxes(step.items, "radio", phrases["page-choose-one"]);
    case "number":
      return textField(phrases["answer-number"]);
    case "derive":
      return textField(phrases["answer-formula"]);
    case "order":
      return orderField(step.items, phrases["page-order"]);
    case "run":
    case "tune":
      return settingFields(step.edit, phrases, step.kind === "tune");
    default:
      return null;
  }
}

/** One line to type. Phones show the keyboard with letters: 1/48 and pi are numbers here. @type {(label: string) => Fields} */
function textField(label) {
  const input = lessonNode("input", {
    type: "text", class: "typed", autocapitalize: "off", autocorrect: "off",
    spellcheck: "false", maxlength: 2000, "aria-describedby": "lesson-said",
  });
  return { node: lessonNode("label", { class: "ask alone" }, lessonNode("span", {}, label), input), read: () => input.value };
}

/** Options to choose from; several where they are boxes. @type {(items: Pair[], kind: "radio" | "checkbox", legend: string) => Fields} */
function boxes(items, kind, legend) {
  const inputs = items.map((_, place) => lessonNode("input", { type: kind, name: "option", value: place + 1 }));
  const rows = items.map(([, markup], place) => lessonNode("label", { class: "option" }, inputs[place],
    lessonNode("span", {}, ...proseNodes(markup))));
  const node = lessonNode("fieldset", {}, lessonNode("legend", {}, legend), ...rows);
  return { node, read: () => inputs.filter((input) => input.checked).map((input) => input.value).join(" ") };
}

/** Things that get their place by being pressed one after another. @type {(items: Pair[], legend: string) => Fields} */
function orderField(items, legend) {
  /** @type {number[]} */
  const chosen = [];
  const buttons = items.map(([, markup], place) => lessonNode("button", {
    type: "button", class: "item", "aria-pressed": "false", onclick: () => {
      const found = chosen.indexOf(place);
      if (found < 0) chosen.push(place);
      else chosen.splice(found, 1);
      show();
    },
  }, lessonNode("b", { class: "rank" }, "–"), lessonNode("span", {}, ...proseNodes(markup))));
  const show = () => buttons.forEach((button, place) => {
    const rank = chosen.indexOf(place);
    button.setAttribute("aria-pressed", String(rank >= 0));
    /** @type {HTMLElement} */ (button.firstChild).textContent = rank < 0 ? "–" : String(rank + 1);
  });
  const node = lessonNode("fieldset", {}, lessonNode("legend", {}, legend), ...buttons);
  return { node, read: () => chosen.map((place) => place + 1).join(" ") };
}

/**
 * The values that may be changed, each with what stands there now; what was not touched is not in the answer.
 * @type {(edit: Pair[], phrases: Phrases, graded: boolean) => Fields}
 */
function settingFields(edit, phrases, graded) {
  const inputs = edit.map(([, now]) => lessonNode("input", {
    type: "text", class: "typed", autocapitalize: "off", autocorrect: "off", spellcheck: "false", maxlength: 200,
    value: now, "aria-describedby": "lesson-said",
  }));
  const rows = edit.map(([path], place) => lessonNode("label", { class: "ask" },
    lessonNode("code", {}, path), inputs[place]));
  const node = lessonNode("div", { class: "settings" }, ...rows);
  if (edit.length) node.prepend(lessonNode("p", { class: "quiet" }, phrases[graded ? "page-tune" : "page-change"]));
  const read = () => edit.flatMap(([path, now], place) => {
    const value = inputs[place].value.trim().replace(/\s+/g, "");
    return value && value !== now ? [path + "=" + value] : [];
  }).join(" ");
  return { node, read };
}
