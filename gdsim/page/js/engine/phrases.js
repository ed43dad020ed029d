// From tokens to phrases: what binds to what, before names have a meaning.

import { literalOf, tokensOf } from "./tokens.js";

/** @typedef {import("./tokens.js").Token} Token */
/**
 * A sign and what it joins; `close` is the last bracket of a call.
 * @typedef {{ sign: string, at: Token, parts: Phrase[], close: Token }} Phrase
 */

export const COMPARISONS = ["<", "<=", ">", ">=", "==", "!="];

class PhraseReader {
  /** @param {Token[]} tokens */
  constructor(tokens) {
    this.tokens = tokens;
    this.next = 0;
  }

  /** @returns {string} */
  get sign() {
    return this.tokens[this.next]?.sign ?? "";
  }

  /**
   * Comparisons with commas between them: several are one phrase with the sign ",".
   * @param {Token} [at]
   * @returns {Phrase}
   */
  row(at = this.tokens[this.next]) {
    const parts = [this.comparison()];
    while (this.sign === ",") {
      this.next += 1;
      parts.push(this.comparison());
    }
    return parts.length === 1 ? parts[0] : this.phrase(",", at, parts);
  }

  /** @returns {Phrase} */
  comparison() {
    const at = this.tokens[this.next];
    const parts = [this.sum()];
    let sign = "";
    while (COMPARISONS.includes(this.sign)) {
      sign = this.sign;
      this.next += 1;
      parts.push(this.sum());
    }
    return sign ? this.phrase(sign, at, parts) : parts[0];
  }

  /** @returns {Phrase} */
  sum() {
    const at = this.tokens[this.next];
    let left = this.product();
    while (this.sign === "+" || this.sign === "-") {
      const sign = this.sign;
      this.next += 1;
      left = this.phrase(sign, at, [left, this.product()]);
    }
    return left;
  }

  /** @returns {Phrase} */
  product() {
    const at = this.tokens[this.next];
    let left = this.signed();
    for (;;) {
      const { sign } = this;
      if (sign === "*" || sign === "/") this.next += 1;
      else if (!this.juxtaposed()) return left;
      left = this.phrase(sign === "/" ? "/" : "*", at, [left, this.signed()]);
    }
  }

  /** Whether 2x, 2(x+1), (a)(b), (a)x or x²y stands here. */
  juxtaposed() {
    const [before, token] = [this.tokens[this.next - 1], this.tokens[this.next]];
    if (!token || !(before.kind === "number" || before.kind === "raised" || before.text === ")")) return false;
    return token.kind === "name" || token.kind === "number" || token.text === "(";
  }

  /** @returns {Phrase} */
  signed() {
    /** @type {Token[]} */
    const signs = [];
    while (this.sign === "+" || this.sign === "-") signs.push(this.tokens[this.next++]);
    let found = this.power();
    for (const token of signs.reverse()) found = this.phrase(`${token.sign}x`, token, [found]);
    return found;
  }

  /** @returns {Phrase} */
  power() {
    const at = this.tokens[this.next];
    const base = this.atom();
    const token = this.tokens[this.next];
    if (token?.kind === "raised") {
      this.next += 1;
      const size = this.phrase("number", token);
      const minus = literalOf(token).above < 0n;
      return this.phrase("**", at, [base, minus ? this.phrase("-x", token, [size]) : size]);
    }
    if (this.sign !== "**") return base;
    this.next += 1;
    return this.phrase("**", at, [base, this.signed()]);
  }

  /** @returns {Phrase} */
  atom() {
    const at = this.tokens[this.next++];
    if (at.text === "(") {
      const inside = this.row(at);
      this.next += 1;
      return inside;
    }
    if (at.kind === "name" && this.sign === "(") {
      this.next += 1;
      const inside = [];
      do inside.push(this.comparison());
      while (this.tokens[this.next++].sign === ",");
      return this.phrase("call", at, inside, this.tokens[this.next - 1]);
    }
    return this.phrase(at.kind, at);
  }

  /**
   * @param {string} sign
   * @param {Token} at
   * @param {Phrase[]} [parts]
   * @param {Token} [close]
   * @returns {Phrase}
   */
  phrase(sign, at, parts = [], close = at) {
    return { sign, at, parts, close };
  }
}

/**
 * Throws FormulaError.
 * @param {string} text
 * @returns {Phrase}
 */
export function phraseOf(text) {
  return new PhraseReader(tokensOf(text)).row();
}
