// What a learner hands in: a transcript to read, and the receipt that `gdsim lessons verify` judges again.

/** @import {LessonData, LearnerRecord} from "../lesson" */

import { attemptsOf, isGraded, lessonScore } from "./record.js";

const RECEIPT_VERSION = 1;
/** @type {Record<string, string>} */
const ENTITIES = { lt: "<", gt: ">", amp: "&", quot: '"' };

/** Markup that Python made as plain lines. @type {(markup: string) => string} */
function plainProse(markup) {
  const text = markup.replace(/<li>/g, "- ").replace(/<[^>]*>/g, "");
  return text.replace(/&(lt|gt|amp|quot);/g, (_, name) => ENTITIES[name]).trim();
}

/** What was answered in a lesson, as Markdown. @type {(lesson: LessonData, record: LearnerRecord) => string} */
export function lessonTranscript(lesson, record) {
  const lines = ["# " + lesson.title, ""];
  for (const step of lesson.steps) {
    const attempts = attemptsOf(record, step.name);
    const shown = record.shown.includes(step.name);
    if (!isGraded(step) || !(attempts.length || shown)) continue;
    lines.push("## " + step.name, "", plainProse(step.prose), "");
    for (const attempt of attempts) {
      const how = [attempt.right ? "right" : "not right"];
      if (attempt.hints) how.push(attempt.hints + " hints");
      if (attempt.misconception) how.push(attempt.misconception);
      lines.push("- `" + attempt.answer.replaceAll("`", "ʼ") + "` — " + how.join(", "));
    }
    if (shown) lines.push("- the solution was looked at");
    lines.push("");
  }
  const { right, later, count } = lessonScore(lesson, record);
  lines.push(right + " of " + count + " right at once, " + later + " later.");
  return lines.join("\n") + "\n";
}

/**
 * A receipt over the lessons begun, as the text of a JSON file.
 * @type {(taken: [LessonData, LearnerRecord][], learner: string, nonce: string) => string}
 */
export function lessonReceipt(taken, learner, nonce) {
  /** @type {Record<string, unknown>} */
  const lessons = {};
  for (const [lesson, record] of taken) {
    if (!record.attempts.length && !record.finished) continue;
    const { right, later, count } = lessonScore(lesson, record);
    lessons[lesson.name] = {
      digest: lesson.digest, finished: record.finished, right_at_once: right, right_later: later, graded: count,
      shown: record.shown, attempts: record.attempts,
    };
  }
  const made = { receipt: RECEIPT_VERSION, learner, nonce, lessons };
  const hash = sha256(new TextEncoder().encode(canonicalText(made)));
  return JSON.stringify({ ...made, hash }, null, 1) + "\n";
}

/** Plain data as one text, its keys sorted, as Python writes it. @type {(value: unknown) => string} */
function canonicalText(value) {
  if (Array.isArray(value)) return "[" + value.map(canonicalText).join(", ") + "]";
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return "{" + entries.map(([key, one]) => JSON.stringify(key) + ": " + canonicalText(one)).join(", ") + "}";
}

/**
 * The first 32 bits of what follows the point in the roots of the first primes (FIPS 180-4, §4.2.2 and §5.3.3).
 * @type {(count: number, root: number) => number[]}
 */
function primeRoots(count, root) {
  const found = [];
  for (let n = 2; found.length < count; n++) {
    let divisor = 2;
    while (divisor * divisor <= n && n % divisor) divisor++;
    if (divisor * divisor > n) found.push(((n ** (1 / root)) % 1) * 2 ** 32 | 0);
  }
  return found;
}

/** The SHA-256 hash in hexadecimal digits (FIPS 180-4). @type {(bytes: Uint8Array) => string} */
export function sha256(bytes) {
  const constants = primeRoots(64, 3);
  const state = primeRoots(8, 2);
  const padded = new Uint8Array(((bytes.length + 72) >> 6) << 6);
  padded.set(bytes);
  padded[bytes.length] = 128;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, Math.floor(bytes.length / 2 ** 29));
  view.setUint32(padded.length - 4, bytes.length << 3);
  for (let block = 0; block < padded.length; block += 64) hashBlock(view, block, constants, state);
  return state.map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}

/** @type {(word: number, places: number) => number} */
function turned(word, places) {
  return (word >>> places) | (word << (32 - places));
}

/** @type {(view: DataView, block: number, constants: number[], state: number[]) => void} */
function hashBlock(view, block, constants, state) {
  /** @type {number[]} */
  const words = [];
  let [a, b, c, d, e, f, g, h] = state;
  for (let k = 0; k < 64; k++) {
    if (k < 16) words.push(view.getInt32(block + 4 * k));
    else {
      const x = words[k - 15];
      const y = words[k - 2];
      const low = turned(x, 7) ^ turned(x, 18) ^ (x >>> 3);
      const high = turned(y, 17) ^ turned(y, 19) ^ (y >>> 10);
      words.push((words[k - 16] + low + words[k - 7] + high) | 0);
    }
    const chosen = (e & f) ^ (~e & g);
    const first = (h + (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) + chosen + constants[k] + words[k]) | 0;
    const most = (a & b) ^ (a & c) ^ (b & c);
    const second = ((turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + most) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0];
  }
  [a, b, c, d, e, f, g, h].forEach((word, place) => { state[place] = (state[place] + word) | 0; });
}
