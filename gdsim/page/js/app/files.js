// The texts of the files that a reader saves: as gdsim itself writes them.

import { writeNumber } from "../engine/words.js";
import { titleOf } from "./desk.js";
import { pythonFloat, yamlFloat } from "./numerals.js";
import { recordOf } from "./model.js";

/** @import {CriticalPoint, LabData, Option, Outcome, Trajectory} from "../types.js" */
/** @import {Desk} from "./desk.js" */

const MOST_NAMED = 3;

/**
 * @param {string} text
 * @returns {string}
 */
function csvCell(text) {
  return /[",\n\r]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text;
}

/**
 * The log of a run, as trajectory.csv of a run directory.
 * @param {Desk} desk
 * @returns {string}
 */
export function trajectoryCsv(desk) {
  const { outcome, lab } = desk, { trajectory, problem } = outcome, names = problem.loss.weights;
  const every = lab.record ?? 1;
  /** @type {number[]} */
  const rows = [];
  for (let step = 0; step <= trajectory.steps; step++) {
    if (step % every === 0 || step === trajectory.steps) rows.push(step);
  }
  const flags = flagsOf(outcome, rows);
  const lines = [["step", ...names, "loss", ...names.map((name) => "gradient_" + name), "learning_rate", "direction", "flag"]];
  rows.forEach((step, row) => {
    const gradient = Array.from(trajectory.gradient.subarray(step * names.length, (step + 1) * names.length));
    lines.push([
      String(step), ...recordOf(trajectory, step).map(pythonFloat), pythonFloat(trajectory.loss[step]),
      ...gradient.map(pythonFloat), pythonFloat(trajectory.rate[step]), directionOf(trajectory, names, rows, row),
      (flags.get(step) ?? []).join("; "),
    ]);
  });
  return lines.map((line) => line.map(csvCell).join(",") + "\n").join("");
}

/**
 * Which way the next row lies; from the last row, and where rows are missing, the way against the gradient.
 * @param {Trajectory} trajectory
 * @param {string[]} names
 * @param {number[]} rows
 * @param {number} row
 * @returns {string}
 */
function directionOf(trajectory, names, rows, row) {
  const step = rows[row], here = recordOf(trajectory, step);
  const follows = rows[row + 1] === step + 1 ? recordOf(trajectory, step + 1) : null;
  const rests = row === rows.length - 1 && ["CONVERGED", "STALLED"].includes(trajectory.status);
  const words = names.map((_, k) => {
    const move = follows ? follows[k] - here[k] : rests ? 0 : -trajectory.gradient[step * names.length + k];
    return move > 0 ? "right" : move < 0 ? "left" : "stay";
  });
  return names.length === 1 ? words[0] : names.map((name, k) => name + ":" + words[k]).join(";");
}

/**
 * The flags of the rows of arrival: what was crossed, what was clipped, how the run ended.
 * @param {Outcome} outcome
 * @param {number[]} rows
 * @returns {Map<number, string[]>}
 */
function flagsOf({ problem, trajectory, search, verdict }, rows) {
  /** @type {Map<number, string[]>} */
  const found = new Map();
  const add = (/** @type {number} */ step, /** @type {string[]} */ words) => {
    if (words.length) found.set(step, [...(found.get(step) ?? []), ...words]);
  };
  if (problem.loss.weights.length === 1) {
    for (let k = 1; k < rows.length; k++) {
      const [low, high] = [trajectory.weight[rows[k - 1]], trajectory.weight[rows[k]]].sort((a, b) => a - b);
      add(rows[k], crossedWords(search.points.filter((point) => {
        const [first, last] = point.kind === "flat" ? point.interval[0] : [point.weight[0], point.weight[0]];
        return low < first && last < high;
      }), problem.loss.weights[0]));
    }
  }
  for (const [step, words] of trajectory.flags) add(step, words);
  add(trajectory.steps, endWords(verdict, trajectory, problem.loss.weights));
  return found;
}

/**
 * @param {CriticalPoint[]} points
 * @param {string} name
 * @returns {string[]}
 */
function crossedWords(points, name) {
  if (points.length > MOST_NAMED) return ["crossed " + points.length + " critical points"];
  return points.map(({ kind, weight, interval }) => {
    if (kind === "flat") {
      const [first, last] = interval[0].map(writeNumber);
      return "crossed flat piece from " + name + " = " + first + " to " + name + " = " + last;
    }
    return "crossed " + (kind === "inflection" ? "inflection (saddle)" : kind) + " at " + name + " = " + writeNumber(weight[0]);
  });
}

/**
 * @param {import("../types.js").Verdict} verdict
 * @param {Trajectory} trajectory
 * @param {string[]} names
 * @returns {string[]}
 */
function endWords({ kind, point }, { status }, names) {
  if (point && point.kind === kind) {
    const what = kind === "inflection" ? "inflection (saddle)" : kind;
    const where = names.map((name, k) => name + " = " + sixDigits(point.weight[k])).join(", ");
    return [(status === "MAX_STEPS" ? "approaching " : "settled on ") + what + " at " + where];
  }
  /** @type {Record<string, string>} */
  const lost = { DIVERGED: "out of bounds", NONFINITE: "not finite", CYCLING: "cycling" };
  return status in lost ? [lost[status]] : [];
}

/**
 * A number as Python's format "g" writes it.
 * @param {number} value
 * @returns {string}
 */
function sixDigits(value) {
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  const [digits, power] = value.toExponential(5).split("e");
  const exponent = Number(power), short = digits.replace(/\.?0+$/, "");
  if (exponent >= -4 && exponent < 6) return pythonFloat(Number(value.toPrecision(6))).replace(/\.0$/, "");
  return short + "e" + (exponent < 0 ? "-" : "+") + String(Math.abs(exponent)).padStart(2, "0");
}

/**
 * @param {string} text
 * @returns {string}
 */
function yamlText(text) {
  return JSON.stringify(text).replace(/[\u007f-\u009f\u2028\u2029\ufeff]/g,
    (sign) => "\\u" + sign.charCodeAt(0).toString(16).padStart(4, "0"));
}

/**
 * @param {Record<string, string>} entries already as YAML
 * @returns {string}
 */
function mapping(entries) {
  return "{" + Object.entries(entries).map(([name, value]) => yamlText(name) + ": " + value).join(", ") + "}";
}

/**
 * @param {number[]} values
 * @returns {string}
 */
function listed(values) {
  return "[" + values.map(yamlFloat).join(", ") + "]";
}

/**
 * Options as a file has them: flags as words, whole numbers without a dot, beta1 and beta2 as a pair.
 * @param {Record<string, number>} values
 * @param {Option[]} options
 * @returns {Record<string, string>}
 */
function optionTexts(values, options) {
  /** @type {Record<string, string>} */
  const texts = {};
  for (const { name, flag, whole } of options) {
    const value = values[name];
    if (name === "beta1") texts.betas = listed([value, values.beta2]);
    else if (name !== "beta2") texts[name] = flag ? String(value === 1) : whole ? String(value) : yamlFloat(value);
  }
  return texts;
}

/**
 * @param {Desk} desk
 * @returns {string}
 */
function derivativeText({ lab, state, model }) {
  const given = state.derivative === model.base.derivative ? lab.derivativeName
    : state.derivative === "exact" ? { method: "analytic" } : { method: "numeric", scheme: state.derivative };
  return mapping(Object.fromEntries(
    Object.entries(given).map(([name, value]) => [name, typeof value === "number" ? yamlFloat(value) : yamlText(value)])));
}

/**
 * @param {LabData} lab
 * @returns {Record<string, string>}
 */
function restTexts({ clip, lineSearch, noise, record }) {
  /** @type {Record<string, string>} */
  const texts = {};
  if (clip) texts.clip = mapping({ [clip.kind]: yamlFloat(clip.bound) });
  if (lineSearch) texts.line_search = "armijo";
  if (noise) {
    texts.noise = mapping(noise.kind === "gaussian" ? { kind: noise.kind, scale: yamlFloat(noise.scale) }
      : { kind: noise.kind, size: String(noise.size) });
  }
  texts.record = mapping({ every: String(record ?? 1) });
  return texts;
}

/**
 * The scenario that gives this run, for `gdsim run`.
 * @param {Desk} desk
 * @returns {string}
 */
export function scenarioYaml(desk) {
  const { emitted, lab, outcome, state } = desk, { problem } = outcome, { loss } = problem;
  const named = (/** @type {string[]} */ names, /** @type {(place: number) => string} */ value) => mapping(
    Object.fromEntries(names.map((name, place) => [name, value(place)])));
  const { schedule, warmup, options } = lab.rate;
  const texts = {
    schema: "1",
    name: yamlText(lab.name),
    title: yamlText(titleOf(desk)),
    loss: mapping({
      expression: yamlText(loss.text), parameters: named(loss.parameters, (place) => yamlFloat(state.parameters[place])),
    }),
    ...(loss.columns.length ? { data: mapping(Object.fromEntries(loss.columns.map((name) => [name, listed(lab.data[name])]))) } : {}),
    initial_weight: named(loss.weights, (place) => yamlFloat(state.start[place])),
    learning_rate: mapping({
      schedule, initial: yamlFloat(state.rate), warmup: String(warmup),
      ...optionTexts(options, emitted.schedules[schedule].options),
    }),
    update_rule: mapping({ name: state.rule, ...optionTexts(state.options, emitted.rules[state.rule].options) }),
    derivative: derivativeText(desk),
    stopping: mapping({
      max_steps: String(state.maxSteps), gradient_tolerance: yamlFloat(lab.stopping.tolerance),
      divergence_bound: yamlFloat(lab.stopping.bound),
    }),
    domain: named(loss.weights, (place) => listed([...problem.domain[place]])),
    ...restTexts(lab),
    seed: String(state.seed),
  };
  return Object.entries(texts).map(([key, value]) => key + ": " + value + "\n").join("");
}
