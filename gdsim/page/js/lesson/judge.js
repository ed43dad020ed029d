// Whether an answer is right, and what to say: the sibling of gdsim/lessons/answers.py.

/** @import {LessonStep, Judgement, Runner, Tolerance, Goal} from "../lesson" */
/** @import {Outcome} from "../types" */

import { parseConstant } from "../engine/formula.js";
import { FormulaError } from "../engine/tokens.js";
import { judgeDerivative } from "./likeness.js";

export const LONGEST_ANSWER = 1000;
const DIRECTIONS = ["left", "right", "stay"];

/**
 * An answer that cannot be read; it is no failed attempt.
 * @type {(message: string, expected?: string, suggestion?: string) => FormulaError}
 */
export function unreadAnswer(message, expected, suggestion) {
  return new FormulaError(null, message, expected, suggestion);
}

/**
 * @type {(right: boolean | null, phrase: string, more?: Partial<Judgement>) => Judgement}
 */
export function judgement(right, phrase, more) {
  return { right, phrase, facts: {}, part: "", misconception: "", outcome: null, ...more };
}

/**
 * Judges an answer to a graded step. Throws for one that cannot be read.
 * @param {LessonStep} step
 * @param {string} typed as in the terminal: a number, a formula, numbers or names of items, path=value
 * @param {Runner} runner makes the run of a tuning
 * @returns {Judgement}
 */
export function judgeAnswer(step, typed, runner) {
  const answer = typed.trim();
  if (answer === "") return judgement(false, "empty");
  switch (step.kind) {
    case "predict":
      return judgePrediction(step, answer);
    case "choice":
      return judgeChoice(step.right, itemsNamed(answer, step.items.map(([name]) => name)));
    case "number":
      return judgeNumber(step, answeredNumber(answer));
    case "derive":
      return judgeDerivative(step, answer);
    case "tune":
      return judgeTuning(step.goal, runner(step.lab, settingsIn(answer, step.edit.map(([path]) => path))));
    case "order":
      return judgeOrder(step.right, itemsNamed(answer, step.items.map(([name]) => name)));
  }
  throw unreadAnswer("a step of kind " + step.kind + " has no answer", "a graded step");
}

/** @type {(text: string) => number} */
function answeredNumber(text) {
  if (/^[-−+]?\d*,\d+$/.test(text)) {
    throw unreadAnswer("a comma stands in this number", "a point", text.replace(",", "."));
  }
  return parseConstant(text);
}

/** @type {(given: number, right: number, tolerance: Tolerance) => boolean} */
function allowedBy(given, right, [absolute, relative]) {
  return Math.abs(given - right) <= Math.max(absolute, relative * Math.abs(right));
}

/**
 * Names, or their numbers from 1, parted by commas or blanks; one name may have blanks in it.
 * @type {(answer: string, known: string[]) => string[]}
 */
export function itemsNamed(answer, known) {
  const whole = itemMeant(answer, known);
  if (whole !== undefined) return [whole];
  return answer.split(/[\s,]+/).filter(Boolean).map((word) => {
    const place = /^\d+$/.test(word) ? Number(word) - 1 : -1;
    const name = known[place] ?? itemMeant(word, known);
    if (name !== undefined) return name;
    const names = [...known].sort().join(", ");
    throw unreadAnswer("'" + word + "' is none of them", "a number from 1 to " + known.length + ", or one of " + names);
  });
}

/**
 * The name that is meant: capitals, blanks, hyphens and underscores make no difference.
 * @type {(text: string, known: string[]) => string | undefined}
 */
function itemMeant(text, known) {
  const plain = (/** @type {string} */ name) => name.trim().toLowerCase().split(/[\s_-]+/).join("-");
  return known.find((name) => plain(name) === plain(text));
}

/**
 * Reads learning_rate=0.5, or the bare value where only one may be changed.
 * @type {(answer: string, allowed: string[]) => Record<string, string>}
 */
export function settingsIn(answer, allowed) {
  /** @type {Record<string, string>} */
  const found = {};
  for (const word of answer.split(/\s+/).filter(Boolean)) {
    const sign = word.indexOf("=");
    const bare = sign < 0 && allowed.length === 1;
    const path = bare ? allowed[0] : sign < 0 ? word : word.slice(0, sign);
    if (!allowed.includes(path)) {
      throw unreadAnswer("'" + path + "' may not be changed here", "one of " + allowed.join(", "));
    }
    found[path] = bare ? word : word.slice(sign + 1);
  }
  return found;
}

/** @type {(step: LessonStep & {kind: "predict"}, answer: string) => Judgement} */
function judgePrediction(step, answer) {
  let right;
  if (step.ask === "number") right = allowedBy(answeredNumber(answer), step.right, step.tolerance);
  else {
    const among = step.ask === "direction" ? DIRECTIONS : step.items.map(([name]) => name);
    right = itemsNamed(answer, among)[0] === step.right;
  }
  return judgement(right, right ? "predicted" : "not-predicted", { facts: { outcome: step.right } });
}

/** @type {(right: string[], given: string[]) => Judgement} */
function judgeChoice(right, given) {
  const missing = right.filter((name) => !given.includes(name)).length;
  const foreign = given.filter((name) => !right.includes(name));
  if (missing && !foreign.length) return judgement(false, "some-missing", { facts: { missing } });
  const telling = foreign[0] ?? given[0];
  const solved = !missing && !foreign.length;
  return judgement(solved, solved ? "right" : "wrong", { part: telling ? "feedback " + telling : "" });
}

/** @type {(step: LessonStep & {kind: "number"}, given: number) => Judgement} */
function judgeNumber(step, given) {
  const near = (/** @type {number} */ to) => allowedBy(given, to, step.tolerance);
  if (near(step.right)) return judgement(true, "right");
  const mistake = step.mistakes.find(([, value]) => near(value));
  if (mistake) return judgement(false, "wrong", { part: "mistake " + mistake[0] });
  if (allowedBy(-given, step.right, step.tolerance)) return judgement(false, "sign-flipped");
  return judgement(false, given > step.right ? "too-large" : "too-small");
}

/** @type {(goal: Goal, outcome: Outcome) => Judgement} */
function judgeTuning(goal, outcome) {
  const { trajectory, verdict, problem } = outcome;
  const last = trajectory.steps * trajectory.weights;
  const final = (/** @type {string} */ name) => trajectory.weight[last + problem.loss.weights.indexOf(name)];
  const away = Object.entries(goal.weight).some(([name, value]) => Math.abs(final(name) - value) > goal.tolerance);
  let reason = "";
  if (!goal.verdict.includes(verdict.kind)) reason = "goal-verdict";
  else if (goal.within !== null && trajectory.steps > goal.within) reason = "goal-steps";
  else if (away) reason = "goal-weight";
  const facts = { steps: trajectory.steps, verdict: verdict.kind, within: goal.within };
  return judgement(!reason, reason || "reached", { facts, outcome });
}

/** @type {(right: string[], given: string[]) => Judgement} */
function judgeOrder(right, given) {
  const wrong = right.findIndex((name, place) => given[place] !== name);
  if (wrong < 0 && given.length === right.length) return judgement(true, "right");
  if ([...given].sort().join(" ") !== [...right].sort().join(" ")) {
    return judgement(false, "order-incomplete", { facts: { items: right.length } });
  }
  return judgement(false, "order-wrong", { facts: { place: wrong + 1 } });
}
