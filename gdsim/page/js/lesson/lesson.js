// The lessons in the page: the list, a lesson step by step, what is said to an answer, what is handed in.

/** @import {CourseData, LessonData, Judgement} from "../lesson" */
/** @import {AnswerForm} from "./form.js" */
/** @import {LessonSession, Said} from "./session.js" */

import { mountLab } from "../app/laboratory.js";
import { FormulaError } from "../engine/tokens.js";
import { answerForm } from "./form.js";
import { lessonFigure, lessonPicture, releaseFigures, verdictNode, watchFigures } from "./figure.js";
import { handOver, lessonNode, proseNodes } from "./markup.js";
import { lessonStorage, loadRecord, saveRecord } from "./progress.js";
import { lessonReceipt, lessonTranscript } from "./receipt.js";
import { settingsIn } from "./judge.js";
import { emptyRecord, isGraded } from "./record.js";
import { labRunner, labWith } from "./runs.js";
import {
  answeredBefore, goBack, goForward, lessonSession, nextHint, sayPhrase, seeSolution, skipStep, stepAtHand, takeAnswer,
} from "./session.js";

/** The parts of a laboratory by what of a scenario they change. @type {Record<string, string[]>} */
const LAB_PARTS = {
  learning_rate: ["rate"], initial_weight: ["start"], update_rule: ["rule"], seed: ["seed"], stopping: ["steps"],
};
const PATIENCE = 2; // wrong answers, after which help is offered

/**
 * @typedef {object} Classroom
 * @property {HTMLElement} root
 * @property {CourseData} course
 * @property {import("../types").Emitted} emitted
 * @property {Storage | null} storage
 * @property {import("../lesson").Runner} runner
 * @property {import("../lesson").LearnerRecord[]} records of the lessons, in their order
 */

/** Begins: the list of a course, or its only lesson. @type {(root: HTMLElement, course: CourseData, emitted: import("../types").Emitted) => void} */
export function startLessons(root, course, emitted) {
  const storage = lessonStorage(window);
  const records = course.lessons.map((lesson) => loadRecord(storage, lesson));
  const room = { root, course, emitted, storage, runner: labRunner(course, emitted), records };
  const route = (/** @type {boolean} */ focus) => {
    const place = course.lessons.length === 1 ? 0 : course.lessons.findIndex((lesson) => addressOf(lesson) === location.hash);
    if (place < 0) showList(room, focus);
    else openLesson(room, place, focus);
  };
  watchFigures();
  window.addEventListener("hashchange", () => route(true));
  route(false);
}

/** @type {(lesson: LessonData) => string} */
function addressOf(lesson) {
  return "#" + encodeURIComponent(lesson.name);
}

/** @type {(room: Classroom, said: Said) => string} */
function said(room, one) {
  return sayPhrase(room.course.phrases, one);
}

/** A phrase by name, with its facts. @type {(room: Classroom, phrase: string, facts?: Said["facts"]) => string} */
function words(room, phrase, facts = {}) {
  return said(room, { phrase, facts });
}

/** All lessons, and how far the learner is. @type {(room: Classroom, focus: boolean) => void} */
function showList(room, focus) {
  const { course, records } = room;
  const following = records.findIndex((record) => !record.finished);
  const rows = course.lessons.map((lesson, place) => {
    const record = records[place];
    const step = lesson.steps.findIndex((one) => one.name === record.at) + 1;
    const begun = step > 0 && (step > 1 || record.attempts.length > 0);
    const state = record.finished ? words(room, "page-finished")
      : begun ? words(room, "page-begun", { number: step, count: lesson.steps.length }) : "";
    const facts = { minutes: lesson.minutes, count: lesson.steps.filter(isGraded).length };
    return lessonNode("li", { class: record.finished ? "finished" : "", lang: lesson.language },
      lessonNode("a", { href: addressOf(lesson), ...(place === following ? { "aria-current": "step" } : {}) }, lesson.title),
      lessonNode("span", { class: "quiet" }, words(room, "page-minutes", facts), state && " · ", lessonNode("b", {}, state)),
      lessonNode("div", {}, ...proseNodes(lesson.summary)));
  });
  releaseFigures();
  const heading = lessonNode("h1", { tabindex: -1 }, words(room, "page-course"));
  room.root.replaceChildren(heading, lessonNode("p", {}, words(room, room.storage ? "page-kept" : "page-not-kept")),
    lessonNode("ol", { class: "lessons" }, ...rows), handIn(room, course.lessons));
  document.title = words(room, "page-course");
  if (focus) heading.focus();
}

/** @type {(room: Classroom, place: number, focus: boolean) => void} */
function openLesson(room, place, focus) {
  const lesson = room.course.lessons[place];
  document.title = lesson.title;
  const session = lessonSession(lesson, room.records[place]);
  const again = session.record.finished ? words(room, "review") : "";
  new LessonScreen(room, session, place).show(again, focus);
}

/**
 * What of the laboratory a step shows: its picture, and what it lets a learner change.
 * @type {(step: import("../lesson").RunStep) => import("../app/desk.js").LabOptions}
 */
function benchFor(step) {
  const changed = step.edit.flatMap(([path]) => LAB_PARTS[path.split(".")[0]] ?? []);
  return { parts: ["picture", "player", "verdict", step.plot, ...changed], panel: step.plot, heading: 3 };
}

/** One lesson on the screen. */
class LessonScreen {
  /**
   * @param {Classroom} room
   * @param {LessonSession} session
   * @param {number} place of the lesson in the course
   */
  constructor(room, session, place) {
    this.room = room;
    this.session = session;
    this.place = place;
    /** @type {AnswerForm | null} */
    this.form = null;
    this.said = lessonNode("div", { id: "lesson-said", role: "status", "aria-live": "polite" });
    this.hints = lessonNode("div", { class: "hints", "aria-live": "polite" });
    this.shown = lessonNode("div", { class: "shown" });
    this.buttons = lessonNode("div", { class: "moves" });
  }

  /** Keeps what was done; where that cannot be, the foot of the page says so. */
  keep() {
    if (!saveRecord(this.room.storage, this.session.lesson, this.session.record)) this.room.storage = null;
  }

  /**
   * Shows the step at hand, or the end.
   * @param {string} note what is said above it
   * @param {boolean} [focus] whether to go to its heading
   */
  show(note, focus = false) {
    const { room, session } = this;
    const { lesson } = session;
    this.keep();
    releaseFigures();
    const over = session.place >= lesson.steps.length;
    const heading = lessonNode("h2", { tabindex: -1, id: "lesson-step", onkeydown: (event) => this.enter(event) },
      over ? words(room, "page-end") : words(room, "page-step", { number: session.place + 1, count: lesson.steps.length }));
    const bar = lessonNode("progress", { max: lesson.steps.length, value: session.place, "aria-label": words(room, "page-progress") });
    const several = room.course.lessons.length > 1;
    const head = lessonNode("header", {}, ...(several ? [lessonNode("a", { href: "#" }, words(room, "page-lessons"))] : []),
      lessonNode("h1", {}, lesson.title), bar);
    for (const part of [this.said, this.hints, this.shown]) part.replaceChildren();
    const begun = lessonNode("section", { class: "step", "aria-labelledby": "lesson-step" }, heading);
    if (note) begun.append(lessonNode("p", { class: "note" }, note));
    begun.append(...(over ? this.ending() : this.asking()));
    room.root.replaceChildren(lessonNode("article", { class: "lesson", lang: lesson.language }, head, begun),
      handIn(room, [lesson], () => this.forget()));
    if (focus) {
      heading.focus({ preventScroll: true });
      window.scrollTo(0, 0);
    }
  }

  /** What stands at the end. @type {() => Node[]} */
  ending() {
    const { room } = this;
    const next = room.course.lessons[this.place + 1];
    this.form = null;
    const on = next
      ? [lessonNode("p", {}, lessonNode("a", { href: addressOf(next), class: "primary" }, words(room, "next-lesson", { title: next.title })))]
      : [];
    const again = lessonNode("button", { type: "button", onclick: () => this.back() }, words(room, "page-back"));
    return [...on, lessonNode("div", { class: "moves" }, again)];
  }

  /** The step at hand. @type {() => Node[]} */
  asking() {
    const { room, session } = this;
    const step = stepAtHand(session);
    /** @type {Node[]} */
    const nodes = session.place ? [] : [lessonNode("div", { class: "summary" }, ...proseNodes(session.lesson.summary))];
    nodes.push(...proseNodes(step.prose));
    if ("picture" in step) nodes.push(lessonPicture(step));
    else if (step.kind === "figure") nodes.push(lessonFigure(room.runner(step.lab, {}), step.plot, step, room.course.phrases));
    if (step.kind === "tune") {
      const { verdict, within } = step.goal;
      const facts = { verdict: verdict.join(" / ").replaceAll("_", " "), within };
      nodes.push(lessonNode("p", { class: "goal" }, words(room, within === null ? "goal" : "goal-with-steps", facts)));
    }
    this.form = answerForm(step, room.course.phrases, (typed) => this.answer(typed));
    if (this.form) nodes.push(this.form.element);
    const before = answeredBefore(session);
    if (before) {
      this.say(said(room, before), "quiet");
      if (step.kind === "predict") this.reveal(null);
    }
    this.showButtons();
    return [...nodes, this.hints, this.said, this.shown, this.buttons];
  }

  /** @type {() => void} */
  showButtons() {
    const { room, session } = this;
    const step = stepAtHand(session);
    const button = (/** @type {string} */ phrase, /** @type {() => void} */ act, disabled = false, kind = "") =>
      lessonNode("button", { type: "button", class: kind, disabled, onclick: act }, words(room, phrase));
    const hints = step.hints?.length ?? 0;
    const made = [button("page-back", () => this.back(), session.place === 0)];
    if (hints) made.push(button("page-hint", () => this.hint(), session.hints >= hints));
    if (isGraded(step) && step.kind !== "predict") made.push(button("page-solution", () => this.solve()));
    made.push(session.passed
      ? button("page-next", () => this.forward(goForward), false, "primary next")
      : button("page-skip", () => this.forward(skipStep), false, "next"));
    this.buttons.replaceChildren(...made);
  }

  /** Enter on the heading goes on, or to the answer. @type {(event: Event) => void} */
  enter(event) {
    if (/** @type {KeyboardEvent} */ (event).key !== "Enter") return;
    event.preventDefault();
    if (this.form && !this.session.passed) this.form.focus();
    else this.toNext();
  }

  /** @type {() => void} */
  toNext() {
    /** @type {HTMLElement | null} */ (this.room.root.querySelector(".next, a.primary"))?.click();
  }

  /** @type {() => void} */
  back() {
    goBack(this.session);
    this.show("", true);
  }

  /** @type {(step: (session: LessonSession) => Said | null) => void} */
  forward(step) {
    const one = step(this.session);
    this.show(one ? said(this.room, one) : "", true);
  }

  /** Says something below the answer. @type {(text: string, tone: string, ...more: Node[]) => void} */
  say(text, tone, ...more) {
    this.said.replaceChildren(lessonNode("p", { class: tone }, text), ...more);
  }

  /** @type {() => void} */
  hint() {
    const markup = nextHint(this.session);
    if (markup === null) return;
    const { hints } = this.session;
    const count = stepAtHand(this.session).hints?.length ?? 0;
    const head = lessonNode("p", { class: "hint" }, words(this.room, "hint", { number: hints, count }));
    this.hints.append(lessonNode("div", {}, head, ...proseNodes(markup)));
    const focused = this.buttons.contains(document.activeElement);
    this.showButtons();
    if (focused) /** @type {HTMLElement} */ (this.buttons.querySelectorAll("button")[hints < count ? 1 : 2] ?? this.said).focus();
  }

  /** @type {() => void} */
  solve() {
    const step = stepAtHand(this.session);
    seeSolution(this.session);
    this.keep();
    const markup = step.texts?.solution ?? "";
    this.say(words(this.room, "solution", { answer: step.written ?? "" }), "hint", ...proseNodes(markup));
    this.showButtons();
    this.focusNext();
  }

  /** Goes to the button that goes on, with what was said in sight. @type {() => void} */
  focusNext() {
    /** @type {HTMLElement | null} */ (this.buttons.querySelector(".next"))?.focus({ preventScroll: true });
    this.said.scrollIntoView({ block: "nearest" });
  }

  /** Takes an answer; in a step without one, makes its run. @type {(typed: string) => void} */
  answer(typed) {
    const step = stepAtHand(this.session);
    try {
      if (step.kind === "run") return this.tried(step, typed);
      this.judged(takeAnswer(this.session, typed, this.room.runner));
    } catch (error) {
      this.say(words(this.room, "unread", { fault: this.fault(error) }), "wrong");
    }
    return undefined;
  }

  /** What could not be read, and at which sign. @type {(error: unknown) => string} */
  fault(error) {
    if (!(error instanceof FormulaError)) throw error;
    const { column, sentence } = error;
    return sentence + (column ? " " + words(this.room, "at-sign", { column }) : "");
  }

  /** Makes a run, and gives the laboratory to go on with it. @type {(step: import("../lesson").RunStep, typed: string) => void} */
  tried(step, typed) {
    const { course, emitted } = this.room;
    const settings = typed ? settingsIn(typed, step.edit.map(([path]) => path)) : {};
    const lab = labWith(course.labs[step.lab], emitted, settings);
    this.session.passed = true;
    const place = lessonNode("div", { lang: "en" });
    this.shown.replaceChildren(place, ...proseNodes(step.texts?.reveal ?? ""));
    const { outcome } = mountLab(place, lab, emitted, benchFor(step)).desk;
    if (step.edit.every(([path]) => path.split(".")[0] in LAB_PARTS)) this.form?.element.remove(); // the laboratory has its own
    this.say(outcome.verdict.kind.replaceAll("_", " ") + ". " + outcome.verdict.sentence, "plain hidden");
    this.showButtons();
    this.focusNext();
  }

  /** Says what came of an answer, and goes to what is next. @type {(judged: Judgement) => void} */
  judged(judged) {
    const { room, session } = this;
    this.keep();
    const more = [];
    if (judged.misconception) {
      more.push(lessonNode("p", { class: "hint" }, words(room, "misconception-" + judged.misconception)));
    }
    const texts = stepAtHand(session).texts ?? {};
    if (judged.part) more.push(...proseNodes(texts[judged.part] ?? ""));
    if (!session.passed && session.misses >= PATIENCE) {
      more.push(lessonNode("p", { class: "quiet" }, words(room, "offer-help")));
    }
    const facts = Object.fromEntries(Object.entries(judged.facts).map(
      ([name, value]) => [name, typeof value === "string" ? value.replaceAll("_", " ") : value]));
    this.say(words(room, judged.phrase, facts), judged.right ? "right" : "wrong", ...more);
    if (judged.outcome || stepAtHand(session).kind === "predict") this.reveal(judged.outcome);
    this.showButtons();
    if (session.passed && judged.right !== null) this.focusNext();
  }

  /**
   * Shows a run: that of a prediction, or one that was just made.
   * @type {(outcome: import("../types").Outcome | null) => void}
   */
  reveal(outcome) {
    const { room, session } = this;
    const step = stepAtHand(session);
    if (!("lab" in step) || (step.kind === "predict" && !session.passed)) return;
    const made = outcome ?? room.runner(step.lab, {});
    const texts = step.texts?.reveal;
    this.shown.replaceChildren(...(step.plot ? [lessonFigure(made, step.plot, null, room.course.phrases)] : []),
      verdictNode(made), ...(texts && session.passed ? proseNodes(texts) : []));
  }

  /** Begins the lesson anew, where the learner says so. @type {() => void} */
  forget() {
    if (!confirm(words(this.room, "page-forget-really"))) return;
    this.room.records[this.place] = emptyRecord();
    this.session = lessonSession(this.session.lesson, this.room.records[this.place]);
    this.show("", true);
  }
}

/**
 * What is handed in, folded away.
 * @type {(room: Classroom, lessons: LessonData[], forget?: () => void) => HTMLElement}
 */
function handIn(room, lessons, forget) {
  const name = lessonNode("input", { type: "text", autocomplete: "name", maxlength: 200 });
  const nonce = lessonNode("input", { type: "text", autocomplete: "off", maxlength: 200 });
  const taken = () => lessons.map((lesson) => /** @type {[LessonData, import("../lesson").LearnerRecord]} */ (
    [lesson, room.records[room.course.lessons.indexOf(lesson)]]));
  const stem = lessons.length === 1 ? lessons[0].name : "lessons";
  const transcript = () => {
    const begun = taken().filter(([, record], _, all) => all.length === 1 || record.attempts.length > 0);
    handOver(stem + ".md", "text/markdown", begun.map(([lesson, record]) => lessonTranscript(lesson, record)).join("\n"));
  };
  const receipt = () => handOver(stem + ".json", "application/json",
    lessonReceipt(taken(), name.value.trim(), nonce.value.trim() || String(Math.random()).slice(2)));
  const button = (/** @type {string} */ phrase, /** @type {() => void} */ act) =>
    lessonNode("button", { type: "button", onclick: act }, words(room, phrase));
  return lessonNode("details", { class: "hand-in" }, lessonNode("summary", {}, words(room, "page-hand-in")),
    lessonNode("p", { class: "quiet" }, words(room, room.storage ? "page-kept" : "page-not-kept")),
    lessonNode("label", { class: "ask" }, lessonNode("span", {}, words(room, "page-learner")), name),
    lessonNode("label", { class: "ask" }, lessonNode("span", {}, words(room, "page-nonce")), nonce),
    lessonNode("div", { class: "moves" }, button("page-transcript", transcript), button("page-receipt", receipt),
      ...(forget ? [button("page-forget", forget)] : [])));
}
