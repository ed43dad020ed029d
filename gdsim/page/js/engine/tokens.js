// From the characters of a formula to its tokens, checked for what may stand side by side.

import { fractionOf } from "./fractions.js";

/** @typedef {{ kind: "number" | "name" | "raised" | "operator", text: string, sign: string, place: number, length: number }} Token */

/** Something wrong with a formula: what, where (from 1, in characters) and what would be right. */
export class FormulaError extends Error {
  /**
   * @param {{ place: number, length: number } | null} at
   * @param {string} message
   * @param {string} [expected]
   * @param {string} [suggestion]
   */
  constructor(at, message, expected = "", suggestion = "") {
    super(message);
    this.name = "FormulaError";
    this.expected = expected;
    this.suggestion = suggestion;
    /** @type {number | null} */
    this.column = at && at.place + 1;
    this.length = at ? at.length : 0;
  }

  /** All of it in one sentence, the column apart. */
  get sentence() {
    const expected = this.expected && `; expected ${this.expected}`;
    return this.message + expected + (this.suggestion && `; did you mean ${this.suggestion}?`);
  }
}

/**
 * @param {{ place: number, length: number } | null} at
 * @param {string} message
 * @param {string} [expected]
 * @param {string} [suggestion]
 * @returns {never}
 */
export function refuse(at, message, expected, suggestion) {
  throw new FormulaError(at, message, expected, suggestion);
}

const RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹";
const TOKEN = new RegExp(
  "(?<number>(?:[0-9]+\\.?[0-9]*|\\.[0-9]+)(?:[eE][+-]?[0-9]+)?)" +
    `|(?<name>(?![\\p{Nd}${RAISED}])[\\p{L}\\p{N}_](?:(?![${RAISED}])[\\p{L}\\p{N}_])*)` +
    `|(?<raised>⁻?[${RAISED}]+)` +
    "|(?<operator>\\*\\*|<=|>=|==|!=|[-+/*^(),<>−–·⋅×∙÷≤≥≠])",
  "uy",
);
const SPACE = /(?!\ufeff)[\s\x1c-\x1f\x85]/;
const IDENTIFIER = /^\p{XID_Start}\p{XID_Continue}*$/u;
const UNPRINTABLE = /(?! )[\p{C}\p{Z}]/gu;
const SPELLING = new Map(
  Object.entries({
    "^": "**", "−": "-", "–": "-", "·": "*", "⋅": "*", "∙": "*", "×": "*", "÷": "/", "≤": "<=", "≥": ">=", "≠": "!=",
  }),
);
const BINARY = new Set(["**", "*", "/", "<", ">", "<=", ">=", "==", "!="]);

/** Least and greatest number of arguments of each function that a formula may use. @type {Map<string, number[]>} */
export const FUNCTIONS = new Map(
  "sqrt exp log ln log2 log10 sin cos tan asin acos atan sinh cosh tanh abs sign max min relu sigmoid softplus huber"
    .split(" ")
    .map((name) => [name, name === "max" || name === "min" ? [2, Infinity] : [1, name === "huber" ? 2 : 1]]),
);
/** @type {Map<string, number[]>} */
export const CONSTRUCTS = new Map([["where", [3, 3]], ["mean", [1, 1]], ["sum", [1, 1]]]);

const DEEPEST_BRACKETS = 200;
const ANY = "numbers, names, + - * / ^ ( ) ,";
const CHOICE = "where(x > 0, a, b) with one comparison";
const FINITE = "a finite number";
const ROUND = "round brackets";
const LETTER = "names that begin with a letter and numbers without _";
const WHOLE = "an expression such as (w - 3)^2";
const VALUE = "a number, a name or brackets";
const HINTS = new Map(
  Object.entries({
    "|": "abs(x) for an absolute value",
    "=": "an expression without =; inside where(x == 0, a, b) a comparison is written ==",
    "&": CHOICE,
    "~": CHOICE,
    "[": ROUND,
    "{": ROUND,
    "]": ROUND,
    "}": ROUND,
    "%": "a fraction such as 5/100",
    "√": "sqrt(x)",
    "!": "a product written out, such as 1*2*3",
    "'": "a formula without quotes; gdsim takes the derivative itself",
    '"': "a formula without quotes",
    ".": "a number such as 0.5; names have no dots, and functions no module: sin(x)",
    ":": "one expression without : or lambda",
    "∞": FINITE,
    _: LETTER,
  }),
);
/** @type {Map<string, string>} */
const WORDS = new Map();
for (const word of ["if", "else", "and", "or", "not", "in", "is", "for"]) WORDS.set(word, CHOICE);
for (const word of ["True", "False", "None"]) WORDS.set(word, "a number");
for (const word of ["inf", "nan", "infinity", "Infinity", "NaN"]) WORDS.set(word, FINITE);

/**
 * A text in quotes, what cannot be printed written out.
 * @param {string} text
 * @returns {string}
 */
export function quoted(text) {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const inside = text
    .replaceAll("\\", "\\\\")
    .replaceAll("'", quote === "'" ? "\\'" : "'")
    .replace(UNPRINTABLE, (character) => {
      const named = ["\t", "\n", "\r"].indexOf(character);
      if (named >= 0) return "\\" + "tnr"[named];
      const code = (character.codePointAt(0) ?? 0).toString(16);
      const [mark, width] = code.length < 3 ? ["x", 2] : code.length < 5 ? ["u", 4] : ["U", 8];
      return `\\${mark}${code.padStart(Number(width), "0")}`;
    });
  return quote + inside + quote;
}

/**
 * @param {string} text
 * @returns {string}
 */
function shortened(text) {
  const characters = [...text];
  return characters.length <= 24 ? text : characters.slice(0, 21).join("") + "…";
}

/**
 * @param {Token} first
 * @param {Token} second
 * @returns {string}
 */
function bothQuoted(first, second) {
  return `${quoted(shortened(first.text))} and ${quoted(shortened(second.text))}`;
}

/**
 * Split a formula into tokens and check how they stand together; throws FormulaError.
 * @param {string} text
 * @returns {Token[]}
 */
export function tokensOf(text) {
  const found = splitFormula(text);
  for (let k = 1; k < found.length; k++) checkPair(found[k - 1], found[k]);
  const deepest = checkEnds(found, [...text]);
  for (const token of found) if (token.kind === "number" || token.kind === "raised") checkSize(token);
  if (deepest > DEEPEST_BRACKETS) refuse(null, "the formula is nested too deeply", "fewer brackets");
  if (found[0].text === ",") refuse(found[0], "this does not fit here", WHOLE);
  return found;
}

/**
 * @param {string} text
 * @returns {Token[]}
 */
function splitFormula(text) {
  /** @type {Token[]} */
  const found = [];
  for (let index = 0, place = 0; index < text.length; ) {
    if (SPACE.test(text[index])) {
      index += 1;
      place += 1;
      continue;
    }
    TOKEN.lastIndex = index;
    const groups = TOKEN.exec(text)?.groups;
    if (!groups) {
      const character = String.fromCodePoint(text.codePointAt(index) ?? 0);
      refuse({ place, length: 1 }, `unexpected ${quoted(character)}`, HINTS.get(character) ?? ANY);
    }
    const [kind, written] = Object.entries(groups).find(([, piece]) => piece !== undefined) ?? ["", ""];
    const at = { place, length: [...written].length };
    const piece = kind === "name" ? checkedName(written, at) : written;
    const sign = kind === "operator" ? SPELLING.get(written) ?? written : "";
    found.push({ kind: /** @type {Token["kind"]} */ (kind), text: piece, sign, ...at });
    index += written.length;
    place += at.length;
  }
  if (!found.length) refuse({ place: 0, length: 0 }, "the formula is empty", WHOLE);
  return found;
}

/**
 * A name in Unicode's compatibility form, in which look-alike letters are one letter.
 * @param {string} written
 * @param {{ place: number, length: number }} at
 * @returns {string}
 */
function checkedName(written, at) {
  const name = written.normalize("NFKC");
  const word = WORDS.get(name);
  if (word) refuse(at, `${quoted(name)} cannot be used in a formula`, word);
  if (!IDENTIFIER.test(name)) refuse(at, `${quoted(shortened(written))} cannot be a name`, LETTER);
  return name;
}

/**
 * Refuse two neighbours that cannot stand side by side, with what was probably meant.
 * @param {Token} first
 * @param {Token} second
 */
function checkPair(first, second) {
  const applies = first.kind === "name" && (FUNCTIONS.has(first.text) || CONSTRUCTS.has(first.text));
  if (applies && (second.kind === "name" || second.kind === "number")) {
    const suggestion = `${first.text}(${shortened(second.text)})`;
    refuse(first, `${quoted(first.text)} needs brackets`, "", suggestion);
  }
  if (applies && (second.sign === "**" || second.kind === "raised")) {
    const suggestion = first.text === "exp" ? "exp(x)" : `${first.text}(x)^2`;
    const message = `a power stands between ${quoted(first.text)} and its brackets`;
    refuse(first, message, "", suggestion);
  }
  const zero = first.kind === "number" && (first.text === "0" || first.text === "00");
  if (zero && /^[xXbBoO][0-9]/.test(second.text)) {
    refuse(first, "this is not a decimal number", "a number such as 16");
  }
  const plain = first.kind === "name" || first.kind === "number";
  if ((plain && second.kind === "number") || (first.kind === "name" && second.kind === "name")) {
    const expected = `an operator between them, such as ${shortened(first.text)}*${shortened(second.text)}`;
    refuse(second, `${bothQuoted(first, second)} stand side by side`, expected);
  }
  checkOperators(first, second);
}

/**
 * @param {Token} first
 * @param {Token} second
 */
function checkOperators(first, second) {
  if (first.kind === "raised" && (second.sign === "**" || second.kind === "raised")) {
    refuse(second, "one power stands on another", "brackets: (x²)^3 or x^(2^3)");
  }
  if (second.kind === "raised" && first.kind === "operator" && first.text !== ")") {
    refuse(second, `${quoted(second.text)} has nothing to its left`, "a base, such as x²");
  }
  if (second.text === ")" || second.text === ",") {
    if (first.text === "(") refuse(second, "the brackets are empty", "an expression between them");
    if (first.kind === "operator" && first.text !== ")") {
      refuse(second, `nothing follows ${quoted(first.text)}`, VALUE);
    }
  }
  if (BINARY.has(second.sign) && (BINARY.has(first.sign) || ["+", "-", "(", ","].includes(first.sign))) {
    const expected = first.sign === "/" && second.sign === "/" ? "a single / for division" : `${VALUE} between`;
    refuse(second, `${bothQuoted(first, second)} do not fit together`, expected);
  }
}

/**
 * Check the brackets, and how the formula begins and ends; returns how deeply brackets are nested.
 * @param {Token[]} tokens
 * @param {string[]} characters
 * @returns {number}
 */
function checkEnds(tokens, characters) {
  /** @type {Token[]} */
  const open = [];
  let deepest = 0;
  for (const token of tokens) {
    if (token.text === "(") deepest = Math.max(deepest, open.push(token));
    else if (token.text === ")" && !open.pop()) {
      refuse(token, "this bracket closes nothing", "one ( for each )");
    }
  }
  const [first, last] = [tokens[0], tokens[tokens.length - 1]];
  if (BINARY.has(first.sign) || first.kind === "raised") {
    refuse(first, `${quoted(first.text)} has nothing to its left`, WHOLE);
  }
  if (last.kind === "operator" && last.text !== ")") {
    let end = characters.length;
    while (SPACE.test(characters[end - 1])) end -= 1;
    refuse({ place: end, length: 0 }, `the formula ends behind ${quoted(last.text)}`, VALUE);
  }
  const unclosed = open.pop();
  if (unclosed) refuse(unclosed, "this bracket is not closed", "one ) for each (");
  return deepest;
}

/**
 * @param {Token} token
 * @returns {string}
 */
function plainDigits(token) {
  return token.text.replace(/[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]/g, (sign) => (sign === "⁻" ? "-" : String(RAISED.indexOf(sign))));
}

/**
 * @param {Token} token
 */
function checkSize(token) {
  const size = Math.abs(Number(plainDigits(token)));
  if (size === Infinity || (size === 0 && /[1-9]/.test(plainDigits(token).split(/e/i)[0]))) {
    const message = `the number ${shortened(token.text)} cannot be held in double precision`;
    refuse(token, message, "a size between 5e-324 and 1.8e308");
  }
}

/**
 * The exact value of a number, or of an exponent that is written as a superscript.
 * @param {Token} token
 * @returns {import("./fractions.js").Fraction}
 */
export function literalOf(token) {
  const text = plainDigits(token);
  return Number(text) === 0 ? { above: 0n, below: 1n } : fractionOf(text);
}
