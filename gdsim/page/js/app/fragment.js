// What the reader has set, in the fragment of the address: readable, only what differs, and never trusted.

import { exactText } from "./numerals.js";

/** @import {Emitted, Loss, State} from "../types.js" */

/**
 * What the address says: the state, the panel that is open, and whether a step was named.
 * @typedef {{state: State, panel: string, step: boolean}} Address
 */

const LONGEST_FRAGMENT = 8000;
const MOST_STEPS_SET = 1_000_000;
/** @type {[key: "rate" | "seed" | "rivalRate" | "logH", name: string, least: number, most: number, whole: boolean][]} */
const NUMBERS = [
  ["rate", "rate", 0, 1e300, false],
  ["seed", "seed", 0, Number.MAX_SAFE_INTEGER, true],
  ["rivalRate", "rival.rate", 0, 1e300, false],
  ["logH", "h", -20, 3, false],
];

/**
 * @param {string} text
 * @returns {string}
 */
function encoded(text) {
  return encodeURIComponent(text).replace(/%2C/g, ",").replace(/%2F/g, "/").replace(/%5E/g, "^").replace(/%2B/g, "+");
}

/**
 * @param {string} text
 * @returns {string}
 */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}

/**
 * The loss in force: that of the file, or that of the text of the reader.
 * @typedef {(formula: string) => Loss | null} LossOfText
 */

/**
 * Writes what differs from the file.
 * @param {State} state
 * @param {State} base
 * @param {LossOfText} lossOfText
 * @param {{step: boolean, panel: string}} shown whether the step is told, and the panel that is open or ""
 * @returns {string} without the #
 */
export function writeFragment(state, base, lossOfText, shown) {
  /** @type {[string, string][]} */
  const pairs = [];
  if (state.formula) pairs.push(["loss", state.formula]);
  for (const [key, name] of NUMBERS) {
    if (state[key] !== base[key] && !(key === "rivalRate" && !state.rival)) pairs.push([name, exactText(state[key])]);
  }
  if (state.start.join() !== base.start.join()) pairs.push(["start", state.start.map(exactText).join(",")]);
  const parameters = lossOfText(state.formula)?.parameters ?? [];
  parameters.forEach((name, place) => {
    if (state.parameters[place] !== base.parameters[place]) pairs.push(["loss." + name, exactText(state.parameters[place])]);
  });
  if (state.rule !== base.rule) pairs.push(["rule", state.rule]);
  const usual = state.rule === base.rule ? base.options : {};
  for (const [name, value] of Object.entries(state.options)) {
    if (value !== usual[name]) pairs.push(["rule." + name, exactText(value)]);
  }
  if (state.maxSteps !== base.maxSteps) pairs.push(["steps", exactText(state.maxSteps)]);
  if (state.derivative !== base.derivative) pairs.push(["derivative", state.derivative]);
  if (state.rival) {
    pairs.push(["rival", state.rival]);
    for (const [name, value] of Object.entries(state.rivalOptions)) pairs.push(["rival." + name, exactText(value)]);
  }
  if (shown.step) pairs.push(["step", exactText(state.step)]);
  if (shown.panel) pairs.push(["view", shown.panel]);
  return pairs.map(([name, value]) => encoded(name) + "=" + encoded(value)).join("&");
}

/**
 * @param {string} fragment with or without the #
 * @returns {Map<string, string>}
 */
function pairsOf(fragment) {
  /** @type {Map<string, string>} */
  const found = new Map();
  const text = fragment.replace(/^#/, "");
  if (text.length > LONGEST_FRAGMENT) return found;
  for (const part of text.split("&")) {
    const at = part.indexOf("=");
    if (at > 0) found.set(decoded(part.slice(0, at)), decoded(part.slice(at + 1)));
  }
  return found;
}

/**
 * @param {string | undefined} text
 * @param {number} least
 * @param {number} most
 * @param {boolean} [whole]
 * @returns {number | null}
 */
function numberIn(text, least, most, whole = false) {
  if (text === undefined || !/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text)) return null;
  const value = Number(text);
  return value >= least && value <= most && (!whole || Number.isInteger(value)) ? value : null;
}

/**
 * Reads what an address says; what it says wrongly counts as not said.
 * @param {string} fragment
 * @param {State} base
 * @param {Emitted} emitted
 * @param {LossOfText} lossOfText
 * @param {(formula: string) => State} stateFor the state from which an edited loss begins
 * @returns {Address}
 */
export function readFragment(fragment, base, emitted, lossOfText, stateFor) {
  const pairs = pairsOf(fragment);
  const formula = pairs.get("loss") ?? "";
  const known = formula !== "" && lossOfText(formula) !== null;
  const state = known ? stateFor(formula) : { ...base };
  const loss = /** @type {Loss} */ (lossOfText(state.formula));
  for (const [key, name, least, most, whole] of NUMBERS) state[key] = numberIn(pairs.get(name), least, most, whole) ?? state[key];
  const start = (pairs.get("start") ?? "").split(",").map((one) => numberIn(one, -1e300, 1e300));
  if (start.length === loss.weights.length && !start.includes(null)) state.start = /** @type {number[]} */ (start);
  state.parameters = loss.parameters.map(
    (name, place) => numberIn(pairs.get("loss." + name), -1e300, 1e300) ?? state.parameters[place]);
  const rule = pairs.get("rule");
  if (rule !== undefined && Object.hasOwn(emitted.rules, rule)) {
    state.rule = rule;
    state.options = usualOptions(emitted, rule);
  }
  state.options = readOptions(pairs, "rule.", emitted, state.rule, state.options);
  state.maxSteps = numberIn(pairs.get("steps"), 0, Math.max(MOST_STEPS_SET, base.maxSteps), true) ?? state.maxSteps;
  const derivative = pairs.get("derivative") ?? "";
  if (DERIVATIVES.includes(derivative)) state.derivative = derivative;
  const rival = pairs.get("rival") ?? "";
  if (Object.hasOwn(emitted.rules, rival)) {
    state.rival = rival;
    state.rivalOptions = readOptions(pairs, "rival.", emitted, rival, usualOptions(emitted, rival));
    state.rivalRate = numberIn(pairs.get("rival.rate"), 0, 1e300) ?? state.rate;
  }
  const step = numberIn(pairs.get("step"), 0, state.maxSteps, true);
  if (step !== null) state.step = step;
  return { state, panel: pairs.get("view") ?? "", step: step !== null };
}

/** What a reader may choose as derivative method. */
export const DERIVATIVES = ["exact", "forward", "backward", "central", "five_point", "complex_step", "richardson"];

/**
 * The options of a rule as they are where nothing is said.
 * @param {Emitted} emitted
 * @param {string} rule
 * @returns {Record<string, number>}
 */
export function usualOptions(emitted, rule) {
  return Object.fromEntries(emitted.rules[rule].options.map((one) => [one.name, one.default ?? 0]));
}

/**
 * Whether a number is within the range of an option.
 * @param {import("../types.js").Option} option
 * @param {number} value
 * @returns {boolean}
 */
export function allowed(option, value) {
  const { least, most, openBelow, openAbove, flag, whole } = option;
  if (!Number.isFinite(value)) return false;
  if (flag) return value === 0 || value === 1;
  if (openBelow ? value <= least : value < least) return false;
  if (most !== null && (openAbove ? value >= most : value > most)) return false;
  return !whole || Number.isInteger(value);
}

/**
 * @param {Map<string, string>} pairs
 * @param {string} prefix
 * @param {Emitted} emitted
 * @param {string} rule
 * @param {Record<string, number>} usual
 * @returns {Record<string, number>}
 */
function readOptions(pairs, prefix, emitted, rule, usual) {
  const found = { ...usual };
  for (const option of emitted.rules[rule].options) {
    const value = numberIn(pairs.get(prefix + option.name), -1e300, 1e300);
    if (value !== null && allowed(option, value)) found[option.name] = value;
  }
  return found;
}
