// From the text of a formula to its tree, by the grammar, the allow-list and the limits of gdsim.
// Nothing of the text is ever evaluated as program code.

import { exactFraction, fractionNumber } from "./fractions.js";
import { nearestName } from "./nearest.js";
import { COMPARISONS, phraseOf } from "./phrases.js";
import { FormulaTape } from "./tape.js";
import { CONSTRUCTS, FUNCTIONS, literalOf, quotedText, refuseFormula } from "./tokens.js";
import { namesIn, rationalValue, treeNode, treeNodes } from "./trees.js";

/** @typedef {import("./phrases.js").Phrase} Phrase */
/** @typedef {import("./tokens.js").Token} Token */
/** @typedef {import("./trees.js").Tree} Tree */

const LONGEST_FORMULA = 1000;
const MOST_FORMULA_PARTS = 500;
const DEEPEST_FORMULA = 50;
const LONGEST_SUGGESTION = 40;
const TOO_DEEP = "the formula is nested too deeply";
const ONE_COMPARISON = "where(x > 0, a, b)";
const FOREIGN = new Map(
  Object.entries({
    arcsin: "asin", arccos: "acos", arctan: "atan", tg: "tan", lg: "log10", sgn: "sign", pow: "x^y", square: "x^2",
    cbrt: "x^(1/3)", logistic: "sigmoid", sigma: "sigmoid", heaviside: "where(x > 0, 1, 0)", fabs: "abs",
    clip: "max(a, min(x, b))", average: "mean",
  }),
);

/** The allow-list: each kind of phrase that may stand in a formula has its line. */
class TreeReader {
  /**
   * @param {string[]} characters
   * @param {Set<string>} parameters
   * @param {Set<string>} columns
   */
  constructor(characters, parameters, columns) {
    this.characters = characters;
    this.parameters = parameters;
    this.columns = columns;
    this.reducing = false;
  }

  /**
   * @param {Phrase} phrase
   * @param {number} depth
   * @returns {Tree}
   */
  tree(phrase, depth) {
    const { sign, at, parts } = phrase;
    if (depth > DEEPEST_FORMULA) refuseFormula(at, TOO_DEEP, `at most ${DEEPEST_FORMULA} levels`);
    switch (sign) {
      case "number": {
        const value = literalOf(at);
        return treeNode("number", "", [], value.above < 0n ? { ...value, above: -value.above } : value);
      }
      case "name": return this.name(at);
      case "-x": return treeNode("negate", "", [this.tree(parts[0], depth + 1)]);
      case "+x": return this.tree(parts[0], depth + 1);
      case "**": return treeNode("power", "", [this.tree(parts[0], depth + 1), this.tree(parts[1], depth + 1)]);
      case "call": return this.call(phrase, depth);
      case ",": refuseFormula(at, "a comma stands here", "one expression");
    }
    if (COMPARISONS.includes(sign)) {
      refuseFormula(at, "a comparison stands here", `a comparison only inside ${ONE_COMPARISON}`);
    }
    return this.chain(phrase, depth);
  }

  /**
   * a + b - c … or a * b / c …, from left to right without recursion down the spine.
   * @param {Phrase} phrase
   * @param {number} depth
   * @returns {Tree}
   */
  chain(phrase, depth) {
    const sums = phrase.sign === "+" || phrase.sign === "-";
    const same = sums ? ["+", "-"] : ["*", "/"];
    const spine = [];
    let left = phrase;
    for (; same.includes(left.sign); left = left.parts[0]) spine.push(left);
    let parts = [this.tree(left, depth + 1)];
    for (const { sign, parts: [, right] } of spine.reverse()) {
      const value = this.tree(right, depth + 1);
      if (sign === "/") {
        parts = [treeNode("divide", "", [parts.length === 1 ? parts[0] : treeNode("multiply", "", parts), value])];
      } else parts.push(sign === "-" ? treeNode("negate", "", [value]) : value);
    }
    return parts.length === 1 ? parts[0] : treeNode(sums ? "add" : "multiply", "", parts);
  }

  /**
   * @param {Token} at
   * @returns {Tree}
   */
  name(at) {
    const name = at.text;
    if (isConstantName(name)) return treeNode("constant", name === "π" ? "pi" : name);
    if (FUNCTIONS.has(name) || CONSTRUCTS.has(name)) {
      refuseFormula(at, `${name} is a function`, `brackets right behind it: ${name}(x)`);
    }
    if (this.parameters.has(name)) return treeNode("parameter", name);
    if (!this.columns.has(name)) return treeNode("weight", name);
    if (this.reducing) return treeNode("column", name);
    const message = `the data column ${quotedText(name)} stands outside a reduction`;
    refuseFormula(at, message, `mean(… ${name} …) or sum(… ${name} …)`);
  }

  /**
   * @param {Phrase} phrase
   * @param {number} depth
   * @returns {Tree}
   */
  call(phrase, depth) {
    const { at, parts } = phrase;
    const name = at.text;
    const known = FUNCTIONS.get(name) ?? CONSTRUCTS.get(name);
    if (!known) return this.unknown(phrase);
    if (parts.length < known[0] || parts.length > known[1]) refuseCount(phrase, known);
    if (name === "where") return this.where(phrase, depth);
    if (name === "mean" || name === "sum") return this.reduction(phrase, depth);
    const inside = parts.map((part) => this.tree(part, depth + 1));
    if (name === "huber" && inside.length === 1) inside.push(treeNode("number", "", [], exactFraction(1n)));
    if (name === "max" || name === "min") return inside.reduce((first, second) => treeNode("call", name, [first, second]));
    return treeNode("call", name === "ln" ? "log" : name, inside);
  }

  /**
   * Tell a product written without its sign from a misspelt function.
   * @param {Phrase} phrase
   * @returns {never}
   */
  unknown({ at, close }) {
    const name = at.text;
    const small = name.toLowerCase();
    const known = FOREIGN.get(small) ?? nearestName(small, [...FUNCTIONS.keys(), ...CONSTRUCTS.keys()]);
    const isValue = isConstantName(name) || this.parameters.has(name) || this.columns.has(name);
    if (!isValue && known && [...name].length > 1) refuseFormula(at, `unknown function ${quotedText(name)}`, "", known);
    const brackets = this.characters.slice(this.characters.indexOf("(", at.place), close.place + 1);
    const inside = [...name].length + brackets.length < LONGEST_SUGGESTION ? brackets.join("") : "(…)";
    refuseFormula(at, `${quotedText(name)} is not a function`, "a function, or a product with *", `${name}*${inside}`);
  }

  /**
   * @param {Phrase} phrase
   * @param {number} depth
   * @returns {Tree}
   */
  where({ parts: [condition, then, otherwise] }, depth) {
    if (!COMPARISONS.includes(condition.sign) || condition.parts.length !== 2) {
      refuseFormula(condition.at, "where needs one comparison first", ONE_COMPARISON);
    }
    const sides = condition.parts.map((side) => this.tree(side, depth + 2));
    const branches = [then, otherwise].map((branch) => this.tree(branch, depth + 1));
    return treeNode("where", "", [treeNode("compare", condition.sign, sides), ...branches]);
  }

  /**
   * @param {Phrase} phrase
   * @param {number} depth
   * @returns {Tree}
   */
  reduction({ at, parts }, depth) {
    if (this.reducing) {
      refuseFormula(at, `${at.text} stands inside another reduction`, "one mean or sum at a time");
    }
    if (!this.columns.size) {
      refuseFormula(at, `${at.text} needs data, and there is none`, "a data: block with columns");
    }
    this.reducing = true;
    const body = this.tree(parts[0], depth + 1);
    this.reducing = false;
    return treeNode("reduce", at.text, [body]);
  }
}

/**
 * @param {string} name
 * @returns {boolean}
 */
function isConstantName(name) {
  return name === "pi" || name === "e" || name === "π";
}

/**
 * @param {number} count
 * @returns {string}
 */
function argumentCount(count) {
  return count === 1 ? "1 argument" : `${count} arguments`;
}

/**
 * @param {Phrase} phrase
 * @param {number[]} known
 * @returns {never}
 */
function refuseCount({ at, parts }, [least, most]) {
  const message = `${at.text} got ${argumentCount(parts.length)}`;
  if ((at.text === "log" || at.text === "ln") && parts.length === 2) {
    const base = parts[1].sign === "number" ? fractionNumber(literalOf(parts[1].at)) : 0;
    refuseFormula(at, message, "", base === 2 || base === 10 ? `log${base}(x)` : "log(x)/log(base)");
  }
  const or = most === Infinity ? "at least " : least < most ? `${least} or ` : "";
  refuseFormula(at, message, at.text === "where" ? ONE_COMPARISON : or + argumentCount(most === Infinity ? least : most));
}

/**
 * @param {string[]} parameters
 * @param {string[]} columns
 */
function checkFormulaNames(parameters, columns) {
  for (const [kind, names] of /** @type {[string, string[]][]} */ ([["parameter", parameters], ["data column", columns]])) {
    for (const name of [...names].sort()) {
      if (isConstantName(name) || FUNCTIONS.has(name) || CONSTRUCTS.has(name)) {
        const what = isConstantName(name) ? "constant" : "function";
        refuseFormula(null, `the ${kind} ${quotedText(name)} has the name of a ${what}`, "another name");
      }
    }
  }
  const [both] = parameters.filter((name) => columns.includes(name)).sort();
  if (both !== undefined) refuseFormula(null, `${quotedText(both)} is a parameter and a data column`, "two different names");
}

/**
 * @param {string} text
 * @param {string[]} parameters
 * @param {string[]} columns
 * @returns {Tree}
 */
function treeOf(text, parameters, columns) {
  const characters = [...text];
  if (characters.length > LONGEST_FORMULA) {
    refuseFormula(null, `the formula has ${characters.length} characters`, `at most ${LONGEST_FORMULA}`);
  }
  checkFormulaNames(parameters, columns);
  const phrase = phraseOf(text);
  const tree = new TreeReader(characters, new Set(parameters), new Set(columns)).tree(phrase, 1);
  const nodes = treeNodes(tree);
  if (nodes.length > MOST_FORMULA_PARTS) refuseFormula(null, `the formula has ${nodes.length} parts`, `at most ${MOST_FORMULA_PARTS}`);
  if (nodes.some(([, level]) => level > DEEPEST_FORMULA)) refuseFormula(null, TOO_DEEP, `at most ${DEEPEST_FORMULA} levels`);
  return tree;
}

/**
 * Read a formula. Names that are neither functions, constants, parameters nor columns are weights; with `weights`
 * given they must be those, and come in that order. Throws FormulaError.
 * @param {string} text
 * @param {{ parameters?: string[], columns?: string[], weights?: string[] }} [names]
 * @returns {{ tree: Tree, weights: string[] }}
 */
export function parseFormula(text, { parameters = [], columns = [], weights } = {}) {
  const tree = treeOf(text, parameters, columns);
  const found = namesIn(tree, "weight");
  if (!found.length) refuseFormula(null, "the formula has no weight", "a formula such as (w - 3)^2");
  if (weights && (found.some((name) => !weights.includes(name)) || weights.some((name) => !found.includes(name)))) {
    const message = `the formula has the weights ${found.join(", ")}, not ${weights.join(", ")}`;
    refuseFormula(null, message, "each of its weights once, in any order");
  }
  return { tree, weights: weights ?? found };
}

/**
 * The value of a constant expression such as 1/48 or -7/sqrt(2): the double nearest to it where it is rational.
 * Throws FormulaError.
 * @param {string} text
 * @returns {number}
 */
export function parseConstant(text) {
  const tree = treeOf(text, [], []);
  const [name] = namesIn(tree, "weight");
  if (name !== undefined) {
    const near = nearestName(name, ["pi", "e", ...FUNCTIONS.keys()]);
    refuseFormula(null, `${quotedText(name)} is not a number`, "a constant expression such as 1/48", near);
  }
  const exact = rationalValue(tree);
  if (exact) {
    const value = fractionNumber(exact);
    if (Number.isFinite(value) && (value || !exact.above)) return value;
    refuseFormula(null, `${quotedText(text)} cannot be held in double precision`, "a size between 5e-324 and 1.8e308");
  }
  const tape = new FormulaTape();
  const place = tape.place(tree);
  const value = tape.run([place], [])([], [], [])[place];
  if (Number.isFinite(value)) return value;
  const shown = Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
  refuseFormula(null, `${quotedText(text)} has the value ${shown}`, "a finite number");
}
