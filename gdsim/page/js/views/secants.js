// Difference quotients round the weight of the present step: what the zoom and the V-curve draw.
/** @import {Outcome, Scheme, State} from "../types.js" */
import { weightAt } from "../engine/rest.js";
import { shownStep } from "./points.js";

/**
 * The loss along the first weight, through the weights of the present step: its value, `slope` and second
 * derivative `bend` there. `sign` is how the derivative is written, `rows` of data make an evaluation dear, and
 * `key` is what all this depends on.
 * @typedef {{name: string, sign: string, at: number, value: number, slope: number, bend: number, rows: number, key: unknown[],
 *   along: (weight: number) => number}} Slice
 */

export const DOUBLE_EPSILON = 2 ** -52;
/** From wide to narrow, four to a decade: 1 … 10⁻¹⁶. */
export const QUOTIENT_STEPS = Array.from({ length: 65 }, (_, k) => stepFromLog(-k / 4));
/** @type {Scheme[]} */
export const DRAWN_SCHEMES = ["forward", "backward", "central", "five_point"];

/**
 * h from its logarithm: to the last digit what "1e-5" reads as.
 * @param {number} logH
 * @returns {number}
 */
export function stepFromLog(logH) {
  return Number.isInteger(logH) ? Number("1e" + logH) : 10 ** logH;
}

/**
 * Null where there is nothing to look at: weight, loss or slope is no finite number.
 * @param {Outcome} outcome
 * @param {State} state
 * @returns {Slice | null}
 */
export function sliceAt({ problem, trajectory }, state) {
  const { loss, parameters, data } = problem, here = weightAt(trajectory, shownStep(trajectory, state)), count = here.length;
  const gradient = new Array(count).fill(0), hessian = new Array(count * count).fill(0), moved = [...here], name = loss.weights[0];
  loss.gradient(here, parameters, data, gradient);
  loss.hessian(here, parameters, data, hessian);
  const along = (/** @type {number} */ weight) => {
    moved[0] = weight;
    return loss.value(moved, parameters, data);
  };
  const [at] = here, [slope] = gradient, value = along(at);
  if (!Number.isFinite(at + value + slope)) return null;
  return {
    name, sign: count === 1 ? `f′(${name})` : "∂L/∂" + name, at, value, slope, bend: hessian[0], rows: data.length ? data[0].length : 0,
    key: [loss, data, ...parameters, ...here], along,
  };
}

/**
 * A difference quotient with a given step: the textbook's formula to the last digit.
 * @param {Slice} slice
 * @param {Scheme} scheme
 * @param {number} h
 * @returns {number}
 */
export function quotientOf({ at, value, along }, scheme, h) {
  if (scheme === "forward") return (along(at + h) - value) / h;
  if (scheme === "backward") return (value - along(at - h)) / h;
  const near = (along(at + h) - along(at - h)) / (2 * h);
  return scheme === "central" ? near : (4 * near - (along(at + 2 * h) - along(at - 2 * h)) / (4 * h)) / 3;
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
  const { key } = slice, { key: known } = lastErrors;
  if (key.length !== known.length || !key.every((one, k) => Object.is(one, known[k]))) Object.assign(lastErrors, { key, errors: new Map() });
  const errors = lastErrors.errors.get(scheme) ?? QUOTIENT_STEPS.map((h) => Math.abs(quotientOf(slice, scheme, h) - slice.slope));
  lastErrors.errors.set(scheme, errors);
  return errors;
}

/**
 * To how many digits a quotient is the derivative when both are rounded there, 0 … 16; of 0 it counts decimals.
 * @param {number} quotient
 * @param {number} derivative
 * @returns {number}
 */
export function agreeingDigits(quotient, derivative) {
  const off = Math.abs(quotient - derivative), first = derivative === 0 ? -1 : Math.floor(Math.log10(Math.abs(derivative)));
  return off === 0 ? 16 : Math.max(0, Math.min(16, Math.floor(first + 1 - Math.log10(2 * off)))) || 0;
}

/**
 * What rules the error of the forward quotient: the bend of the curve, rounding, a kink, or that w + h is w.
 * @param {Slice} slice
 * @param {number} h
 * @returns {"exact" | "bend" | "rounding" | "kink" | "lost"}
 */
export function errorRuledBy(slice, h) {
  const { at, value, slope, bend } = slice, right = quotientOf(slice, "forward", h);
  if (at + h === at) return "lost";
  if (right === slope) return "exact";
  const rounding = (DOUBLE_EPSILON * (Math.max(Math.abs(value), Math.abs(value + right * h)) + Math.abs(slope * at))) / h;
  const gap = (/** @type {number} */ step) => Math.abs(quotientOf(slice, "forward", step) - quotientOf(slice, "backward", step));
  // On a smooth curve the slopes on the left and on the right close up as h shrinks; at a kink they do not.
  if (h < 0.1 && gap(h / 8) > Math.max(0.7 * gap(h), 200 * rounding)) return "kink";
  return rounding > (Math.abs(bend) * h) / 2 ? "rounding" : "bend";
}
