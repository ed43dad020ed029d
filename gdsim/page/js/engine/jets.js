// Derivatives of a formula: beside each step the one that carries its derivative. These are dual numbers, written
// out as a longer row of steps.

import { exactFraction, fractionBits, fractionNumber, fractionProduct, fractionQuotient, fractionSum } from "./fractions.js";
import { parseFormula } from "./formula.js";
import { FormulaTape, EXACT_ONE } from "./tape.js";

/** @typedef {import("./fractions.js").Fraction} Fraction */
/** @typedef {import("./tape.js").TapeRun} TapeRun */
/** @typedef {import("../types").Loss} Loss */
/** @typedef {import("../types").Numbers} Numbers */

const ONE_HALF = exactFraction(1n, 2n);
const ONE_QUARTER = exactFraction(1n, 4n);
const EXACT_TWO = exactFraction(2n);

/** A tape with the derivatives of its steps: here what is 0 or 1 vanishes, and numbers are multiplied out. */
export class DualTape extends FormulaTape {
  constructor() {
    super();
    /** For each weight the derivatives found so far. @type {Map<string, Map<number, number>>} */
    this.slopes = new Map();
  }

  /**
   * @param {number} a
   * @param {number} b
   * @returns {number}
   */
  plus(a, b) {
    if (a === this.zero) return b;
    return b === this.zero ? a : this.sum(a, b);
  }

  /**
   * @param {number} a
   * @param {number} b
   * @returns {number}
   */
  times(a, b) {
    if (a === this.zero || b === this.zero) return this.zero;
    if (a === this.one) return b;
    if (b === this.one) return a;
    const [p, q] = [this.split(a), this.split(b)];
    const number = fractionProduct(p.number, q.number);
    if ((p.number === EXACT_ONE && q.number === EXACT_ONE) || !isModerateNumber(number)) return this.put("mul", [a, b]);
    const rest = p.rest === this.one ? q.rest : q.rest === this.one ? p.rest : this.put("mul", [p.rest, q.rest]);
    if (rest === this.one) return this.number(number);
    return isExactOne(number) ? rest : this.put("mul", [this.number(number), rest]);
  }

  /**
   * A step as a number times the rest.
   * @param {number} a
   * @returns {{ number: Fraction, rest: number }}
   */
  split(a) {
    const { operation, operands, value } = this.steps[a];
    if (value) return { number: value, rest: this.one };
    if (operation === "mul") {
      const [first, second] = operands.map((operand) => this.steps[operand].value);
      if (first) return { number: first, rest: operands[1] };
      if (second) return { number: second, rest: operands[0] };
    }
    return { number: EXACT_ONE, rest: a };
  }

  /**
   * @param {number} a
   * @param {number} b
   * @returns {number}
   */
  over(a, b) {
    if (a === this.zero || b === this.one) return a;
    const [p, below] = [this.split(a), this.steps[b].value];
    if (!below || !below.above || p.number === EXACT_ONE) return this.put("div", [a, b]);
    const number = fractionQuotient(p.number, below);
    if (!isModerateNumber(number)) return this.put("div", [a, b]);
    return number.below === 1n ? this.times(this.number(number), p.rest) : this.put("div", [a, b]);
  }

  /**
   * @param {string} comparison
   * @param {number} a
   * @param {number} b
   * @param {number} then
   * @param {number} otherwise
   * @returns {number}
   */
  choose(comparison, a, b, then, otherwise) {
    return then === otherwise ? then : this.put("where", [a, b, then, otherwise], comparison);
  }

  /**
   * ∂(step at a place)/∂(weight), as the place of a step.
   * @param {number} place
   * @param {string} weight
   * @returns {number}
   */
  derivative(place, weight) {
    const slopes = this.slopes.get(weight) ?? new Map();
    this.slopes.set(weight, slopes);
    for (const at of this.needed([place])) if (!slopes.has(at)) slopes.set(at, this.slope(at, weight, slopes));
    return slopes.get(place) ?? this.zero;
  }

  /**
   * @param {number} at
   * @param {string} weight
   * @param {Map<number, number>} slopes
   * @returns {number}
   */
  slope(at, weight, slopes) {
    const { operation, operands, name } = this.steps[at];
    if (operation === "weight" && name === weight) return this.one;
    const [da, db, dc, dd] = operands.map((operand) => slopes.get(operand) ?? this.zero);
    if (operands.every((operand) => slopes.get(operand) === this.zero)) return this.zero;
    const raised = this.powers.get(at);
    if (raised) return this.powerSlope(raised.base, raised.exponent, slopes);
    const [a, b] = operands;
    switch (operation) {
      case "add": return this.plus(da, db);
      case "sub": return db === this.zero ? da : this.plus(da, this.negative(db));
      case "neg": return this.negative(da);
      case "mul": return a === b ? this.powerSlope(a, EXACT_TWO, slopes) : this.plus(this.times(da, b), this.times(a, db));
      case "div": return this.over(db === this.zero ? da : this.plus(da, this.negative(this.times(at, db))), b);
      case "pow": return this.generalSlope(at, a, b, da, db);
      case "where": return this.choose(name, a, b, dc, dd);
      case "max": return this.extremeSlope(">", "<", a, b, da, db);
      case "min": return this.extremeSlope("<", ">", a, b, da, db);
      case "huber": return this.huberSlope(a, b, da, db, name === "fixed");
      case "relu": return this.choose(">", a, this.zero, da, this.zero);
      case "sum":
      case "mean": return da === this.zero ? da : this.reduction(operation, da);
    }
    return da === this.zero ? da : this.functionSlope(operation, at, a, da);
  }

  /**
   * n·uⁿ⁻¹·u′, below the line where n < 1; (uᵐ)ⁿ is uᵐⁿ and |u|² is u².
   * @param {number} base
   * @param {Fraction} exponent
   * @param {Map<number, number>} slopes
   * @returns {number}
   */
  powerSlope(base, exponent, slopes) {
    const slope = slopes.get(base) ?? this.zero;
    if (slope === this.zero) return slope;
    const { operation, operands } = this.steps[base];
    const inner = this.powers.get(base) ?? (operation === "sqrt" ? { base: operands[0], exponent: ONE_HALF } : null);
    if (exponent.below === 1n) {
      if (inner) return this.powerSlope(inner.base, fractionProduct(inner.exponent, exponent), slopes);
      if (operation === "abs" && exponent.above % 2n === 0n) return this.powerSlope(operands[0], exponent, slopes);
    }
    const less = fractionSum(exponent, exactFraction(-1n));
    if (less.above >= 0n) return this.times(this.times(this.number(exponent), this.power(base, less)), slope);
    const below = this.power(base, { above: -less.above, below: less.below });
    const above = this.times(this.number(exactFraction(exponent.above)), slope);
    return this.over(above, this.times(this.number(exactFraction(exponent.below)), below));
  }

  /**
   * uᵖ where p is no plain number.
   * @param {number} at
   * @param {number} u
   * @param {number} p
   * @param {number} du
   * @param {number} dp
   * @returns {number}
   */
  generalSlope(at, u, p, du, dp) {
    if (dp === this.zero) {
      return this.times(this.times(p, this.put("pow", [u, this.put("sub", [p, this.one])])), du);
    }
    const { operation, name } = this.steps[u];
    const euler = operation === "constant" && name === "e";
    const logarithm = euler ? this.one : u === this.zero ? u : this.put("log", [u]);
    if (du === this.zero) return this.times(this.times(at, logarithm), dp);
    return this.times(at, this.plus(this.times(dp, logarithm), this.over(this.times(p, du), u)));
  }

  /**
   * The slope of what wins; at a tie the average.
   * @param {string} wins
   * @param {string} loses
   * @param {number} a
   * @param {number} b
   * @param {number} da
   * @param {number} db
   * @returns {number}
   */
  extremeSlope(wins, loses, a, b, da, db) {
    if (da === db) return da;
    const middle = this.over(this.plus(da, db), this.number(EXACT_TWO));
    return this.choose(wins, a, b, da, this.choose(loses, a, b, db, middle));
  }

  /**
   * u clipped to ±d, times u′; where d varies, too, (|u| − d)·d′ outside.
   * @param {number} u
   * @param {number} d
   * @param {number} du
   * @param {number} dd
   * @param {boolean} fixed
   * @returns {number}
   */
  huberSlope(u, d, du, dd, fixed) {
    const size = this.put("abs", [u]);
    const clipped = fixed
      ? this.put("max", [this.negative(d), this.put("min", [u, d])])
      : this.choose("<=", size, d, u, this.times(d, this.put("sign", [u])));
    const outside = dd === this.zero ? dd : this.choose("<=", size, d, this.zero, this.put("sub", [size, d]));
    return this.plus(this.times(clipped, du), this.times(outside, dd));
  }

  /**
   * f′(u)·u′, in forms that neither cancel nor overflow where f does not.
   * @param {string} name
   * @param {number} at
   * @param {number} u
   * @param {number} du
   * @returns {number}
   */
  functionSlope(name, at, u, du) {
    const along = (/** @type {string} */ f) => this.times(this.put(f, [u]), du);
    const under = (/** @type {number} */ below) => this.over(du, below);
    const scaled = (/** @type {bigint} */ base) => this.times(u, this.put("log", [this.number(exactFraction(base))]));
    switch (name) {
      case "sqrt": return under(this.times(this.number(EXACT_TWO), at));
      case "exp": return this.times(at, du);
      case "log": return under(u);
      case "log2": return under(scaled(2n));
      case "log10": return under(scaled(10n));
      case "sin": return along("cos");
      case "cos": return this.negative(along("sin"));
      case "tan": return under(this.power(this.put("cos", [u]), EXACT_TWO));
      case "asin": return under(this.circle(u));
      case "acos": return this.negative(under(this.circle(u)));
      case "atan": return under(this.sum(this.one, this.power(u, EXACT_TWO)));
      case "sinh": return along("cosh");
      case "cosh": return along("sinh");
      case "tanh": return this.times(this.power(this.put("sech", [u]), EXACT_TWO), du);
      case "sech": return this.negative(this.times(this.times(at, this.put("tanh", [u])), du));
      case "abs": return along("sign");
      case "sigmoid": {
        const steep = this.power(this.put("sech", [this.put("mul", [this.number(ONE_HALF), u])]), EXACT_TWO);
        return this.times(this.times(this.number(ONE_QUARTER), steep), du);
      }
      case "softplus": return along("sigmoid");
    }
    return this.zero;
  }

  /**
   * √((1 − u)(1 + u)): 1 − u² would lose the digits of u near ±1.
   * @param {number} u
   * @returns {number}
   */
  circle(u) {
    return this.put("sqrt", [this.put("mul", [this.put("sub", [this.one, u]), this.put("add", [this.one, u])])]);
  }
}

/**
 * @param {Fraction} value
 * @returns {boolean}
 */
function isExactOne(value) {
  return value.above === 1n && value.below === 1n;
}

/**
 * Whether a number is far from the ends of double precision.
 * @param {Fraction} value
 * @returns {boolean}
 */
function isModerateNumber(value) {
  const size = Math.abs(fractionNumber(value));
  return size > 1e-100 && size < 1e100 && fractionBits(value) < 2000;
}

/**
 * A loss from a formula. Throws FormulaError; what it returns never throws.
 * @param {string} text
 * @param {string[]} parameters
 * @param {string[]} columns
 * @param {string[]} [weights] their order, if it is to be another than that of first appearance
 * @returns {Loss}
 */
export function lossOf(text, parameters, columns, weights) {
  const parsed = parseFormula(text, { parameters, columns, weights });
  const names = parsed.weights;
  const tape = new DualTape();
  const root = tape.place(parsed.tree);
  const inputs = [names, parameters, columns];
  const rows = names.map((_, place) => place);
  /** @type {number[]} */
  let first = [];
  /** @type {number[]} */
  let second = [];
  /** @type {TapeRun | null} */
  let slopes = null;
  /** @type {TapeRun | null} */
  let curvatures = null;
  const value = tape.run([root], inputs);
  const differentiate = () => {
    if (!first.length) first = names.map((name) => tape.derivative(root, name));
  };
  return {
    weights: names,
    parameters,
    columns,
    text,
    value: (w, p, d, scale) => value(w, p, d, scale)[root],
    gradient(w, p, d, out, scale) {
      differentiate();
      slopes ??= tape.run(first, inputs);
      const slots = slopes(w, p, d, scale);
      for (let k = 0; k < first.length; k++) out[k] = slots[first[k]];
    },
    hessian(w, p, d, out, scale) {
      differentiate();
      if (!second.length) {
        second = rows.flatMap((i) => rows.map((j) => tape.derivative(first[Math.min(i, j)], names[Math.max(i, j)])));
      }
      curvatures ??= tape.run(second, inputs);
      const slots = curvatures(w, p, d, scale);
      for (let k = 0; k < second.length; k++) out[k] = slots[second[k]];
    },
  };
}

/** @type {WeakMap<Loss, Loss>} */
const dualLosses = new WeakMap();

/**
 * Value and derivatives of a loss by dual numbers, from its text.
 * @param {Loss} loss
 * @param {Numbers} w
 * @param {Numbers} p
 * @param {Numbers[]} d
 * @returns {{ value: number, derivative: number[] }}
 */
export function dualDerivative(loss, w, p, d) {
  const dual = dualLosses.get(loss) ?? lossOf(loss.text, loss.parameters, loss.columns, loss.weights);
  dualLosses.set(loss, dual);
  const derivative = dual.weights.map(() => 0);
  dual.gradient(w, p, d, derivative);
  return { value: dual.value(w, p, d), derivative };
}
