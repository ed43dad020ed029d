// Light, dark, or as the system has it; and print, which is always light.

import { THEMES } from "../draw/theme.js";
import { make } from "./elements.js";

/** @import {Theme} from "../draw/theme.js" */

const APPEARANCE_KEY = "gdsim-theme";
/** @type {Record<string, string>} */
const APPEARANCES = { auto: "As the system", light: "Light", dark: "Dark" };
let printing = false;
/** @type {(() => void)[]} */
const watchers = [];

/** Whether the page is being printed. */
export function isPrinting() {
  return printing;
}

/**
 * The theme in force.
 * @returns {Theme}
 */
export function themeNow() {
  if (printing) return THEMES.print;
  const chosen = document.documentElement.dataset.theme;
  const dark = chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  return dark ? THEMES.dark : THEMES.light;
}

/**
 * Calls back whenever the colours change; the first to watch starts the watch.
 * @param {() => void} changed
 */
export function watchTheme(changed) {
  watchers.push(changed);
  if (watchers.length > 1) return;
  const all = () => watchers.forEach((one) => one());
  const print = (/** @type {boolean} */ now) => () => {
    printing = now;
    all();
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", all);
  addEventListener("beforeprint", print(true));
  addEventListener("afterprint", print(false));
}

/**
 * @returns {string}
 */
function kept() {
  try {
    return localStorage.getItem(APPEARANCE_KEY) ?? "auto";
  } catch {
    return "auto";
  }
}

/**
 * @param {string} name
 */
function wear(name) {
  if (name === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
  try {
    localStorage.setItem(APPEARANCE_KEY, name);
  } catch {
    // nothing is kept where a browser keeps nothing
  }
  watchers.forEach((one) => one());
}

/**
 * The switch between light and dark, one for a page.
 * @returns {HTMLElement}
 */
export function themeSwitch() {
  const select = make("select", { id: "gdsim-theme" },
    ...Object.entries(APPEARANCES).map(([value, text]) => make("option", { value }, text)));
  const now = kept();
  select.value = now in APPEARANCES ? now : "auto";
  if (select.value !== "auto") document.documentElement.dataset.theme = select.value;
  select.addEventListener("change", () => wear(select.value));
  return make("div", { class: "theme" }, make("label", { for: "gdsim-theme" }, "Colours"), select);
}
