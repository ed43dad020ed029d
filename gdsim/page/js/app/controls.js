// The controls: learning rate, start, rule, loss, run, and a second rule.

import { allowed, DERIVATIVES, usualOptions } from "./fragment.js";
import { button, make, setAttribute } from "./elements.js";
import { choiceField, groupOf, numberField, RESTORED, tickField } from "./fields.js";
import { lossBox } from "./loss_box.js";
import { choosingRule } from "./model.js";
import { isAnalytic } from "./reading.js";

/** @import {Option, State} from "../types.js" */
/** @import {Desk} from "./desk.js" */
/** @import {Part, Track} from "./fields.js" */

const FARTHEST = 1e300;
const MOST_STEPS_TYPED = 1_000_000;
/** @type {Record<string, string>} */
const METHOD_WORDS = {
  exact: "exact", forward: "forward difference", backward: "backward difference", central: "central difference",
  five_point: "five points", complex_step: "complex step", richardson: "Richardson",
};

/**
 * @param {string} name
 * @returns {string}
 */
function spaced(name) {
  return name.replace(/_/g, " ");
}

/**
 * @param {number} value
 * @returns {string}
 */
function finiteFault(value) {
  return Math.abs(value) <= FARTHEST ? "" : "a finite number is needed";
}

/**
 * @param {number} value
 * @returns {string}
 */
function rateFault(value) {
  return value >= 0 && value <= FARTHEST ? "" : "a number that is not negative is needed";
}

/**
 * @param {number} most
 * @returns {(value: number) => string}
 */
function countFault(most) {
  return (value) => (Number.isInteger(value) && value >= 0 && value <= most ? "" : "a whole number from 0 to " + most + " is needed");
}

/**
 * From a thousandth of the interesting rates to ten times as much, by whole decades.
 * @param {Desk} desk
 * @returns {Track}
 */
function rateTrack(desk) {
  const { rate } = desk.model.base;
  const known = [rate, desk.lab.ruler?.bound ?? rate].filter((one) => one > 0 && Number.isFinite(one));
  const least = known.length ? Math.min(...known) : 0.1, most = known.length ? Math.max(...known) : 0.1;
  return { from: 10 ** (Math.floor(Math.log10(least)) - 2), to: 10 ** Math.ceil(Math.log10(most) + 0.3), log: true };
}

/**
 * @param {Desk} desk
 * @returns {Part}
 */
function ratePart(desk) {
  const track = rateTrack(desk);
  const { schedule } = desk.lab.rate;
  return groupOf("Learning rate", [numberField({
    id: desk.id + "-rate", label: schedule === "constant" ? "Learning rate η" : "Initial learning rate η₀ (" + spaced(schedule) + ")",
    get: () => desk.state.rate, set: (rate) => desk.set({ rate }), fault: rateFault, track: () => track,
    hint: "a number or a fraction such as 1/3",
  })], "rate");
}

/**
 * Fields that are made anew when their number or their names change.
 * @param {() => string} key
 * @param {() => Part[]} fields
 * @returns {Part}
 */
function changing(key, fields) {
  const element = make("div", { class: "fields" });
  let made = "\n";
  /** @type {Part[]} */
  let parts = [];
  return {
    element,
    update() {
      if (key() !== made) {
        made = key();
        parts = fields();
        element.replaceChildren(...parts.map((one) => one.element));
        setAttribute(element, "hidden", parts.length ? null : "");
      }
      parts.forEach((one) => one.update());
    },
  };
}

/**
 * @param {readonly number[]} values
 * @param {number} place
 * @param {number} value
 * @returns {number[]}
 */
function replaced(values, place, value) {
  return values.map((one, k) => (k === place ? value : one));
}

/**
 * @param {Desk} desk
 * @returns {Part}
 */
function startPart(desk) {
  const fields = () => desk.loss().weights.map((name, place) => numberField({
    id: desk.id + "-start-" + place, label: name,
    get: () => desk.state.start[place] ?? 0,
    set: (value) => desk.set({ start: replaced(desk.state.start, place, value) }),
    fault: finiteFault,
    track: () => {
      const [from, to] = desk.outcome.problem.domain[place] ?? [-1, 1];
      return { from, to };
    },
  }));
  return groupOf("Start", [changing(() => desk.loss().weights.join(), fields)], "start");
}

/**
 * @param {Desk} desk
 * @returns {Part}
 */
function parametersPart(desk) {
  const fields = () => desk.loss().parameters.map((name, place) => numberField({
    id: desk.id + "-parameter-" + place, label: name,
    get: () => desk.state.parameters[place],
    set: (value) => desk.set({ parameters: replaced(desk.state.parameters, place, value) }),
    fault: finiteFault,
    track: () => {
      const usual = desk.model.base.parameters[place];
      return usual === 0 ? { from: -2, to: 2 } : usual > 0 ? { from: 0, to: 3 * usual } : { from: 3 * usual, to: 0 };
    },
  }));
  return groupOf("Parameters of the loss", [changing(() => desk.loss().parameters.join(), fields)], "parameters");
}

/**
 * @param {Desk} desk
 * @param {Option} option
 * @param {string} id
 * @param {() => Record<string, number>} get
 * @param {(options: Record<string, number>) => void} set
 * @returns {Part}
 */
function optionField(desk, option, id, get, set) {
  const { name, flag, summary } = option;
  const put = (/** @type {number} */ value) => set({ ...get(), [name]: value });
  if (flag) return tickField(id, spaced(name) + ": " + summary, () => get()[name] === 1, (value) => put(value ? 1 : 0));
  const bounded = option.least === 0 && option.most === 1;
  const upTo = option.openAbove ? 0.999 : 1;
  return numberField({
    id, label: spaced(name), get: () => get()[name] ?? 0, set: put, hint: summary,
    fault: (value) => (allowed(option, value) ? "" : "out of range: " + rangeWords(option)),
    track: bounded ? () => ({ from: 0, to: upTo }) : undefined,
  });
}

/**
 * @param {Option} option
 * @returns {string}
 */
function rangeWords({ least, most, openBelow, openAbove, whole }) {
  const parts = [];
  if (Number.isFinite(least)) parts.push((openBelow ? "> " : "≥ ") + least);
  if (most !== null && Number.isFinite(most)) parts.push((openAbove ? "< " : "≤ ") + most);
  return ((whole ? "a whole number " : "a number ") + parts.join(" and ")).trim();
}

/**
 * The options of a rule, made anew when the rule changes.
 * @param {Desk} desk
 * @param {string} id
 * @param {() => string} rule
 * @param {() => Record<string, number>} get
 * @param {(options: Record<string, number>) => void} set
 * @returns {Part}
 */
function optionsPart(desk, id, rule, get, set) {
  return changing(rule, () => (desk.emitted.rules[rule()]?.options ?? []).map(
    (option) => optionField(desk, option, id + "-" + option.name, get, set)));
}

/**
 * @param {Desk} desk
 * @returns {[value: string, text: string][]}
 */
function ruleChoices(desk) {
  return Object.keys(desk.emitted.rules).map((name) => [name, spaced(name)]);
}

/**
 * @param {Desk} desk
 * @returns {Part}
 */
function rulePart(desk) {
  const { emitted, model } = desk;
  return groupOf("Update rule", [
    choiceField(desk.id + "-rule", "Rule", ruleChoices(desk), () => desk.state.rule,
      (rule) => desk.set(choosingRule(model, emitted, rule))),
    optionsPart(desk, desk.id + "-rule", () => desk.state.rule, () => desk.state.options, (options) => desk.set({ options })),
  ], "rule");
}

/**
 * @param {Desk} desk
 * @returns {Part}
 */
function comparePart(desk) {
  const track = rateTrack(desk);
  const rate = () => (desk.state.rival ? [numberField({
    id: desk.id + "-rival-rate", label: "Its learning rate η", get: () => desk.state.rivalRate,
    set: (rivalRate) => desk.set({ rivalRate }), fault: rateFault, track: () => track,
  })] : []);
  return groupOf("Compare with a second rule", [
    choiceField(desk.id + "-rival", "Second rule", [["", "none"], ...ruleChoices(desk)], () => desk.state.rival,
      (rival) => desk.set(rival ? {
        rival, rivalOptions: usualOptions(desk.emitted, rival),
        rivalRate: desk.state.rival ? desk.state.rivalRate : desk.state.rate,
      } : { rival, rivalOptions: {} })),
    changing(() => String(desk.state.rival !== ""), rate),
    optionsPart(desk, desk.id + "-rival", () => desk.state.rival, () => desk.state.rivalOptions,
      (rivalOptions) => desk.set({ rivalOptions })),
  ], "compare");
}

/**
 * @param {Desk} desk
 * @returns {Part | null}
 */
function runPart(desk) {
  const { base } = desk.model;
  const most = Math.max(MOST_STEPS_TYPED, base.maxSteps);
  /** @type {Part[]} */
  const parts = [];
  if (desk.shows("steps")) {
    parts.push(numberField({
      id: desk.id + "-steps", label: "Largest number of steps", get: () => desk.state.maxSteps,
      set: (maxSteps) => desk.set({ maxSteps }), fault: countFault(most),
    }));
  }
  if (desk.shows("method")) {
    parts.push(choiceField(desk.id + "-method", "Derivative by", DERIVATIVES.map((name) => [name, METHOD_WORDS[name]]),
      () => desk.state.derivative, (derivative) => desk.set({ derivative }),
      (name) => name === "complex_step" && !isAnalytic(desk.loss())));
  }
  if (desk.shows("seed") && desk.lab.noise) {
    parts.push(numberField({
      id: desk.id + "-seed", label: "Seed of the noise", get: () => desk.state.seed, set: (seed) => desk.set({ seed }),
      fault: countFault(Number.MAX_SAFE_INTEGER),
    }));
  }
  return parts.length ? groupOf("Run", parts, "run") : null;
}

/**
 * All controls that are shown.
 * @param {Desk} desk
 * @returns {Part | null} null where none is
 */
export function controlsOf(desk) {
  /** @type {(Part | null)[]} */
  const wanted = [
    desk.shows("rate") ? ratePart(desk) : null,
    desk.shows("start") ? startPart(desk) : null,
    desk.shows("rule") ? rulePart(desk) : null,
    desk.shows("parameters") && desk.emitted.losses[desk.lab.loss].parameters.length ? parametersPart(desk) : null,
    desk.shows("compare") ? comparePart(desk) : null,
    desk.shows("edit") ? lossBox(desk) : null,
    runPart(desk),
  ];
  const parts = wanted.filter((one) => one !== null);
  const takeBack = () => {
    desk.reset();
    element.querySelectorAll("[aria-invalid]").forEach((box) => box.dispatchEvent(new Event(RESTORED)));
  };
  const reset = desk.shows("reset") ? button("Take all changes back", takeBack, { class: "reset" }) : null;
  if (parts.length === 0) return null;
  const element = make("section", { class: "controls", "aria-label": "Settings" }, ...parts.map((one) => one.element), reset);
  return { element, update: () => parts.forEach((one) => one.update()) };
}

/**
 * The settings in a line, for print.
 * @param {Desk} desk
 * @returns {string}
 */
export function settingsLine(desk) {
  const { loss } = desk.outcome.problem;
  /** @type {State} */
  const state = desk.state;
  const start = loss.weights.map((name, place) => name + " = " + state.start[place]).join(", ");
  const parameters = loss.parameters.map((name, place) => name + " = " + state.parameters[place]);
  const { derivative, maxSteps, rival } = state;
  const options = (/** @type {Record<string, number>} */ of) => Object.entries(of)
    .filter(([, value]) => Number(value) !== 0).map(([name, value]) => ", " + spaced(name) + " " + Number(value)).join("");
  const more = [
    "at most " + maxSteps + " steps",
    ...(derivative === "exact" ? [] : ["derivative by " + METHOD_WORDS[derivative]]),
    ...(desk.lab.noise ? ["seed " + state.seed] : []),
    ...(rival ? ["second rule " + spaced(rival) + options(state.rivalOptions) + " with η = " + state.rivalRate] : []),
  ];
  return [
    ...(desk.shows("formula") ? ["L = " + loss.text] : []), ...parameters, "start " + start, "η = " + state.rate,
    spaced(state.rule) + options(state.options), ...more,
  ].join("; ");
}
