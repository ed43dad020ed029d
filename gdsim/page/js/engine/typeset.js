// Formulas as a textbook sets them, as presentation MathML; and as plain text that reads back as the same tree.

import { fraction } from "./fractions.js";
import { namesIn, treeNode, treeNodes } from "./trees.js";

/** @typedef {import("./fractions.js").Fraction} Fraction */
/** @typedef {import("./trees.js").Tree} Tree */
/** A piece of layout: its kind, its text (for leaves) and the boxes inside. @typedef {{ kind: string, text: string, parts: MathBox[] }} MathBox */
/** A box and how tightly it binds. @typedef {[MathBox, number]} MathLevel */

// How tightly a piece binds, loosest first.
const SUM = 0;
const SIGNED = 1;
const PRODUCT = 2;
const TALL = 3;
const ATOM = 4;
const PRODUCT_TEXT = 1; // in plain text, where -2*w is (-2)*w
const SIGNED_TEXT = 2;
const GREEK = new Map(
  ("alpha α beta β gamma γ delta δ epsilon ε zeta ζ eta η theta θ iota ι kappa κ lambda λ mu μ nu ν xi ξ pi π rho ρ " +
    "sigma σ tau τ upsilon υ phi φ chi χ psi ψ omega ω Gamma Γ Delta Δ Theta Θ Lambda Λ Xi Ξ Pi Π Sigma Σ Upsilon Υ " +
    "Phi Φ Psi Ψ Omega Ω").match(/\S+ \S/g)?.map((pair) => /** @type {[string, string]} */ (pair.split(" "))),
);
const PRINTED = new Map(Object.entries({ log: "ln", asin: "arcsin", acos: "arccos", atan: "arctan", sigmoid: "σ" }));
const RAISED_NAMES = ["sin", "cos", "tan", "sinh", "cosh", "tanh"];
const RELATIONS = new Map([["<=", "≤"], [">=", "≥"], ["!=", "≠"], ["==", "="]]);
const ELEMENTS = new Map(
  Object.entries({
    row: "mrow", name: "mi", function: "mi", number: "mn", operator: "mo", fraction: "mfrac", power: "msup",
    subscript: "msub", root: "msqrt",
  }),
);
const NAME_PARTS = /^((?:(?!\p{Nd})[\p{L}\p{N}])+?)(?:(\p{Nd}+)|_([\p{L}\p{N}_]+))$/u;
const ALL_DIGITS = /^\p{Nd}+$/u;
const LONGEST_EXPONENT = 12; // nodes in the argument of exp up to which e with an exponent is readable

/**
 * @param {string} kind
 * @param {string} [text]
 * @param {MathBox[]} [parts]
 * @returns {MathBox}
 */
function mathBox(kind, text = "", parts = []) {
  return { kind, text, parts };
}

/**
 * @param {MathBox[]} parts
 * @returns {MathBox}
 */
function mathRow(parts) {
  return parts.length === 1 ? parts[0] : mathBox("row", "", parts);
}

/**
 * @param {MathBox} inside
 * @returns {MathBox}
 */
function mathBrackets(inside) {
  return mathBox("brackets", "", [inside]);
}

const MINUS_SIGN = mathBox("minus"); // a sign, not an operation: it takes no space

/** From tree to boxes. */
class MathLayout {
  /** @param {Tree} whole */
  constructor(whole) {
    const taken = new Set([...namesIn(whole, "weight"), ...namesIn(whole, "parameter"), ...namesIn(whole, "column")]);
    this.index = ["i", "j", "k", "row"].find((letter) => !taken.has(letter)) ?? "row";
    this.rows = ["n", "m", "N", "rows"].find((letter) => !taken.has(letter)) ?? "rows";
  }

  /**
   * @param {Tree} tree
   * @returns {MathBox}
   */
  box(tree) {
    return this.level(tree)[0];
  }

  /**
   * @param {Tree} tree
   * @param {number} needed
   * @returns {MathBox}
   */
  least(tree, needed) {
    const [box, level] = this.level(tree);
    return level >= needed ? box : mathBrackets(box);
  }

  /**
   * @param {Tree} tree
   * @returns {MathLevel}
   */
  level(tree) {
    const rest = withoutSign(tree);
    if (rest) return [mathRow([MINUS_SIGN, this.least(rest, PRODUCT)]), SIGNED];
    const { kind, name, parts, value } = tree;
    switch (kind) {
      case "number": return this.number(value ?? fraction(0n));
      case "constant": return [mathBox("name", name === "pi" ? "π" : name), ATOM];
      case "add": return [this.sum(parts), SUM];
      case "multiply": return [this.product(tree), PRODUCT];
      case "divide": return [mathBox("fraction", "", parts.map((part) => this.box(part))), TALL];
      case "power": return [this.power(parts[0], parts[1]), TALL];
      case "call": return this.call(name, parts);
      case "compare": {
        const [left, right] = parts.map((part) => this.box(part));
        return [mathRow([left, mathBox("operator", RELATIONS.get(name) ?? name), right]), SUM];
      }
      case "where": return [this.cases(tree), SUM];
      case "reduce": return [this.reduction(name, parts[0]), PRODUCT];
    }
    return [namedBox(name, kind === "column" ? this.index : ""), ATOM];
  }

  /**
   * @param {Fraction} value
   * @returns {MathLevel}
   */
  number(value) {
    const text = shortDecimal(value);
    if (!text) {
      return [mathBox("fraction", "", [value.above, value.below].map((part) => mathBox("number", `${part}`))), TALL];
    }
    const [digits, exponent] = text.split("e");
    if (exponent === undefined) return [mathBox("number", text), ATOM];
    const size = mathBox("number", exponent.replace("-", ""));
    const raised = exponent.startsWith("-") ? mathRow([MINUS_SIGN, size]) : size;
    const power = mathBox("power", "", [mathBox("number", "10"), raised]);
    return [digits === "1" ? power : mathRow([mathBox("number", digits), mathBox("operator", "×"), power]), TALL];
  }

  /**
   * @param {Tree[]} terms
   * @returns {MathBox}
   */
  sum([first, ...others]) {
    const parts = [first.kind === "where" ? mathBrackets(this.box(first)) : this.box(first)];
    for (const term of others) {
      const rest = withoutSign(term);
      parts.push(mathBox("operator", rest ? "−" : "+"), this.least(rest ?? term, PRODUCT));
    }
    return mathRow(parts);
  }

  /**
   * @param {Tree} tree
   * @returns {MathBox}
   */
  product(tree) {
    const factors = factorsOf(tree);
    /** @type {MathBox[]} */
    const parts = [];
    factors.forEach((factor, place) => {
      const last = place === factors.length - 1;
      const part = this.least(factor, factor.kind === "reduce" && last ? PRODUCT : TALL);
      if (place) parts.push(beginsWithDigit(part) ? mathBox("operator", "·") : mathBox("times"));
      parts.push(part);
    });
    return mathRow(parts);
  }

  /**
   * @param {Tree} base
   * @param {Tree} above
   * @returns {MathBox}
   */
  power(base, above) {
    const exponent = this.exponent(above);
    const { value } = above;
    const small = value && value.below === 1n && value.above > 1n && value.above < 10n;
    if (base.kind === "call" && RAISED_NAMES.includes(base.name) && small) {
      const name = mathBox("power", "", [mathBox("function", base.name), exponent]);
      return mathRow([name, mathBrackets(this.box(base.parts[0]))]);
    }
    return mathBox("power", "", [this.least(base, ATOM), exponent]);
  }

  /**
   * A simple quotient in an exponent stands on one line: x^(1/2).
   * @param {Tree} tree
   * @returns {MathBox}
   */
  exponent(tree) {
    const rest = withoutSign(tree);
    const size = rest ?? tree;
    let line;
    if (size.value && !shortDecimal(size.value)) {
      line = [size.value.above, size.value.below].map((part) => mathBox("number", `${part}`));
    } else if (size.kind === "divide" && size.parts.every((part) => this.level(part)[1] === ATOM)) {
      line = size.parts.map((part) => this.box(part));
    } else return this.box(tree);
    return mathRow([...(rest ? [MINUS_SIGN] : []), line[0], mathBox("slash"), line[1]]);
  }

  /**
   * @param {string} name
   * @param {Tree[]} parts
   * @returns {MathLevel}
   */
  call(name, parts) {
    if (name === "sqrt") return [mathBox("root", "", [this.box(parts[0])]), TALL];
    if (name === "abs") return [mathBox("bars", "", [this.box(parts[0])]), ATOM];
    if (name === "exp" && fitsExponent(parts[0])) {
      return [mathBox("power", "", [mathBox("name", "e"), this.exponent(parts[0])]), TALL];
    }
    const inside = [...parts];
    let head = mathBox("function", PRINTED.get(name) ?? name);
    if (name === "log2" || name === "log10") {
      head = mathBox("subscript", "", [mathBox("function", "log"), mathBox("number", name.slice(3))]);
    } else if (name === "huber") {
      head = mathBox("subscript", "", [head, ...inside.splice(1).map((bound) => this.box(bound))]);
    } else if (name === "max" || name === "min") {
      while (inside[0].kind === "call" && inside[0].name === name) inside.splice(0, 1, ...inside[0].parts);
    }
    const boxes = inside.flatMap((part, place) => [...(place ? [mathBox("operator", ",")] : []), this.box(part)]);
    return [mathRow([head, mathBrackets(mathRow(boxes))]), ATOM];
  }

  /**
   * A choice between a choice and a choice … is one brace with many rows.
   * @param {Tree} tree
   * @returns {MathBox}
   */
  cases(tree) {
    const parts = [];
    let rest = tree;
    while (rest.kind === "where") {
      const [condition, then, otherwise] = rest.parts;
      parts.push(this.box(then), this.box(condition));
      rest = otherwise;
    }
    return mathBox("cases", "", [...parts, this.box(rest)]);
  }

  /**
   * @param {string} kind
   * @param {Tree} body
   * @returns {MathBox}
   */
  reduction(kind, body) {
    const inside = this.least(body, PRODUCT);
    const sigma = mathBox("sigma", "", [mathBox("name", this.index), namedBox(this.rows)]);
    if (kind === "sum") return mathRow([sigma, inside]);
    return mathRow([mathBox("fraction", "", [mathBox("number", "1"), namedBox(this.rows)]), sigma, inside]);
  }
}

/**
 * What follows a minus at the head of a term; null where there is none.
 * @param {Tree} tree
 * @returns {Tree | null}
 */
function withoutSign(tree) {
  const { kind, parts } = tree;
  if (kind === "negate") return parts[0];
  if (kind !== "multiply" && kind !== "divide") return null;
  const rest = withoutSign(parts[0]);
  return rest && treeNode(kind, "", [rest, ...parts.slice(1)]);
}

/**
 * A rational ≥ 0 as a decimal where that is what a textbook would print, else "": halves, quarters and eighths below
 * ten stay fractions, and so does what has more than 20 digits.
 * @param {Fraction} value
 * @returns {string}
 */
function shortDecimal({ above, below }) {
  const simple = (below === 2n || below === 4n || below === 8n) && above < 10n;
  return simple ? "" : decimalText({ above, below }, 20);
}

/**
 * A rational ≥ 0 as a decimal, "" where it is none or too long.
 * @param {Fraction} value
 * @param {number} [longest]
 * @returns {string}
 */
function decimalText({ above, below }, longest = Infinity) {
  let [odd, places] = [below, 0];
  for (const prime of [2n, 5n]) {
    let count = 0;
    for (; odd % prime === 0n; count += 1) odd /= prime;
    places = Math.max(places, count);
  }
  const digits = `${(above * 10n ** BigInt(places)) / below}`;
  const exponent = digits.length - places - 1;
  const shown = digits.replace(/0+$/, "");
  const long = shown.length > longest;
  if (odd !== 1n || (long && places)) return "";
  if (above && !long && (exponent < -5 || exponent > 15)) {
    return `${shown[0]}${shown[1] ? "." : ""}${shown.slice(1)}e${exponent}`;
  }
  const padded = digits.padStart(places + 1, "0");
  return places ? `${padded.slice(0, -places)}.${padded.slice(-places)}` : digits;
}

/**
 * The factors of a product, those of products within it in their place.
 * @param {Tree} tree
 * @returns {Tree[]}
 */
function factorsOf(tree) {
  return tree.parts.flatMap((part) => (part.kind === "multiply" ? factorsOf(part) : [part]));
}

/**
 * Whether e with this exponent is readable; equal parts count once.
 * @param {Tree} tree
 * @returns {boolean}
 */
function fitsExponent(tree) {
  const plain = ["call", "where", "compare", "reduce"];
  const nodes = new Map(treeNodes(tree).map(([node]) => [formulaKey(node), node.kind]));
  const kinds = [...nodes.values()];
  const deep = kinds.filter((kind) => kind === "divide" || kind === "power").length;
  return !kinds.some((kind) => plain.includes(kind)) && deep <= 2 && kinds.length <= LONGEST_EXPONENT;
}

/**
 * A text that is the same for equal trees alone.
 * @param {Tree} tree
 * @returns {string}
 */
function formulaKey({ kind, name, parts, value }) {
  return `${kind} ${name} ${value ? `${value.above}/${value.below}` : ""}(${parts.map(formulaKey).join(",")})`;
}

/**
 * Whether a reader would run the box together with a factor before it.
 * @param {MathBox} box
 * @returns {boolean}
 */
function beginsWithDigit({ kind, parts }) {
  if (kind === "row" || kind === "power") return parts.length > 0 && beginsWithDigit(parts[0]);
  return kind === "fraction" ? parts.every(beginsWithDigit) : kind === "number";
}

/**
 * A name: Greek letters by their names, trailing digits or what follows _ as a subscript.
 * @param {string} name
 * @param {string} [index]
 * @returns {MathBox}
 */
function namedBox(name, index = "") {
  const [, written = name, digits, tail] = NAME_PARTS.exec(name) ?? [];
  let [head, below] = [written, digits ?? tail ?? ""];
  if (below && !ALL_DIGITS.test(below) && [...head].length > 1 && !GREEK.has(head)) [head, below] = [name, ""];
  const base = mathBox("name", GREEK.get(head) ?? head);
  const small = below ? [mathBox(ALL_DIGITS.test(below) ? "number" : "name", GREEK.get(below) ?? below)] : [];
  if (index) small.push(...(below ? [mathBox("operator", ",")] : []), mathBox("name", index));
  return small.length ? mathBox("subscript", "", [base, mathRow(small)]) : base;
}

/**
 * @param {MathBox} box
 * @returns {string}
 */
function mathmlOf({ kind, text, parts }) {
  const each = parts.map(mathmlOf);
  const inside = each.join("");
  switch (kind) {
    case "times": return "<mo>&#x2062;</mo>"; // invisible times: a screen reader says it
    case "minus": return '<mo form="prefix">−</mo>';
    case "slash": return "<mo>/</mo>";
    case "brackets": return `<mrow><mo>(</mo>${inside}<mo>)</mo></mrow>`;
    case "bars": return `<mrow><mo>|</mo>${inside}<mo>|</mo></mrow>`;
    case "sigma": return `<munderover><mo>∑</mo><mrow>${each[0]}<mo>=</mo><mn>1</mn></mrow>${each[1]}</munderover>`;
    case "cases": {
      const cells = [...each, "<mtext>otherwise</mtext>"].map((cell) => `<mtd>${cell}</mtd>`);
      const rows = cells.map((cell, place) => (place % 2 ? `${cell}</mtr>` : `<mtr>${cell}`)).join("");
      return `<mrow><mo>{</mo><mtable>${rows}</mtable></mrow>`;
    }
  }
  const element = ELEMENTS.get(kind);
  return `<${element}>${text ? escapedText(text) : inside}</${element}>`;
}

/**
 * @param {string} text
 * @returns {string}
 */
function escapedText(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/**
 * A formula as presentation MathML: one math element, well-formed XML.
 * @param {Tree} tree
 * @returns {string}
 */
export function formulaMathml(tree) {
  const inside = mathmlOf(new MathLayout(tree).box(tree));
  return `<math xmlns="http://www.w3.org/1998/Math/MathML">${inside}</math>`;
}

/**
 * A formula as plain text that reads back as the same tree.
 * @param {Tree} tree
 * @returns {string}
 */
export function formulaText(tree) {
  return textLevel(tree)[0];
}

/**
 * @param {Tree} tree
 * @param {number} needed
 * @returns {string}
 */
function textAtLeast(tree, needed) {
  const [text, level] = textLevel(tree);
  return level >= needed ? text : `(${text})`;
}

/**
 * The text and how tightly it binds.
 * @param {Tree} tree
 * @returns {[string, number]}
 */
function textLevel({ kind, name, parts, value }) {
  const all = () => parts.map(formulaText).join(", ");
  const joined = (/** @type {string} */ sign) =>
    parts.map((part, place) => textAtLeast(part, place ? TALL : PRODUCT_TEXT)).join(sign);
  switch (kind) {
    case "number": return [decimalText(value ?? fraction(0n)), ATOM];
    case "negate": return [`-${textAtLeast(parts[0], SIGNED_TEXT)}`, SIGNED_TEXT];
    case "add": return [parts.reduce(addedText, ""), SUM];
    case "multiply": return [joined("*"), PRODUCT_TEXT];
    case "divide": return [joined("/"), PRODUCT_TEXT];
    case "power": return [`${textAtLeast(parts[0], ATOM)}^${textAtLeast(parts[1], SIGNED_TEXT)}`, TALL];
    case "compare": return [parts.map(formulaText).join(` ${name} `), SUM];
    case "call":
    case "reduce": return [`${name}(${all()})`, ATOM];
    case "where": return [`where(${all()})`, ATOM];
  }
  return [name, ATOM];
}

/**
 * @param {string} before
 * @param {Tree} term
 * @param {number} place
 * @returns {string}
 */
function addedText(before, term, place) {
  if (!place) return textAtLeast(term, PRODUCT_TEXT);
  const minus = term.kind === "negate";
  return `${before} ${minus ? "-" : "+"} ${textAtLeast(minus ? term.parts[0] : term, PRODUCT_TEXT)}`;
}
