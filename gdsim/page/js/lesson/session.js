// A learner in a lesson: what an answer and the buttons do. The sibling of gdsim/lessons/session.py; no document.

/** @import {LessonData, LearnerRecord, LessonStep, Judgement, Runner} from "../lesson" */

import { LONGEST_ANSWER, judgeAnswer, judgement, itemsNamed } from "./judge.js";
import { attemptsOf, isGraded, isOpenStep, isSolved, lessonScore } from "./record.js";

/**
 * @typedef {object} LessonSession
 * @property {LessonData} lesson
 * @property {LearnerRecord} record
 * @property {number} place the number of the step at hand, from 0; that of steps behind the last one
 * @property {boolean} passed whether the step at hand is done
 * @property {number} hints hints seen at this step
 * @property {number} misses wrong answers at this step
 * @property {boolean} closing whether the end was reached and only what was left out is asked
 */

/** @typedef {{phrase: string, facts: Record<string, string | number | null>}} Said */

/** @type {(lesson: LessonData, record: LearnerRecord) => LessonSession} */
export function lessonSession(lesson, record) {
  const place = Math.max(0, lesson.steps.findIndex((step) => step.name === record.at));
  const session = { lesson, record, place, passed: false, hints: 0, misses: 0, closing: false };
  enterStep(session);
  return session;
}

/** @type {(session: LessonSession) => LessonStep} */
export function stepAtHand(session) {
  return session.lesson.steps[session.place];
}

/** Begins the step at hand. @type {(session: LessonSession) => void} */
function enterStep(session) {
  const step = stepAtHand(session);
  const done = isGraded(step) ? !isOpenStep(session.record, step) : step.kind !== "run";
  Object.assign(session, { passed: done, hints: 0, misses: 0 });
  session.record.at = step.name;
}

/** What was answered before to a step that is done, or null. @type {(session: LessonSession) => Said | null} */
export function answeredBefore(session) {
  const step = stepAtHand(session);
  if (!isGraded(step) || isOpenStep(session.record, step)) return null;
  const given = attemptsOf(session.record, step.name);
  const right = given.filter((attempt) => attempt.right);
  const last = (right.length ? right : given).at(-1);
  if (!last || (session.record.shown.includes(step.name) && !right.length)) {
    return { phrase: "solution-seen", facts: {} };
  }
  return { phrase: "answered", facts: { answer: asTyped(step, last.answer) } };
}

/** A stored order with the numbers of the items as they are shown. @type {(step: LessonStep, answer: string) => string} */
function asTyped(step, answer) {
  if (step.kind !== "order") return answer;
  const shown = step.items.map(([name]) => name);
  return answer.split(" ").map((word) => (shown.includes(word) ? shown.indexOf(word) + 1 : word)).join(" ");
}

/**
 * Takes an answer and notes it. Throws for one that cannot be read.
 * @type {(session: LessonSession, typed: string, runner: Runner) => Judgement}
 */
export function takeAnswer(session, typed, runner) {
  const step = stepAtHand(session);
  if (typed.length > LONGEST_ANSWER) return judgement(null, "too-long", { facts: { most: LONGEST_ANSWER } });
  let answer = typed.trim();
  if (step.kind === "order" && answer) answer = itemsNamed(answer, step.items.map(([name]) => name)).join(" ");
  const judged = judgeAnswer(step, answer, runner);
  if (judged.phrase === "empty" || judged.right === null) return judged;
  session.record.attempts.push({
    step: step.name, answer, right: judged.right, hints: session.hints, misconception: judged.misconception,
    when: new Date().toISOString().slice(0, 19) + "+00:00",
  });
  session.passed = session.passed || judged.right || step.kind === "predict";
  session.misses += judged.right ? 0 : 1;
  return judged;
}

/** The next hint as markup, or null. @type {(session: LessonSession) => string | null} */
export function nextHint(session) {
  const hints = stepAtHand(session).hints ?? [];
  return session.hints < hints.length ? hints[session.hints++] : null;
}

/** Notes that the solution is looked at. @type {(session: LessonSession) => void} */
export function seeSolution(session) {
  const { record } = session;
  const { name } = stepAtHand(session);
  if (!record.shown.includes(name) && !isSolved(record, name)) record.shown.push(name);
  session.passed = true;
}

/** Goes on without an answer. @type {(session: LessonSession) => Said | null} */
export function skipStep(session) {
  const { record } = session;
  const step = stepAtHand(session);
  const open = isGraded(step) && attemptsOf(record, step.name).length === 0;
  if (open && !record.skipped.includes(step.name)) record.skipped.push(step.name);
  return goForward(session);
}

/** Goes to the step before. @type {(session: LessonSession) => void} */
export function goBack(session) {
  session.place = Math.max(0, session.place - 1);
  enterStep(session);
}

/**
 * Goes to the next step; from the last to the first that was left out; with none the lesson ends.
 * What is said then, or null.
 * @type {(session: LessonSession) => Said | null}
 */
export function goForward(session) {
  const { lesson, record } = session;
  const left = lesson.steps.flatMap((step, place) => (isOpenStep(record, step) ? [place] : []));
  const steps = left.map((place) => place + 1).join(", ");
  if (!session.closing && session.place + 1 < lesson.steps.length) {
    session.place += 1;
    enterStep(session);
    return null;
  }
  const ahead = left.find((place) => !session.closing || place > session.place);
  if (ahead !== undefined) {
    const said = session.closing ? null : { phrase: "left-out", facts: { steps } };
    Object.assign(session, { closing: true, place: ahead });
    enterStep(session);
    return said;
  }
  session.place = lesson.steps.length;
  session.closing = false;
  if (left.length && !record.finished) {
    record.at = lesson.steps[left[0]].name;
    return { phrase: "not-finished", facts: { steps } };
  }
  Object.assign(record, { finished: true, at: "" });
  return { phrase: "finished", facts: lessonScore(lesson, record) };
}

/**
 * A phrase with its facts put in: numbers with six digits, the names of verdicts as words.
 * @type {(phrases: Record<string, string>, said: Said) => string}
 */
export function sayPhrase(phrases, { phrase, facts }) {
  return (phrases[phrase] ?? phrase).replace(/\{(\w+)\}/g, (whole, name) => {
    const value = facts[name];
    if (typeof value === "number") return shortFact(value);
    return typeof value === "string" ? value : whole;
  });
}

/** @type {(value: number) => string} */
export function shortFact(value) {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "−inf";
  const [digits, power] = value.toExponential(5).split("e");
  const small = Number(power) < -4 || Number(power) >= 6;
  const sign = power[0] + power.slice(1).padStart(2, "0");
  const text = small ? Number(digits) + "e" + sign : String(Number(value.toPrecision(6)));
  return text.replaceAll("-", "−");
}
