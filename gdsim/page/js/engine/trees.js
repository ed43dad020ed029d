// The tree of a formula, and what is rational in it.

import { exactFraction, fractionBits, fractionProduct, fractionQuotient, fractionSum } from "./fractions.js";

/** @typedef {import("./fractions.js").Fraction} Fraction */
/**
 * @typedef {"number" | "constant" | "weight" | "parameter" | "column" | "add" | "multiply" | "divide" | "power" |
 *   "negate" | "call" | "compare" | "where" | "reduce"} TreeKind
 */
/**
 * A node of a formula: `name` is that of a symbol, a constant, a function or a comparison, `value` that of a number.
 * @typedef {{ kind: TreeKind, name: string, parts: Tree[], value: Fraction | null }} Tree
 */

/**
 * @param {TreeKind} kind
 * @param {string} name
 * @param {Tree[]} [parts]
 * @param {Fraction | null} [value]
 * @returns {Tree}
 */
export function treeNode(kind, name, parts = [], value = null) {
  return { kind, name, parts, value };
}

/**
 * Every node of a tree, a node before its parts, with its level.
 * @param {Tree} tree
 * @returns {[Tree, number][]}
 */
export function treeNodes(tree) {
  /** @type {[Tree, number][]} */
  const found = [];
  /** @type {[Tree, number][]} */
  const waiting = [[tree, 1]];
  for (let entry = waiting.pop(); entry; entry = waiting.pop()) {
    const [node, level] = entry;
    found.push(entry);
    for (let k = node.parts.length - 1; k >= 0; k--) waiting.push([node.parts[k], level + 1]);
  }
  return found;
}

/**
 * The names of one kind in a tree, in order of first appearance.
 * @param {Tree} tree
 * @param {TreeKind} kind
 * @returns {string[]}
 */
export function namesIn(tree, kind) {
  return [...new Set(treeNodes(tree).filter(([node]) => node.kind === kind).map(([node]) => node.name))];
}

/**
 * The exact value of a constant rational expression of at most 2,000 bits, or null.
 * @param {Tree} tree
 * @returns {Fraction | null}
 */
export function rationalValue(tree) {
  const { kind, parts, value } = tree;
  if (kind === "number") return value;
  if (!["negate", "add", "multiply", "divide", "power"].includes(kind)) return null;
  /** @type {Fraction[]} */
  const values = [];
  for (const part of parts) {
    const inner = rationalValue(part);
    if (!inner) return null;
    values.push(inner);
  }
  const [first, second] = values;
  if (kind === "negate") return { above: -first.above, below: first.below };
  if (kind === "divide") return second.above ? fractionQuotient(first, second) : null;
  if (kind === "power") return rationalPower(first, second);
  const result = values.reduce(kind === "add" ? fractionSum : fractionProduct);
  return fractionBits(result) <= 2000 ? result : null;
}

/**
 * @param {Fraction} base
 * @param {Fraction} exponent
 * @returns {Fraction | null}
 */
function rationalPower(base, exponent) {
  if (exponent.below !== 1n || (!base.above && exponent.above < 0n)) return null;
  const size = exponent.above < 0n ? -exponent.above : exponent.above;
  if (BigInt(fractionBits(base)) * size > 2000n) return null;
  const raised = { above: base.above ** size, below: base.below ** size };
  return exponent.above < 0n ? fractionQuotient(exactFraction(1n), raised) : raised;
}

/**
 * The value of an exponent such as 3, -1/2 or 2/3; null where it is none.
 * @param {Tree} tree
 * @returns {Fraction | null}
 */
export function rationalExponent(tree) {
  const plain = ["number", "negate", "divide"].includes(tree.kind) && tree.parts.every(rationalExponent);
  return plain ? rationalValue(tree) : null;
}
