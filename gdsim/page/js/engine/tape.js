// A formula as a row of steps: closures over one array of doubles. No source text is made.

import { huber, larger, power, relu, sigmoid, smaller, softplus } from "./arithmetic.js";
import { exactFraction, fractionNumber } from "./fractions.js";
import { rationalExponent, rationalValue } from "./trees.js";

/** @typedef {import("./fractions.js").Fraction} Fraction */
/** @typedef {import("./trees.js").Tree} Tree */
/** @typedef {import("../types").Numbers} Numbers */
/**
 * One operation on earlier steps. `rowwise`: its value differs from data row to data row; `late`: it needs a
 * mean or sum.
 * @typedef {{ operation: string, operands: number[], name: string, value: Fraction | null, rowwise: boolean,
 *   late: boolean }} TapeStep
 */
/** @typedef {(slots: Float64Array) => void} TapeAction */
/** @typedef {(w: Numbers, p: Numbers, d: Numbers[], scale?: number) => Float64Array} TapeRun */

const LARGEST_UNROLLED = 8n;
const EXACT_ZERO = exactFraction(0n);
export const EXACT_ONE = exactFraction(1n);
const TAPE_INPUTS = ["weight", "parameter", "column"];

/** @type {Map<string, (x: number) => number>} */
const TAPE_FUNCTIONS = new Map([
  ...["sqrt", "exp", "log", "log2", "log10", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "abs", "sign"]
    .map((name) => /** @type {[string, (x: number) => number]} */ ([name, Reflect.get(Math, name)])),
  ["neg", (x) => -x],
  ["sech", (x) => 1 / Math.cosh(x)],
  ["relu", relu],
  ["sigmoid", sigmoid],
  ["softplus", softplus],
]);
/** @type {Map<string, (a: number, b: number) => number>} */
const TAPE_PAIRS = new Map([["pow", power], ["max", larger], ["min", smaller], ["huber", huber]]);
/** @type {Map<string, (t: number, a: number, b: number) => TapeAction>} */
const TAPE_ARITHMETIC = new Map([
  ["add", (t, a, b) => (s) => { s[t] = s[a] + s[b]; }],
  ["sub", (t, a, b) => (s) => { s[t] = s[a] - s[b]; }],
  ["mul", (t, a, b) => (s) => { s[t] = s[a] * s[b]; }],
  ["div", (t, a, b) => (s) => { s[t] = s[a] / s[b]; }],
]);
/** @type {Map<string, (a: number, b: number) => boolean>} */
const TAPE_COMPARISONS = new Map([
  ["<", (a, b) => a < b],
  ["<=", (a, b) => a <= b],
  [">", (a, b) => a > b],
  [">=", (a, b) => a >= b],
  ["==", (a, b) => a === b],
  ["!=", (a, b) => a !== b],
]);

/** The steps of a formula, none twice: the operations and their order are those of gdsim's Python, to the bit. */
export class FormulaTape {
  constructor() {
    /** @type {TapeStep[]} */
    this.steps = [];
    /** @type {Map<string, number>} */
    this.known = new Map();
    /** Which steps are a base to a rational power. @type {Map<number, { base: number, exponent: Fraction }>} */
    this.powers = new Map();
    this.zero = this.number(EXACT_ZERO);
    this.one = this.number(EXACT_ONE);
  }

  /**
   * The place of an operation; sums and products commute exactly.
   * @param {string} operation
   * @param {number[]} [operands]
   * @param {string} [name]
   * @param {Fraction | null} [value]
   * @returns {number}
   */
  put(operation, operands = [], name = "", value = null) {
    if (operation === "add" || operation === "mul") operands.sort((a, b) => a - b);
    const key = `${operation} ${operands} ${name} ${value && `${value.above}/${value.below}`}`;
    let place = this.known.get(key);
    if (place === undefined) {
      const reduces = operation === "mean" || operation === "sum";
      const inside = operands.map((operand) => this.steps[operand]);
      const rowwise = operation === "column" || (!reduces && inside.some((step) => step.rowwise));
      const late = reduces || inside.some((step) => step.late);
      place = this.steps.push({ operation, operands, name, value, rowwise, late }) - 1;
      this.known.set(key, place);
    }
    return place;
  }

  /**
   * @param {Fraction} value
   * @returns {number}
   */
  number(value) {
    return this.put("number", [], "", value);
  }

  /**
   * @param {Tree} tree
   * @returns {number}
   */
  place(tree) {
    const { kind, name, parts, value } = tree;
    if (kind === "where") {
      const places = [...parts[0].parts, parts[1], parts[2]].map((part) => this.place(part));
      return this.put("where", places, parts[0].name);
    }
    const exponent = kind === "power" ? rationalExponent(parts[1]) : null;
    if (exponent) return this.power(this.place(parts[0]), exponent);
    const places = parts.map((part) => this.place(part));
    switch (kind) {
      case "number": return this.number(value ?? EXACT_ZERO);
      case "negate": return this.negative(places[0]);
      case "add": return places.reduce((a, b) => this.sum(a, b));
      case "multiply": return places.reduce((a, b) => this.put("mul", [a, b]));
      case "divide": return this.put("div", places);
      case "power": return this.put("pow", places);
      case "reduce": return this.reduction(name, places[0]);
      case "call": {
        const bound = name === "huber" ? rationalValue(parts[1]) : null;
        return this.put(name, places, bound && bound.above > 0n ? "fixed" : "");
      }
    }
    return this.put(kind, [], name);
  }

  /**
   * @param {number} a
   * @returns {number}
   */
  negative(a) {
    const { operation, operands, value } = this.steps[a];
    if (operation === "neg") return operands[0];
    return value && value.above ? this.number({ ...value, above: -value.above }) : this.put("neg", [a]);
  }

  /**
   * a + b, with a minus that stands in it.
   * @param {number} a
   * @param {number} b
   * @returns {number}
   */
  sum(a, b) {
    const [first, second] = [this.steps[a], this.steps[b]];
    if (second.operation === "neg") return this.put("sub", [a, second.operands[0]]);
    return first.operation === "neg" ? this.put("sub", [b, first.operands[0]]) : this.put("add", [a, b]);
  }

  /**
   * A rational power: small ones by repeated squaring and a root.
   * @param {number} base
   * @param {Fraction} exponent
   * @returns {number}
   */
  power(base, exponent) {
    const size = exponent.above < 0n ? -exponent.above : exponent.above;
    if (!size) return this.one;
    let place;
    if (size > LARGEST_UNROLLED * exponent.below || exponent.below > 2n) {
      place = this.put("pow", [base, this.number(exponent)]);
    } else {
      const whole = size / exponent.below;
      place = whole ? this.wholePower(base, whole) : -1;
      if (exponent.below === 2n) {
        const root = this.put("sqrt", [base]);
        place = whole ? this.put("mul", [place, root]) : root;
      }
      if (exponent.above < 0n) place = this.put("div", [this.one, place]);
    }
    if (place !== base) this.powers.set(place, { base, exponent });
    return place;
  }

  /**
   * @param {number} base
   * @param {bigint} exponent
   * @returns {number}
   */
  wholePower(base, exponent) {
    if (exponent === 1n) return base;
    const half = this.wholePower(base, exponent / 2n);
    const square = this.put("mul", [half, half]);
    return exponent % 2n ? this.put("mul", [square, base]) : square;
  }

  /**
   * @param {string} kind
   * @param {number} body
   * @returns {number}
   */
  reduction(kind, body) {
    if (this.steps[body].rowwise) return this.put(kind, [body]);
    return kind === "mean" ? body : this.put("mul", [body, this.put("rows")]);
  }

  /**
   * All that some steps need, in the order of computation.
   * @param {number[]} outputs
   * @returns {number[]}
   */
  needed(outputs) {
    const marked = new Set(outputs);
    for (let place = Math.max(...outputs); place >= 0; place--) {
      if (marked.has(place)) for (const operand of this.steps[place].operands) marked.add(operand);
    }
    return [...marked].sort((a, b) => a - b);
  }

  /**
   * Closures for some steps, and a function that runs them and returns the array of all values.
   * @param {number[]} outputs
   * @param {string[][]} inputs names of weights, parameters and columns
   * @returns {TapeRun}
   */
  run(outputs, inputs) {
    const slots = new Float64Array(this.steps.length);
    /** @type {[TapeAction[], TapeAction[], TapeAction[]]} */
    const [before, within, after] = [[], [], []];
    /** @type {{ at: number, source: number, index: number }[]} */
    const reads = [];
    /** @type {{ at: number, body: number, mean: boolean }[]} */
    const reductions = [];
    let counted = -1;
    for (const at of this.needed(outputs)) {
      const { operation, operands, name, value, rowwise, late } = this.steps[at];
      if (value) slots[at] = fractionNumber(value);
      else if (operation === "constant") slots[at] = name === "pi" ? Math.PI : Math.E;
      else if (operation === "rows") counted = at;
      else if (TAPE_INPUTS.includes(operation)) {
        const source = TAPE_INPUTS.indexOf(operation);
        reads.push({ at, source, index: inputs[source].indexOf(name) });
      } else if (operation === "sum" || operation === "mean") {
        reductions.push({ at, body: operands[0], mean: operation === "mean" });
      } else (rowwise ? within : late ? after : before).push(tapeAction(this.steps[at], at));
    }
    const scalars = reads.filter(({ source }) => source < 2);
    const columns = reads.filter(({ source }) => source === 2);
    return (w, p, d, scale = 1) => {
      for (const { at, source, index } of scalars) slots[at] = (source ? p : w)[index];
      if (counted >= 0) slots[counted] = d[0].length * scale;
      for (const action of before) action(slots);
      if (reductions.length) {
        const rows = d[0].length;
        for (const { at } of reductions) slots[at] = 0;
        for (let row = 0; row < rows; row++) {
          for (const { at, index } of columns) slots[at] = d[index][row];
          for (const action of within) action(slots);
          for (const { at, body } of reductions) slots[at] += slots[body];
        }
        for (const { at, mean } of reductions) slots[at] = mean ? slots[at] / rows : slots[at] * scale;
        for (const action of after) action(slots);
      }
      return slots;
    };
  }
}

/**
 * @param {TapeStep} step
 * @param {number} t
 * @returns {TapeAction}
 */
function tapeAction({ operation, operands: [a, b, c, d], name }, t) {
  const arithmetic = TAPE_ARITHMETIC.get(operation);
  if (arithmetic) return arithmetic(t, a, b);
  const unary = TAPE_FUNCTIONS.get(operation);
  if (unary) return (s) => { s[t] = unary(s[a]); };
  const holds = TAPE_COMPARISONS.get(name);
  if (holds) return (s) => { s[t] = holds(s[a], s[b]) ? s[c] : s[d]; };
  const binary = TAPE_PAIRS.get(operation);
  if (!binary) throw new Error(`unknown operation ${operation}`);
  return (s) => { s[t] = binary(s[a], s[b]); };
}
