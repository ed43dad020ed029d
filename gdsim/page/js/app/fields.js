// Fields for numbers: a slider for the hand, and a box for the exact number.

import { make, setAttribute, setText } from "./elements.js";
import { exactText, rounded } from "./numerals.js";
import { readConstant } from "./reading.js";

/**
 * A part of the page that follows the desk.
 * @typedef {{element: HTMLElement, update: () => void}} Part
 */

/**
 * @typedef {object} NumberField
 * @property {string} id
 * @property {string} label
 * @property {() => number} get
 * @property {(value: number) => void} set
 * @property {(value: number) => string} fault what is wrong with a number, or ""
 * @property {() => Track | null} [track] of the slider; none where left out
 * @property {string} [hint] what the number means, for the title of the box
 */

/**
 * What a slider runs along.
 * @typedef {{from: number, to: number, log?: boolean, whole?: boolean}} Track
 */

/** Sent to a box whose text could not be taken, when all changes are taken back. */
export const RESTORED = "restored";
const TICKS = 1000;

/**
 * @param {Track} track
 * @param {number} value
 * @returns {number}
 */
function tickOf({ from, to, log }, value) {
  const part = log ? Math.log(Math.max(value, from) / from) / Math.log(to / from) : (value - from) / (to - from);
  return Math.round(TICKS * Math.min(1, Math.max(0, part)));
}

/**
 * @param {Track} track
 * @param {number} tick
 * @returns {number}
 */
function valueAt({ from, to, log, whole }, tick) {
  const part = tick / TICKS;
  if (whole) return Math.round(from + (to - from) * part);
  if (log) return rounded(from * (to / from) ** part, 3);
  const grain = 10 ** (Math.floor(Math.log10((to - from) / TICKS)));
  const value = Math.round((from + (to - from) * part) / grain) * grain;
  return rounded(value, 12);
}

/**
 * @param {NumberField} field
 * @returns {Part}
 */
export function numberField(field) {
  const { id, label, get, set, fault } = field;
  const error = make("p", { class: "fault", id: id + "-fault", role: "alert" });
  const box = make("input", {
    id, type: "text", inputmode: "decimal", autocomplete: "off", spellcheck: "false", class: "number",
    title: field.hint, "aria-describedby": id + "-fault",
  });
  const slider = field.track ? make("input", { type: "range", min: 0, max: TICKS, step: 1, "aria-label": label + ", slider" }) : null;
  const take = () => {
    const read = readConstant(box.value);
    const wrong = box.value.trim() === "" ? "a number is needed" : "message" in read ? read.message : fault(read.value);
    setAttribute(box, "aria-invalid", wrong ? "true" : null);
    setText(error, wrong);
    if (!wrong && "value" in read) set(read.value);
  };
  box.addEventListener("change", take);
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter") take();
  });
  slider?.addEventListener("input", () => {
    const track = field.track?.();
    if (track) set(valueAt(track, Number(slider.value)));
  });
  const element = make("div", { class: "field" }, make("label", { for: id }, label), box, slider, error);
  let shown = NaN;
  /** @type {Part} */
  const part = {
    element,
    update() {
      const value = get(), track = field.track?.() ?? null;
      if (slider) {
        slider.hidden = !track;
        if (track && document.activeElement !== slider) slider.value = String(tickOf(track, value));
        else if (track && valueAt(track, Number(slider.value)) !== value) slider.value = String(tickOf(track, value));
        setAttribute(slider, "aria-valuetext", exactText(value));
      }
      if (Object.is(value, shown)) return;
      shown = value;
      box.value = exactText(value);
      setAttribute(box, "aria-invalid", null);
      setText(error, "");
    },
  };
  box.addEventListener(RESTORED, () => {
    shown = NaN;
    part.update();
  });
  return part;
}

/**
 * A choice among words.
 * @param {string} id
 * @param {string} label
 * @param {[value: string, text: string][]} choices
 * @param {() => string} get
 * @param {(value: string) => void} set
 * @param {(value: string) => boolean} [barred] what cannot be chosen now
 * @returns {Part}
 */
export function choiceField(id, label, choices, get, set, barred) {
  const select = make("select", { id }, ...choices.map(([value, text]) => make("option", { value }, text)));
  select.addEventListener("change", () => set(select.value));
  return {
    element: make("div", { class: "field choice" }, make("label", { for: id }, label), select),
    update() {
      if (barred) for (const option of select.options) option.disabled = barred(option.value);
      if (select.value !== get()) select.value = get();
    },
  };
}

/**
 * A box to tick.
 * @param {string} id
 * @param {string} label
 * @param {() => boolean} get
 * @param {(value: boolean) => void} set
 * @returns {Part}
 */
export function tickField(id, label, get, set) {
  const box = make("input", { id, type: "checkbox" });
  box.addEventListener("change", () => set(box.checked));
  return {
    element: make("div", { class: "field tick" }, box, make("label", { for: id }, label)),
    update() {
      box.checked = get();
    },
  };
}

/**
 * Parts under one heading.
 * @param {string} title
 * @param {Part[]} parts
 * @param {string} [name] for the style
 * @returns {Part}
 */
export function groupOf(title, parts, name = "") {
  const element = make("fieldset", { class: "group " + name }, make("legend", {}, title), ...parts.map((one) => one.element));
  return { element, update: () => parts.forEach((one) => one.update()) };
}
