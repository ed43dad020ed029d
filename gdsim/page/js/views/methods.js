// The derivative at the present weights by several methods, each computed here and now.

import { differenceGradient } from "../engine/differences.js";
import { dualDerivative } from "../engine/jets.js";
import { weightAt } from "../engine/rest.js";
import { shownStep } from "./points.js";

/** @import {LabData, Outcome, Problem, Scheme, State} from "../types.js" */

/**
 * A row of the table. `live` is false for what Python found at the start of the scenario.
 * @typedef {{name: string, value: number[], error: number | null, evaluations: number, live: boolean}} MethodRow
 */

/** @type {[string, Scheme][]} */
const TABLE_SCHEMES = [["forward difference", "forward"], ["central difference", "central"]];

/**
 * Rows for the methods that the page computes itself, then those of Python that it cannot. The error is the
 * largest distance from the analytic derivative; null for that itself.
 * @param {Outcome} outcome
 * @param {State} state
 * @param {LabData} lab
 * @returns {MethodRow[]}
 */
export function methodRows(outcome, state, lab) {
  const { loss, parameters, data } = outcome.problem;
  const weights = weightAt(outcome.trajectory, shownStep(outcome.trajectory, state));
  const exact = weights.map(() => NaN);
  loss.gradient(weights, parameters, data, exact);
  /** @type {MethodRow[]} */
  const rows = [{ name: "analytic", value: exact, error: null, evaluations: 1, live: true }];
  for (const [name, scheme] of TABLE_SCHEMES) {
    const value = weights.map(() => NaN);
    const evaluations = differenceGradient(scheme, "auto", loss, weights, parameters, data, value);
    rows.push({ name, value, error: errorFrom(exact, value), evaluations, live: true });
  }
  const dual = dualValue(outcome.problem, weights);
  if (dual) rows.push({ name: "dual numbers", value: dual, error: errorFrom(exact, dual), evaluations: 1, live: true });
  for (const one of lab.methods) {
    if (/scipy|torch/i.test(one.name)) rows.push({ ...one, live: false });
  }
  return rows;
}

/**
 * @param {number[]} exact
 * @param {number[]} value
 * @returns {number}
 */
function errorFrom(exact, value) {
  let most = 0;
  exact.forEach((one, place) => {
    const off = Math.abs(value[place] - one);
    if (!(off <= most)) most = off;
  });
  return most;
}

/**
 * The derivative carried along by dual numbers; null where the page cannot read the formula.
 * @param {Problem} problem
 * @param {number[]} weights
 * @returns {number[] | null}
 */
function dualValue({ loss, parameters, data }, weights) {
  try {
    return dualDerivative(loss, weights, parameters, data).derivative;
  } catch {
    return null;
  }
}
