// From what the reader has set to what came of it.

import { findCritical } from "../engine/critical.js";
import { simulate } from "../engine/descent.js";
import { rulerOf } from "../engine/ruler.js";
import { judgeRun } from "../engine/verdict.js";
import { usualOptions } from "./fragment.js";
import { readLoss } from "./reading.js";

/** @import {Emitted, Interval, LabData, Loss, Outcome, Problem, Search, State, Trajectory} from "../types.js" */

/**
 * All that computing needs to know, and what it keeps between two looks.
 * @typedef {object} Model
 * @property {LabData} lab
 * @property {State} base the state before anything is changed
 * @property {(formula: string) => Loss | null} lossOfText null for a text that is no loss
 * @property {(formula: string) => State} stateFor the state from which an edited loss begins
 * @property {(state: State) => Interval[]} domainOf
 * @property {(state: State) => Outcome} outcomeOf
 * @property {(state: State) => Outcome} rivalOf
 */

const MOST_SEARCHES = 40; // kept, so that a slider that comes back finds what it left

/**
 * The state as the file has it.
 * @param {LabData} lab
 * @returns {State}
 */
export function stateOfLab(lab) {
  const { derivative, rate, rule } = lab;
  return {
    formula: "",
    parameters: [...lab.parameters],
    start: [...lab.start],
    rate: rate.initial,
    rule: rule.name,
    options: { ...rule.options },
    maxSteps: lab.stopping.maxSteps,
    derivative: derivative.method === "numeric" ? derivative.scheme : "exact",
    rival: "",
    rivalOptions: {},
    rivalRate: rate.initial,
    step: lab.steps,
    logH: 0,
    seed: lab.seed,
  };
}

/**
 * @param {LabData} lab
 * @param {Emitted} emitted
 * @returns {Model}
 */
export function modelOf(lab, emitted) {
  const base = stateOfLab(lab), own = emitted.losses[lab.loss];
  const compiled = keeping(8, (/** @type {string} */ formula) => {
    const made = readLoss(formula, own);
    return "loss" in made ? made.loss : null;
  });
  const lossOfText = (/** @type {string} */ formula) => (formula === "" ? own : compiled(formula));
  const lossIn = (/** @type {State} */ state) => lossOfText(state.formula) ?? own;
  const domainOf = (/** @type {State} */ state) => domainFor(lossIn(state), own, lab, state.start);
  const problemOf = (/** @type {State} */ state) => problemFor(lab, base, lossIn(state), domainOf(state), state);
  const searched = keeping(MOST_SEARCHES, (/** @type {string} */ _, /** @type {Problem} */ problem,
    /** @type {number[]} */ end) => findCritical(problem.loss, problem.parameters, problem.data, problem.domain, [end]));
  /** @type {(problem: Problem, state: State, end: number[]) => Search} */
  const searchOf = (problem, state, end) => {
    if (state.formula === "" && state.parameters.join() === base.parameters.join()) return lab.search;
    return searched([state.formula, state.parameters.join(), problem.domain.join()].join("\n"), problem, end);
  };
  const outcomeOf = (/** @type {State} */ state) => {
    const problem = problemOf(state);
    const trajectory = simulate(problem, emitted);
    const search = searchOf(problem, state, endOf(trajectory));
    const verdict = judgeRun(problem, trajectory, search);
    return { problem, trajectory, search, verdict, ruler: rulerOf(problem, trajectory, search, verdict) };
  };
  return {
    lab, base, lossOfText, domainOf, outcomeOf,
    stateFor: (formula) => stateForLoss(formula, lossOfText(formula) ?? own, own, base),
    rivalOf: (state) => outcomeOf({ ...state, rule: state.rival, options: state.rivalOptions, rate: state.rivalRate }),
  };
}

/**
 * A function that keeps its last results by the first argument.
 * @template {any[]} A
 * @template R
 * @param {number} most
 * @param {(key: string, ...rest: A) => R} compute
 * @returns {(key: string, ...rest: A) => R}
 */
export function keeping(most, compute) {
  /** @type {Map<string, R>} */
  const kept = new Map();
  return (key, ...rest) => {
    const known = kept.get(key);
    if (known !== undefined) return known;
    const made = compute(key, ...rest);
    kept.set(key, made);
    if (kept.size > most) kept.delete(/** @type {string} */ (kept.keys().next().value));
    return made;
  };
}

/**
 * The weights of the last record.
 * @param {Trajectory} trajectory
 * @returns {number[]}
 */
export function endOf(trajectory) {
  return recordOf(trajectory, trajectory.steps);
}

/**
 * The weights of a record.
 * @param {Trajectory} trajectory
 * @param {number} step
 * @returns {number[]}
 */
export function recordOf(trajectory, step) {
  const { weights, weight } = trajectory;
  return Array.from(weight.subarray(step * weights, (step + 1) * weights));
}

/**
 * Weights that the file does not know begin at 1.
 * @param {string} formula
 * @param {Loss} loss
 * @param {Loss} own
 * @param {State} base
 * @returns {State}
 */
function stateForLoss(formula, loss, own, base) {
  const start = loss.weights.map((name) => {
    const place = own.weights.indexOf(name);
    return place < 0 ? 1 : base.start[place];
  });
  return { ...base, formula, start };
}

/**
 * Where critical points are sought and pictures drawn: as in the file, and around the start for other weights.
 * @param {Loss} loss
 * @param {Loss} own
 * @param {LabData} lab
 * @param {number[]} start
 * @returns {Interval[]}
 */
function domainFor(loss, own, lab, start) {
  return loss.weights.map((name, place) => {
    const known = own.weights.indexOf(name);
    if (known >= 0) return lab.domain[known];
    const reach = 10 * Math.max(1, Math.abs(start[place]));
    return [start[place] - reach, start[place] + reach];
  });
}

/**
 * @param {LabData} lab
 * @param {State} base
 * @param {Loss} loss
 * @param {Interval[]} domain
 * @param {State} state
 * @returns {Problem}
 */
function problemFor(lab, base, loss, domain, state) {
  const { clip, data, lineSearch, noise, rate } = lab;
  const scheme = /** @type {import("../types.js").Scheme | "exact"} */ (state.derivative);
  return {
    loss,
    parameters: state.parameters,
    data: loss.columns.map((name) => data[name]),
    start: state.start,
    rate: { ...rate, initial: state.rate },
    rule: { name: state.rule, options: state.options },
    derivative: state.derivative === base.derivative ? lab.derivative
      : scheme === "exact" ? { method: "exact" } : { method: "numeric", scheme, step: "auto" },
    stopping: { ...lab.stopping, maxSteps: state.maxSteps },
    noise, clip, lineSearch, domain,
    seed: state.seed,
  };
}

/**
 * The part of a state that changes when a rule is chosen.
 * @param {Model} model
 * @param {Emitted} emitted
 * @param {string} rule
 * @returns {Partial<State>}
 */
export function choosingRule(model, emitted, rule) {
  const { base } = model;
  return { rule, options: rule === base.rule ? { ...base.options } : usualOptions(emitted, rule) };
}
