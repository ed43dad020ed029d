// Formulas as a textbook sets them, as presentation MathML; and as plain text that reads back as the same tree.

import { exactFraction } from "./fractions.js";
import { namesIn, treeNode, treeNodes } from "./trees.js";

/** @typedef {import("./fractions.js").Fraction} Fraction */
/** @typedef {import("./trees.js").Tree} Tree */
/** Markup, how tightly it binds, and whether it begins with a digit. @typedef {[string, number, boolean]} Typeset */

// How tightly a piece binds, loosest first.
const BINDS_SUM = 0;
const BINDS_SIGNED = 1;
const BINDS_PRODUCT = 2;
const BINDS_TALL = 3;
const BINDS_ATOM = 4;
const PRODUCT_TEXT = 1; // in plain text, where -2*w is (-2)*w
const SIGNED_TEXT = 2;
const LONGEST_EXPONENT = 12; // nodes in the argument of exp up to which e with an exponent is readable
const CAPITALS_OF_GREEK = "ΓΔΘΛΞΠΣΥΦΨΩ";
const GREEK_LETTERS = new Map(
  "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi omega"
    .split(" ")
    .flatMap((name, place) => greekLetters(name, "αβγδεζηθικλμνξπρστυφχψω"[place])),
);
const PRINTED_NAMES = new Map(Object.entries({ log: "ln", asin: "arcsin", acos: "arccos", atan: "arctan", sigmoid: "σ" }));
const RAISED_NAMES = ["sin", "cos", "tan", "sinh", "cosh", "tanh"];
const RELATION_SIGNS = new Map([["<", "&lt;"], [">", "&gt;"], ["<=", "≤"], [">=", "≥"], ["!=", "≠"], ["==", "="]]);
const NAME_PARTS = /^((?:(?!\p{Nd})[\p{L}\p{N}])+?)(?:(\p{Nd}+)|_([\p{L}\p{N}_]+))$/u;
const ALL_DIGITS = /^\p{Nd}+$/u;
const MINUS_SIGN = '<mo form="prefix">−</mo>'; // a sign, not an operation: it takes no space

/**
 * @param {string} name
 * @param {...string} inside
 * @returns {string}
 */
function mathTag(name, ...inside) {
  return `<${name}>${inside.join("")}</${name}>`;
}

/**
 * @param {...string} parts
 * @returns {string}
 */
function mathRow(...parts) {
  return parts.length === 1 ? parts[0] : mathTag("mrow", ...parts);
}

/**
 * @param {string} inside
 * @param {string} [open]
 * @param {string} [close]
 * @returns {string}
 */
function mathBrackets(inside, open = "(", close = ")") {
  return mathTag("mrow", mathTag("mo", open), inside, mathTag("mo", close));
}

/** From tree to markup. */
class MathLayout {
  /** @param {Tree} whole */
  constructor(whole) {
    const taken = [...namesIn(whole, "weight"), ...namesIn(whole, "parameter"), ...namesIn(whole, "column")];
    const free = (/** @type {string[]} */ names) => names.find((name) => !taken.includes(name)) ?? "";
    this.index = free(["i", "j", "k", "row"]);
    this.rows = mathName(free(["n", "m", "N", "rows"]));
  }

  /**
   * @param {Tree} tree
   * @returns {string}
   */
  box(tree) {
    return this.level(tree)[0];
  }

  /**
   * @param {Tree} tree
   * @param {number} needed
   * @returns {Typeset}
   */
  least(tree, needed) {
    const found = this.level(tree);
    return found[1] >= needed ? found : [mathBrackets(found[0]), BINDS_ATOM, false];
  }

  /**
   * @param {Tree} tree
   * @returns {Typeset}
   */
  level(tree) {
    const rest = withoutSign(tree);
    if (rest) return [mathRow(MINUS_SIGN, this.least(rest, BINDS_PRODUCT)[0]), BINDS_SIGNED, false];
    const { kind, name, parts, value } = tree;
    switch (kind) {
      case "number": return mathNumber(value ?? exactFraction(0n));
      case "constant": return [mathTag("mi", name === "pi" ? "π" : name), BINDS_ATOM, false];
      case "add": return this.sum(parts);
      case "multiply": return this.product(factorsOf(tree));
      case "divide": {
        const [above, below] = parts.map((part) => this.level(part));
        return [mathTag("mfrac", above[0], below[0]), BINDS_TALL, above[2] && below[2]];
      }
      case "power": return this.power(parts[0], parts[1]);
      case "call": return [...this.call(name, parts), false];
      case "compare": {
        const [left, right] = parts.map((part) => this.box(part));
        return [mathRow(left, mathTag("mo", RELATION_SIGNS.get(name) ?? ""), right), BINDS_SUM, false];
      }
      case "where": return [this.cases(tree), BINDS_SUM, false];
      case "reduce": {
        const index = mathTag("mrow", mathTag("mi", this.index), "<mo>=</mo><mn>1</mn>");
        const sigma = mathTag("munderover", "<mo>∑</mo>", index, this.rows);
        const share = name === "mean" ? [mathTag("mfrac", "<mn>1</mn>", this.rows)] : [];
        return [mathRow(...share, sigma, this.least(parts[0], BINDS_PRODUCT)[0]), BINDS_PRODUCT, false];
      }
    }
    return [mathName(name, kind === "column" ? this.index : ""), BINDS_ATOM, false];
  }

  /**
   * @param {Tree[]} terms
   * @returns {Typeset}
   */
  sum([first, ...others]) {
    const [head, , digit] = this.least(first, first.kind === "where" ? BINDS_ATOM : BINDS_SUM);
    const parts = others.flatMap((term) => {
      const rest = withoutSign(term);
      return [mathTag("mo", rest ? "−" : "+"), this.least(rest ?? term, BINDS_PRODUCT)[0]];
    });
    return [mathRow(head, ...parts), BINDS_SUM, digit];
  }

  /**
   * @param {Tree[]} factors
   * @returns {Typeset}
   */
  product(factors) {
    const found = factors.map((factor, place) =>
      this.least(factor, factor.kind === "reduce" && place === factors.length - 1 ? BINDS_PRODUCT : BINDS_TALL),
    );
    const parts = found.flatMap(([markup, , digit], place) =>
      place ? [digit ? "<mo>·</mo>" : "<mo>&#x2062;</mo>", markup] : [markup], // invisible times: a screen reader says it
    );
    return [mathRow(...parts), BINDS_PRODUCT, found[0][2]];
  }

  /**
   * @param {Tree} base
   * @param {Tree} above
   * @returns {Typeset}
   */
  power(base, above) {
    const exponent = this.exponent(above);
    const { value } = above;
    const small = value && value.below === 1n && value.above > 1n && value.above < 10n;
    if (base.kind === "call" && RAISED_NAMES.includes(base.name) && small) {
      const name = mathTag("msup", mathTag("mi", base.name), exponent);
      return [mathRow(name, mathBrackets(this.box(base.parts[0]))), BINDS_TALL, false];
    }
    const [below, , digit] = this.least(base, BINDS_ATOM);
    return [mathTag("msup", below, exponent), BINDS_TALL, digit];
  }

  /**
   * A simple quotient in an exponent stands on one line: x^(1/2).
   * @param {Tree} tree
   * @returns {string}
   */
  exponent(tree) {
    const rest = withoutSign(tree);
    const { kind, parts, value } = rest ?? tree;
    let line;
    if (value && !shortDecimal(value)) line = [value.above, value.below].map((part) => mathTag("mn", `${part}`));
    else if (kind === "divide" && parts.every((part) => this.level(part)[1] === BINDS_ATOM)) line = parts.map((part) => this.box(part));
    else return this.box(tree);
    return mathRow(...(rest ? [MINUS_SIGN] : []), line[0], "<mo>/</mo>", line[1]);
  }

  /**
   * @param {string} name
   * @param {Tree[]} parts
   * @returns {[string, number]}
   */
  call(name, [...parts]) {
    const [first] = parts;
    if (name === "sqrt") return [mathTag("msqrt", this.box(first)), BINDS_TALL];
    if (name === "abs") return [mathBrackets(this.box(first), "|", "|"), BINDS_ATOM];
    if (name === "exp" && fitsExponent(first)) return [mathTag("msup", "<mi>e</mi>", this.exponent(first)), BINDS_TALL];
    let head = mathTag("mi", PRINTED_NAMES.get(name) ?? name);
    if (name === "log2" || name === "log10") head = mathTag("msub", "<mi>log</mi>", mathTag("mn", name.slice(3)));
    if (name === "huber") head = mathTag("msub", head, ...parts.splice(1).map((bound) => this.box(bound)));
    if (name === "max" || name === "min") while (parts[0].name === name) parts.splice(0, 1, ...parts[0].parts);
    const inside = parts.flatMap((part, place) => (place ? ["<mo>,</mo>", this.box(part)] : [this.box(part)]));
    return [mathRow(head, mathBrackets(mathRow(...inside))), BINDS_ATOM];
  }

  /**
   * A choice between a choice and a choice … is one brace with many rows.
   * @param {Tree} tree
   * @returns {string}
   */
  cases(tree) {
    const row = (/** @type {string[]} */ ...cells) => mathTag("mtr", ...cells.map((cell) => mathTag("mtd", cell)));
    const rows = [];
    let rest = tree;
    for (; rest.kind === "where"; rest = rest.parts[2]) rows.push(row(this.box(rest.parts[1]), this.box(rest.parts[0])));
    rows.push(row(this.box(rest), "<mtext>otherwise</mtext>"));
    return mathTag("mrow", "<mo>{</mo>", mathTag("mtable", ...rows));
  }
}

/**
 * @param {string} name
 * @param {string} letter
 * @returns {[string, string][]}
 */
function greekLetters(name, letter) {
  const capital = letter.toUpperCase();
  return CAPITALS_OF_GREEK.includes(capital) ? [[name, letter], [name[0].toUpperCase() + name.slice(1), capital]] : [[name, letter]];
}

/**
 * @param {Fraction} value
 * @returns {Typeset}
 */
function mathNumber(value) {
  const text = shortDecimal(value);
  if (!text) return [mathTag("mfrac", mathTag("mn", `${value.above}`), mathTag("mn", `${value.below}`)), BINDS_TALL, true];
  const [digits, exponent] = text.split("e");
  if (exponent === undefined) return [mathTag("mn", text), BINDS_ATOM, true];
  const size = mathTag("mn", exponent.replace("-", ""));
  const power = mathTag("msup", "<mn>10</mn>", exponent[0] === "-" ? mathRow(MINUS_SIGN, size) : size);
  return [digits === "1" ? power : mathRow(mathTag("mn", digits), "<mo>×</mo>", power), BINDS_TALL, true];
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
  const kinds = [...new Map(treeNodes(tree).map(([node]) => [formulaKey(node), node.kind])).values()];
  const deep = kinds.filter((kind) => kind === "divide" || kind === "power").length;
  return !kinds.some((kind) => kind === "call" || kind === "where" || kind === "reduce") && deep <= 2 && kinds.length <= LONGEST_EXPONENT;
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
 * A name: Greek letters by their names, trailing digits or what follows _ as a subscript.
 * @param {string} name
 * @param {string} [index]
 * @returns {string}
 */
function mathName(name, index = "") {
  const [, written = name, digits, tail] = NAME_PARTS.exec(name) ?? [];
  let [head, below] = [written, digits ?? tail ?? ""];
  if (below && !ALL_DIGITS.test(below) && [...head].length > 1 && !GREEK_LETTERS.has(head)) [head, below] = [name, ""];
  const small = below ? [mathTag(ALL_DIGITS.test(below) ? "mn" : "mi", GREEK_LETTERS.get(below) ?? below)] : [];
  if (index) small.push(...(below ? ["<mo>,</mo>"] : []), mathTag("mi", index));
  const base = mathTag("mi", GREEK_LETTERS.get(head) ?? head);
  return small.length ? mathTag("msub", base, mathRow(...small)) : base;
}

/**
 * A formula as presentation MathML: one math element, well-formed XML. Names are letters, digits and _ alone, so that
 * none of them can be markup.
 * @param {Tree} tree
 * @returns {string}
 */
export function formulaMathml(tree) {
  return `<math xmlns="http://www.w3.org/1998/Math/MathML">${new MathLayout(tree).box(tree)}</math>`;
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
    parts.map((part, place) => textAtLeast(part, place ? BINDS_TALL : PRODUCT_TEXT)).join(sign);
  switch (kind) {
    case "number": return [decimalText(value ?? exactFraction(0n)), BINDS_ATOM];
    case "negate": return [`-${textAtLeast(parts[0], SIGNED_TEXT)}`, SIGNED_TEXT];
    case "add": return [parts.reduce(addedText, ""), BINDS_SUM];
    case "multiply": return [joined("*"), PRODUCT_TEXT];
    case "divide": return [joined("/"), PRODUCT_TEXT];
    case "power": return [`${textAtLeast(parts[0], BINDS_ATOM)}^${textAtLeast(parts[1], SIGNED_TEXT)}`, BINDS_TALL];
    case "compare": return [parts.map(formulaText).join(` ${name} `), BINDS_SUM];
    case "call":
    case "reduce": return [`${name}(${all()})`, BINDS_ATOM];
    case "where": return [`where(${all()})`, BINDS_ATOM];
  }
  return [name, BINDS_ATOM];
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
