// The runs of a lesson: those of its scenarios, and those with the values that a learner has set.

/** @import {CourseData, Runner} from "../lesson" */
/** @import {Emitted, LabData, Option, Outcome, Scheme} from "../types" */

import { modelOf, stateOfLab } from "../app/model.js";
import { parseConstant } from "../engine/formula.js";
import { unreadAnswer } from "./judge.js";

const SCHEMES = ["forward", "backward", "central", "five_point", "complex_step", "richardson"];
const EXACT_METHODS = ["analytic", "torch", "scipy"]; // which the page computes exactly to rounding
const MOST_LESSON_STEPS = 1e6;
const USUAL_SCHEME = "central";

/**
 * Makes runs, and keeps those of the scenarios as they stand.
 * @type {(course: CourseData, emitted: Emitted) => Runner}
 */
export function labRunner(course, emitted) {
  /** @type {Map<number, Outcome>} */
  const kept = new Map();
  return (place, settings) => {
    const plain = Object.keys(settings).length === 0;
    const known = plain ? kept.get(place) : undefined;
    if (known) return known;
    const lab = labWith(course.labs[place], emitted, settings);
    const outcome = modelOf(lab, emitted).outcomeOf(stateOfLab(lab));
    if (plain) kept.set(place, outcome);
    return outcome;
  };
}

/**
 * A laboratory with other values, by their paths in the file; a rule comes before its options. Throws FormulaError.
 * @type {(lab: LabData, emitted: Emitted, settings: Record<string, string>) => LabData}
 */
export function labWith(lab, emitted, settings) {
  const names = emitted.losses[lab.loss].weights;
  const entries = Object.entries(settings).sort(([one], [other]) => one.length - other.length);
  return entries.reduce((changed, [path, text]) => withSetting(changed, names, emitted, path, text), lab);
}

/**
 * A laboratory with one value changed, by its path in the file.
 * @type {(lab: LabData, names: string[], emitted: Emitted, path: string, text: string) => LabData}
 */
function withSetting(lab, names, emitted, path, text) {
  const [key, part] = path.split(".");
  switch (key) {
    case "initial_weight": {
      const place = part === undefined ? 0 : names.indexOf(part);
      if (place < 0 || (part === undefined && names.length > 1)) break;
      return { ...lab, start: lab.start.map((old, k) => (k === place ? parseConstant(text) : old)) };
    }
    case "learning_rate":
      return { ...lab, rate: { ...lab.rate, initial: numberWithin(text, 0, Infinity, "at least 0") } };
    case "seed":
      return { ...lab, seed: wholeNumber(text, 2 ** 53 - 1) };
    case "stopping":
      return { ...lab, stopping: { ...lab.stopping, maxSteps: wholeNumber(text, MOST_LESSON_STEPS) } };
    case "noise":
      if (lab.noise?.kind !== "gaussian") break;
      return { ...lab, noise: { kind: "gaussian", scale: numberWithin(text, 0, Infinity, "at least 0") } };
    case "update_rule":
      return { ...lab, rule: part === undefined ? ruleNamed(text, emitted) : ruleWith(lab.rule, part, text, emitted) };
    case "derivative":
      return { ...lab, derivative: derivativeWith(lab.derivative, part ?? "method", text) };
  }
  throw unreadAnswer("'" + path + "' may not be changed here");
}

/** @type {(text: string, least: number, most: number, range: string, open?: boolean) => number} */
function numberWithin(text, least, most, range, open = false) {
  const value = parseConstant(text);
  if (value < least || value > most || (open && value === least)) throw unreadAnswer(text + " is out of range", range);
  return value;
}

/** @type {(text: string, most: number) => number} */
function wholeNumber(text, most) {
  const value = numberWithin(text, 0, most, "a whole number from 0 to " + most);
  if (!Number.isInteger(value)) throw unreadAnswer(text + " is no whole number", "a whole number");
  return value;
}

/** @type {(text: string, among: string[]) => string} */
function oneOf(text, among) {
  if (!among.includes(text)) throw unreadAnswer("'" + text + "' is none of them", "one of " + among.join(", "));
  return text;
}

/** A rule with the options that are usual. @type {(text: string, emitted: Emitted) => LabData["rule"]} */
function ruleNamed(text, emitted) {
  const name = oneOf(text, Object.keys(emitted.rules));
  const options = emitted.rules[name].options.map((option) => [option.name, option.default ?? 0]);
  return { name, options: Object.fromEntries(options) };
}

/** @type {(rule: LabData["rule"], part: string, text: string, emitted: Emitted) => LabData["rule"]} */
function ruleWith(rule, part, text, emitted) {
  const option = emitted.rules[rule.name].options.find((one) => one.name === part);
  if (!option) throw unreadAnswer("'" + part + "' is no option of " + rule.name);
  return { ...rule, options: { ...rule.options, [part]: optionValue(option, text) } };
}

/** @type {(option: Option, text: string) => number} */
function optionValue(option, text) {
  if (option.flag) return oneOf(text, ["false", "true"]) === "true" ? 1 : 0;
  const { least, most, openBelow, openAbove } = option;
  const value = option.whole ? wholeNumber(text, most ?? MOST_LESSON_STEPS) : parseConstant(text);
  const outside = value < least || (openBelow && value === least)
    || (most !== null && (value > most || (openAbove && value === most)));
  if (outside) throw unreadAnswer(text + " is out of range", "from " + least + " to " + (most ?? "∞"));
  return value;
}

/** @type {(now: LabData["derivative"], part: string, text: string) => LabData["derivative"]} */
function derivativeWith(now, part, text) {
  if (part === "method") {
    if (oneOf(text, ["numeric", ...EXACT_METHODS]) !== "numeric") return { method: "exact" };
    return { method: "numeric", scheme: USUAL_SCHEME, step: "auto" };
  }
  if (now.method !== "numeric") throw unreadAnswer("'" + part + "' belongs to the method numeric");
  if (part === "scheme") return { ...now, scheme: /** @type {Scheme} */ (oneOf(text, SCHEMES)) };
  return { ...now, step: text === "auto" ? "auto" : numberWithin(text, 0, Infinity, "above 0", true) };
}
