// Whether two formulas are the same function, and which wrong rule leads to an answer: the siblings of
// gdsim/lessons/equivalence.py and misconceptions.py. Python proves; here both are compared in double precision at
// the points at which Python compares them, so that what Python says is right "at every point tried" is right, too.

/** @import {DeriveStep, Judgement} from "../lesson" */

import { parseConstant } from "../engine/formula.js";
import { lossOf } from "../engine/jets.js";
import { FormulaError } from "../engine/tokens.js";

const TRIED_POINTS = 48;
const ENOUGH_POINTS = 12; // where both have a value
const GOLDEN = [55 / 144, 109 / 288, 73 / 192, 91 / 240];
const CLOSER = 1 / 16; // of the points, where formulas hardly have values
const CLOSE = 1e-9; // of the values
const FLOOR = 1e-13; // what is left when numbers of the size of 1 cancel
const NUDGE = 2 ** -46; // of a weight: its effect tells how far rounding carries
const NOISY = 1e-3; // of the values: rounding this large leaves nothing to compare

const WITHOUT_WEIGHT = "the formula has no weight"; // as the reader of formulas says it

/**
 * A formula at points: a function of weights, by names in an order of its own.
 * @typedef {(at: Record<string, number>) => number} Formula
 */
/** @typedef {"agree" | "differ" | "unknown"} FormulaLikeness */

/** Points as Python has them: of all signs, small and large, none of them simple. @type {(names: string[], count: number, scale: number) => Record<string, number>} */
function samplePoint(names, count, scale) {
  return Object.fromEntries(names.map((name, place) => {
    const size = scale * (GOLDEN[place % 4] + (((3 * count * (place + 1)) / 8) % 9));
    return [name, (count >> place) & 1 ? -size : size];
  }));
}

/**
 * Whether two formulas agree wherever both have a value. Where they hardly have one, as asin(3x), they are tried again
 * closer to 0.
 * @type {(first: Formula, second: Formula, names: string[]) => FormulaLikeness}
 */
export function likenessOf(first, second, names) {
  const found = likenessNear(first, second, names, 1);
  return found === "unknown" ? likenessNear(first, second, names, CLOSER) : found;
}

/** @type {(first: Formula, second: Formula, names: string[], scale: number) => FormulaLikeness} */
function likenessNear(first, second, names, scale) {
  let both = 0;
  let one = 0;
  for (let count = 0; count < TRIED_POINTS; count++) {
    const at = samplePoint(names, count, scale);
    const [left, right] = [first(at), second(at)];
    if (Number.isFinite(left) && Number.isFinite(right)) {
      const size = Math.abs(left) + Math.abs(right);
      const noise = 8 * (roundingAt(first, at, left) + roundingAt(second, at, right));
      if (Math.abs(left - right) > CLOSE * size + FLOOR + noise) return "differ";
      if (noise <= NOISY * (1 + size)) both += 1;
    } else if (Number.isFinite(left) || Number.isFinite(right)) one += 1;
  }
  if (one > both) return "differ";
  return both >= ENOUGH_POINTS ? "agree" : "unknown";
}

/** How far the value jumps about when the weights hardly move. @type {(formula: Formula, at: Record<string, number>, value: number) => number} */
function roundingAt(formula, at, value) {
  let most = 0;
  for (const turn of [-2, -1, 1, 2]) {
    const near = Object.fromEntries(Object.entries(at).map(([name, x]) => [name, x * (1 + turn * NUDGE)]));
    const away = Math.abs(formula(near) - value);
    if (away > most) most = away;
  }
  return most;
}

/**
 * Reads a formula: its weights, its values, and its derivative by a weight. Throws FormulaError.
 * @type {(text: string, by?: string) => {weights: string[], value: Formula, slope: Formula}}
 */
export function readFormula(text, by = "") {
  const loss = lossUnlessConstant(text);
  if (!loss) {
    const constant = constantOf(text);
    return { weights: [], value: () => constant, slope: () => 0 };
  }
  const place = loss.weights.indexOf(by);
  const weights = (/** @type {Record<string, number>} */ at) => loss.weights.map((name) => at[name]);
  const slope = (/** @type {Record<string, number>} */ at) => {
    const out = loss.weights.map(() => 0);
    loss.gradient(weights(at), [], [], out);
    return place < 0 ? 0 : out[place];
  };
  return { weights: loss.weights, value: (at) => loss.value(weights(at), [], []), slope };
}

/** A formula as a loss, null where it has no weights. @type {(text: string) => import("../types").Loss | null} */
function lossUnlessConstant(text) {
  try {
    return lossOf(text, [], []);
  } catch (error) {
    if (error instanceof FormulaError && error.message === WITHOUT_WEIGHT) return null;
    throw error;
  }
}

/** The value of a formula without weights, NaN where it has none. @type {(text: string) => number} */
function constantOf(text) {
  try {
    return parseConstant(text);
  } catch {
    return NaN;
  }
}

/**
 * Judges a derivative, given as a formula. Throws FormulaError for one that cannot be read.
 * @type {(step: DeriveStep, answer: string) => Judgement}
 */
export function judgeDerivative(step, answer) {
  const { by, of, weights } = step;
  const given = readFormula(answer, by);
  for (const name of given.weights) {
    if (!weights.includes(name)) throw new FormulaError(null, "'" + name + "' does not occur in " + of, "a formula of " + weights.join(", "));
  }
  const found = likenessOf(given.value, readFormula(step.right).value, weights);
  /** @type {Judgement} */
  const judged = { right: found === "agree", phrase: "right", facts: {}, part: "", misconception: "", outcome: null };
  if (found === "unknown") return { ...judged, right: null, phrase: "cannot-tell" };
  if (found === "agree") return judged;
  const same = (/** @type {Formula} */ one, /** @type {Formula} */ other) => likenessOf(one, other, weights) === "agree";
  const wrong = step.wrong.find(([, text]) => same(given.value, readFormula(text).value));
  const integrated = !wrong && same(given.slope, readFormula(of).value);
  return { ...judged, phrase: "wrong", misconception: wrong ? wrong[0] : integrated ? "integrated" : "" };
}
