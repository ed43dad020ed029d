// What a reader types: a number, or a loss. Nothing here throws.

import { parseConstant, parseFormula } from "../engine/formula.js";
import { lossOf } from "../engine/jets.js";
import { FormulaError } from "../engine/tokens.js";
import { namesIn, treeNodes } from "../engine/trees.js";

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

const WITH_A_KINK = ["abs", "sign", "max", "min", "relu", "huber"];
/** @type {WeakMap<Loss, boolean>} */
const known = new WeakMap();

/**
 * Whether a loss is analytic in its weights, so that the complex step gives its slope; as gdsim run asks it.
 * @param {Loss} loss
 * @returns {boolean}
 */
export function isAnalytic(loss) {
  const told = known.get(loss);
  if (told !== undefined) return told;
  const { tree } = parseFormula(loss.text, { parameters: loss.parameters, columns: loss.columns });
  const found = treeNodes(tree).every(([{ kind, name, parts }]) => {
    const inside = kind === "where" ? parts.slice(0, 1) : kind === "call" && WITH_A_KINK.includes(name) ? parts : [];
    return inside.every((part) => namesIn(part, "weight").length === 0);
  });
  known.set(loss, found);
  return found;
}
