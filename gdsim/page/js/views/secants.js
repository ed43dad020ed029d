// Difference quotients round the weight of the present step: what the zoom and the V-curve draw.

import { weightAt } from "../engine/rest.js";

/** @import {Outcome, Scheme, State} from "../types.js" */

/**
 * The loss along the first weight, through the weights of the present step.
 * @typedef {object} Slice
 * @property {string} name the weight that is moved
 * @property {number} at its value
 * @property {number} value the loss there
 * @property {number} slope the true derivative
 * @property {number} bend the second derivative
 * @property {string} sign how the derivative is written: f′(w), or ∂L/∂x among several weights
 * @property {number} rows of data, which make an evaluation dear
 * @property {unknown[]} key what the slice depends on
 * @property {(weight: number) => number} along the loss with this weight moved
 */

export const DOUBLE_EPSILON = 2 ** -52;
/** From wide to narrow, four to a decade: 1 … 10⁻¹⁶. */
export const QUOTIENT_STEPS = Array.from({ length: 65 }, (_, index) => stepOf(-index / 4));
/** @type {Scheme[]} */
export const DRAWN_SCHEMES = ["forward", "backward", "central", "five_point"];

/**
 * h from its logarithm: to the last digit what "1e-5" reads as.
 * @param {number} logH
 * @returns {number}
 */
export function stepOf(logH) {
  return Number.isInteger(logH) ? Number("1e" + logH) : 10 ** logH;
}

/**
 * The weights of the step that is shown.
 * @param {Outcome} outcome
 * @param {State} state
 * @returns {number[]}
 */
export function presentWeights(outcome, state) {
  return weightAt(outcome.trajectory, presentRecord(outcome, state));
}

/**
 * The number of the record that is shown.
 * @param {Outcome} outcome
 * @param {State} state
 * @returns {number}
 */
export function presentRecord(outcome, state) {
  return Math.max(0, Math.min(Math.round(state.step) || 0, outcome.trajectory.steps));
}

/**
 * Null where there is nothing to look at: weight, loss or slope is no finite number.
 * @param {Outcome} outcome
 * @param {State} state
 * @returns {Slice | null}
 */
export function sliceAt(outcome, state) {
  const { loss, parameters, data } = outcome.problem;
  const here = presentWeights(outcome, state);
  const count = here.length;
  const gradient = new Array(count).fill(0);
  const hessian = new Array(count * count).fill(0);
  loss.gradient(here, parameters, data, gradient);
  loss.hessian(here, parameters, data, hessian);
  const moved = [...here];
  /** @param {number} weight */
  const along = (weight) => {
    moved[0] = weight;
    return loss.value(moved, parameters, data);
  };
  const slice = {
    name: loss.weights[0], at: here[0], value: along(here[0]), slope: gradient[0], bend: hessian[0],
    sign: count === 1 ? `f′(${loss.weights[0]})` : `∂L/∂${loss.weights[0]}`,
    rows: data.length ? data[0].length : 0, key: [loss, data, ...parameters, ...here], along,
  };
  return Number.isFinite(slice.at + slice.value + slice.slope) ? slice : null;
}

/**
 * A difference quotient with a given step: the textbook's formula to the last digit.
 * @param {Slice} slice
 * @param {Scheme} scheme
 * @param {number} h
 * @returns {number}
 */
export function quotientOf(slice, scheme, h) {
  const { at, along } = slice;
  const near = () => (along(at + h) - along(at - h)) / (2 * h);
  if (scheme === "forward") return (along(at + h) - slice.value) / h;
  if (scheme === "backward") return (slice.value - along(at - h)) / h;
  if (scheme === "central") return near();
  return (4 * near() - (along(at + 2 * h) - along(at - 2 * h)) / (4 * h)) / 3;
}

/** What was asked for last: while h is dragged the weight stays. @type {{key: unknown[], errors: Map<Scheme, number[]>}} */
const lastErrors = { key: [], errors: new Map() };

/**
 * |quotient − derivative| over all steps, of one scheme.
 * @param {Slice} slice
 * @param {Scheme} scheme
 * @returns {number[]}
 */
export function quotientErrors(slice, scheme) {
  const { key } = slice;
  if (key.length !== lastErrors.key.length || !key.every((one, index) => Object.is(one, lastErrors.key[index]))) {
    lastErrors.key = key;
    lastErrors.errors = new Map();
  }
  let errors = lastErrors.errors.get(scheme);
  if (!errors) {
    errors = QUOTIENT_STEPS.map((h) => Math.abs(quotientOf(slice, scheme, h) - slice.slope));
    lastErrors.errors.set(scheme, errors);
  }
  return errors;
}

/**
 * To how many digits a quotient is the derivative when both are rounded there, 0 … 16; of 0 it counts decimals.
 * @param {number} quotient
 * @param {number} derivative
 * @returns {number}
 */
export function agreeingDigits(quotient, derivative) {
  const off = Math.abs(quotient - derivative);
  if (off === 0) return 16;
  const first = derivative === 0 ? -1 : Math.floor(Math.log10(Math.abs(derivative)));
  return Math.max(0, Math.min(16, Math.floor(first + 1 - Math.log10(2 * off)))) || 0;
}

/**
 * What rules the error of the forward quotient: the bend of the curve, rounding, a kink, or that w + h is w.
 * @param {Slice} slice
 * @param {number} h
 * @returns {"exact" | "bend" | "rounding" | "kink" | "lost"}
 */
export function errorRuledBy(slice, h) {
  const { at, value, slope, bend } = slice;
  if (at + h === at) return "lost";
  const right = quotientOf(slice, "forward", h);
  if (right === slope) return "exact";
  const size = Math.max(Math.abs(value), Math.abs(value + right * h));
  const rounding = (DOUBLE_EPSILON * (size + Math.abs(slope * at))) / h;
  /** @param {number} step */
  const gap = (step) => Math.abs(quotientOf(slice, "forward", step) - quotientOf(slice, "backward", step));
  // On a smooth curve the slopes on the left and on the right close up as h shrinks; at a kink they do not.
  if (h < 0.1 && gap(h / 8) > Math.max(0.7 * gap(h), 200 * rounding)) return "kink";
  return rounding > (Math.abs(bend) * h) / 2 ? "rounding" : "bend";
}
