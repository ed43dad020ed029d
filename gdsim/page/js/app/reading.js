// What a reader types: a number, or a loss. Nothing here throws.

import { parseConstant } from "../engine/formula.js";
import { lossOf } from "../engine/jets.js";
import { FormulaError } from "../engine/tokens.js";

/** @import {Loss} from "../types.js" */

/** What is wrong with a text; the column counts from 1. @typedef {{message: string, column: number | null}} Misreading */

/**
 * @param {unknown} error
 * @returns {Misreading}
 */
function misreading(error) {
  if (error instanceof FormulaError) return { message: error.sentence, column: error.column };
  return { message: "this cannot be read", column: null };
}

/**
 * A number, or a constant expression such as 1/3.
 * @param {string} text
 * @returns {{value: number} | Misreading}
 */
export function readConstant(text) {
  try {
    return { value: parseConstant(text.trim()) };
  } catch (error) {
    return misreading(error);
  }
}

/**
 * A loss with the parameters and the columns of another one.
 * @param {string} text
 * @param {Loss} own
 * @returns {{loss: Loss} | Misreading}
 */
export function readLoss(text, own) {
  try {
    return { loss: lossOf(text, own.parameters, own.columns) };
  } catch (error) {
    return misreading(error);
  }
}
