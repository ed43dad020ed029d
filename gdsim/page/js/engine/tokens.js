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
export function refuseFormula(at, message, expected, suggestion) {
  throw new FormulaError(at, message, expected, suggestion);
}

const SUPERSCRIPT_DIGITS = "⁰¹²³⁴⁵⁶⁷⁸⁹";
const FORMULA_TOKEN = new RegExp(
  "(?<number>(?:[0-9]+\\.?[0-9]*|\\.[0-9]+)(?:[eE][+-]?[0-9]+)?)" +
    `|(?<name>(?![\\p{Nd}${SUPERSCRIPT_DIGITS}])[\\p{L}\\p{N}_](?:(?![${SUPERSCRIPT_DIGITS}])[\\p{L}\\p{N}_])*)` +
    `|(?<raised>⁻?[${SUPERSCRIPT_DIGITS}]+)` +
    "|(?<operator>\\*\\*|<=|>=|==|!=|[-+/*^(),<>−–·⋅×∙÷≤≥≠])",
  "uy",
);
const BLANK_CHARACTER = /(?!\ufeff)[\s\x1c-\x1f\x85]/;
const IDENTIFIER = /^(?=\p{XID_Start}\p{XID_Continue}*$)[\p{L}\p{N}_]+$/u;
const UNPRINTABLE = /(?! )[\p{C}\p{Z}]/gu;
const SIGN_SPELLING = new Map(
  Object.entries({
    "^": "**", "−": "-", "–": "-", "·": "*", "⋅": "*", "∙": "*", "×": "*", "÷": "/", "≤": "<=", "≥": ">=", "≠": "!=",
  }),
);
const BINARY_SIGNS = new Set(["**", "*", "/", "<", ">", "<=", ">=", "==", "!="]);

/** Least and greatest number of arguments of each function that a formula may use. @type {Map<string, number[]>} */
export const FUNCTIONS = new Map(
  "sqrt exp log ln log2 log10 sin cos tan asin acos atan sinh cosh tanh abs sign max min relu sigmoid softplus huber"
    .split(" ")
    .map((name) => [name, name === "max" || name === "min" ? [2, Infinity] : [1, name === "huber" ? 2 : 1]]),
);
/** @type {Map<string, number[]>} */
export const CONSTRUCTS = new Map([["where", [3, 3]], ["mean", [1, 1]], ["sum", [1, 1]]]);

const DEEPEST_BRACKETS = 200;
const ANY_EXPECTED = "numbers, names, + - * / ^ ( ) ,";
const CHOICE_EXPECTED = "where(x > 0, a, b) with one comparison";
const FINITE_NUMBER = "a finite number";
const ROUND_BRACKETS = "round brackets";
const NAME_EXPECTED = "names that begin with a letter and numbers without _";
const FORMULA_EXPECTED = "an expression such as (w - 3)^2";
const VALUE_EXPECTED = "a number, a name or brackets";
const TOKEN_HINTS = new Map(
  Object.entries({
    "|": "abs(x) for an absolute value",
    "=": "an expression without =; inside where(x == 0, a, b) a comparison is written ==",
    "&": CHOICE_EXPECTED,
    "~": CHOICE_EXPECTED,
    "[": ROUND_BRACKETS,
    "{": ROUND_BRACKETS,
    "]": ROUND_BRACKETS,
    "}": ROUND_BRACKETS,
    "%": "a fraction such as 5/100",
    "√": "sqrt(x)",
    "!": "a product written out, such as 1*2*3",
    "'": "a formula without quotes; gdsim takes the derivative itself",
    '"': "a formula without quotes",
    ".": "a number such as 0.5; names have no dots, and functions no module: sin(x)",
    ":": "one expression without : or lambda",
    "∞": FINITE_NUMBER,
    _: NAME_EXPECTED,
  }),
);
/** @type {Map<string, string>} */
const TOKEN_WORDS = new Map();
for (const word of ["if", "else", "and", "or", "not", "in", "is", "for"]) TOKEN_WORDS.set(word, CHOICE_EXPECTED);
for (const word of ["True", "False", "None"]) TOKEN_WORDS.set(word, "a number");
for (const word of ["inf", "nan", "infinity", "Infinity", "NaN"]) TOKEN_WORDS.set(word, FINITE_NUMBER);

/**
 * A text in quotes, what cannot be printed written out.
 * @param {string} text
 * @returns {string}
 */
export function quotedText(text) {
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
function shortToken(text) {
  const characters = [...text];
  return characters.length <= 24 ? text : characters.slice(0, 21).join("") + "…";
}

/**
 * @param {Token} first
 * @param {Token} second
 * @returns {string}
 */
function bothQuoted(first, second) {
  return `${quotedText(shortToken(first.text))} and ${quotedText(shortToken(second.text))}`;
}

/**
 * Split a formula into tokens and check how they stand together; throws FormulaError.
 * @param {string} text
 * @returns {Token[]}
 */
export function tokensOf(text) {
  const found = splitFormula(text);
  for (let k = 1; k < found.length; k++) checkTokenPair(found[k - 1], found[k]);
  const deepest = checkTokenEnds(found, [...text]);
  for (const token of found) if (token.kind === "number" || token.kind === "raised") checkNumberSize(token);
  if (deepest > DEEPEST_BRACKETS) refuseFormula(null, "the formula is nested too deeply", "fewer brackets");
  if (found[0].text === ",") refuseFormula(found[0], "this does not fit here", FORMULA_EXPECTED);
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
    if (BLANK_CHARACTER.test(text[index])) {
      index += 1;
      place += 1;
      continue;
    }
    FORMULA_TOKEN.lastIndex = index;
    const groups = FORMULA_TOKEN.exec(text)?.groups;
    if (!groups) {
      const character = String.fromCodePoint(text.codePointAt(index) ?? 0);
      refuseFormula({ place, length: 1 }, `unexpected ${quotedText(character)}`, TOKEN_HINTS.get(character) ?? ANY_EXPECTED);
    }
    const [kind, written] = Object.entries(groups).find(([, piece]) => piece !== undefined) ?? ["", ""];
    const at = { place, length: [...written].length };
    const piece = kind === "name" ? checkedName(written, at) : written;
    const sign = kind === "operator" ? SIGN_SPELLING.get(written) ?? written : "";
    found.push({ kind: /** @type {Token["kind"]} */ (kind), text: piece, sign, ...at });
    index += written.length;
    place += at.length;
  }
  if (!found.length) refuseFormula({ place: 0, length: 0 }, "the formula is empty", FORMULA_EXPECTED);
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
  const word = TOKEN_WORDS.get(name);
  if (word) refuseFormula(at, `${quotedText(name)} cannot be used in a formula`, word);
  if (!IDENTIFIER.test(name)) refuseFormula(at, `${quotedText(shortToken(written))} cannot be a name`, NAME_EXPECTED);
  return name;
}

/**
 * Refuse two neighbours that cannot stand side by side, with what was probably meant.
 * @param {Token} first
 * @param {Token} second
 */
function checkTokenPair(first, second) {
  const applies = first.kind === "name" && (FUNCTIONS.has(first.text) || CONSTRUCTS.has(first.text));
  if (applies && (second.kind === "name" || second.kind === "number")) {
    const suggestion = `${first.text}(${shortToken(second.text)})`;
    refuseFormula(first, `${quotedText(first.text)} needs brackets`, "", suggestion);
  }
  if (applies && (second.sign === "**" || second.kind === "raised")) {
    const suggestion = first.text === "exp" ? "exp(x)" : `${first.text}(x)^2`;
    const message = `a power stands between ${quotedText(first.text)} and its brackets`;
    refuseFormula(first, message, "", suggestion);
  }
  const zero = first.kind === "number" && (first.text === "0" || first.text === "00");
  if (zero && /^[xXbBoO][0-9]/.test(second.text)) {
    refuseFormula(first, "this is not a decimal number", "a number such as 16");
  }
  const plain = first.kind === "name" || first.kind === "number";
  if ((plain && second.kind === "number") || (first.kind === "name" && second.kind === "name")) {
    const expected = `an operator between them, such as ${shortToken(first.text)}*${shortToken(second.text)}`;
    refuseFormula(second, `${bothQuoted(first, second)} stand side by side`, expected);
  }
  checkTokenSigns(first, second);
}

/**
 * @param {Token} first
 * @param {Token} second
 */
function checkTokenSigns(first, second) {
  if (first.kind === "raised" && (second.sign === "**" || second.kind === "raised")) {
    refuseFormula(second, "one power stands on another", "brackets: (x²)^3 or x^(2^3)");
  }
  if (second.kind === "raised" && first.kind === "operator" && first.text !== ")") {
    refuseFormula(second, `${quotedText(second.text)} has nothing to its left`, "a base, such as x²");
  }
  if (second.text === ")" || second.text === ",") {
    if (first.text === "(") refuseFormula(second, "the brackets are empty", "an expression between them");
    if (first.kind === "operator" && first.text !== ")") {
      refuseFormula(second, `nothing follows ${quotedText(first.text)}`, VALUE_EXPECTED);
    }
  }
  if (BINARY_SIGNS.has(second.sign) && (BINARY_SIGNS.has(first.sign) || ["+", "-", "(", ","].includes(first.sign))) {
    const expected = first.sign === "/" && second.sign === "/" ? "a single / for division" : `${VALUE_EXPECTED} between`;
    refuseFormula(second, `${bothQuoted(first, second)} do not fit together`, expected);
  }
}

/**
 * Check the brackets, and how the formula begins and ends; returns how deeply brackets are nested.
 * @param {Token[]} tokens
 * @param {string[]} characters
 * @returns {number}
 */
function checkTokenEnds(tokens, characters) {
  /** @type {Token[]} */
  const open = [];
  let deepest = 0;
  for (const token of tokens) {
    if (token.text === "(") deepest = Math.max(deepest, open.push(token));
    else if (token.text === ")" && !open.pop()) {
      refuseFormula(token, "this bracket closes nothing", "one ( for each )");
    }
  }
  const [first, last] = [tokens[0], tokens[tokens.length - 1]];
  if (BINARY_SIGNS.has(first.sign) || first.kind === "raised") {
    refuseFormula(first, `${quotedText(first.text)} has nothing to its left`, FORMULA_EXPECTED);
  }
  if (last.kind === "operator" && last.text !== ")") {
    let end = characters.length;
    while (BLANK_CHARACTER.test(characters[end - 1])) end -= 1;
    refuseFormula({ place: end, length: 0 }, `the formula ends behind ${quotedText(last.text)}`, VALUE_EXPECTED);
  }
  const unclosed = open.pop();
  if (unclosed) refuseFormula(unclosed, "this bracket is not closed", "one ) for each (");
  return deepest;
}

/**
 * @param {Token} token
 * @returns {string}
 */
function plainDigits(token) {
  return token.text.replace(/[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]/g, (sign) => (sign === "⁻" ? "-" : String(SUPERSCRIPT_DIGITS.indexOf(sign))));
}

/**
 * @param {Token} token
 */
function checkNumberSize(token) {
  const size = Math.abs(Number(plainDigits(token)));
  if (size === Infinity || (size === 0 && /[1-9]/.test(plainDigits(token).split(/e/i)[0]))) {
    const message = `the number ${shortToken(token.text)} cannot be held in double precision`;
    refuseFormula(token, message, "a size between 5e-324 and 1.8e308");
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
