// How far a learner is in a lesson: the sibling of gdsim/lessons/progress.py and of the score of a session.

/** @import {LearnerRecord, LessonStep, LessonData, Attempt} from "../lesson" */

const GRADED_KINDS = ["predict", "choice", "number", "derive", "tune", "order"];

/** @type {() => LearnerRecord} */
export function emptyRecord() {
  return { at: "", finished: false, attempts: [], shown: [], skipped: [] };
}

/** Whether an answer to a step is right or wrong. @type {(step: LessonStep) => boolean} */
export function isGraded(step) {
  return GRADED_KINDS.includes(step.kind);
}

/** The answers to a step, in order. @type {(record: LearnerRecord, step: string) => Attempt[]} */
export function attemptsOf(record, step) {
  return record.attempts.filter((attempt) => attempt.step === step);
}

/** @type {(record: LearnerRecord, step: string) => boolean} */
export function isSolved(record, step) {
  return attemptsOf(record, step).some((attempt) => attempt.right);
}

/**
 * Whether a step still waits: for a right answer, any prediction, or its solution to be seen.
 * @type {(record: LearnerRecord, step: LessonStep) => boolean}
 */
export function isOpenStep(record, step) {
  if (!isGraded(step) || record.shown.includes(step.name) || isSolved(record, step.name)) return false;
  return !(step.kind === "predict" && attemptsOf(record, step.name).length > 0);
}

/**
 * How many graded steps were right at once, right later, and how many there are.
 * @type {(lesson: LessonData, record: LearnerRecord) => {right: number, later: number, count: number}}
 */
export function lessonScore(lesson, record) {
  const graded = lesson.steps.filter(isGraded).map((step) => step.name);
  const seen = graded.filter((name) => !record.shown.includes(name));
  const right = seen.filter((name) => attemptsOf(record, name)[0]?.right).length;
  return { right, later: seen.filter((name) => isSolved(record, name)).length - right, count: graded.length };
}

/**
 * Reads a record from what was kept; an empty one where it is none.
 * @type {(kept: unknown) => LearnerRecord}
 */
export function recordFrom(kept) {
  const made = emptyRecord();
  if (typeof kept !== "object" || kept === null) return made;
  const given = /** @type {Record<string, unknown>} */ (kept);
  const list = (/** @type {unknown} */ value) => (Array.isArray(value) ? value : []);
  made.at = typeof given.at === "string" ? given.at : "";
  made.finished = given.finished === true;
  made.shown = list(given.shown).filter((name) => typeof name === "string");
  made.skipped = list(given.skipped).filter((name) => typeof name === "string");
  for (const one of list(given.attempts)) {
    if (typeof one?.step !== "string" || typeof one.answer !== "string") continue;
    made.attempts.push({
      step: one.step, answer: one.answer, right: one.right === true, hints: Number(one.hints) || 0,
      misconception: String(one.misconception ?? ""), when: String(one.when ?? ""),
    });
  }
  return made;
}
