// The desk of one laboratory: what is set, what came of it, and who wants to know.

import { readFragment, writeFragment } from "./fragment.js";
import { modelOf } from "./model.js";
import { isAnalytic } from "./reading.js";

/** @import {Emitted, LabData, Loss, Outcome, State} from "../types.js" */
/** @import {Model} from "./model.js" */

/**
 * What a laboratory shows and does.
 * @typedef {object} LabOptions
 * @property {string[]} [parts] the parts to show, by the names of `--hide`; all where left out
 * @property {string[]} [hide] parts to leave out
 * @property {boolean} [address] whether the state is kept in the fragment of the address
 * @property {string} [panel] the panel that is open at first
 * @property {number} [heading] the level of its headings, from 2
 * @property {Partial<State>} [state] what is set at first, over the file
 * @property {(outcome: Outcome, state: State) => void} [onRun] is told of every run
 */

/** @typedef {"run" | "view" | "theme"} Change what has changed: the outcome, what is shown of it, or the colours */

/**
 * @typedef {object} Desk
 * @property {string} id distinguishes the laboratories of a page
 * @property {LabData} lab
 * @property {Emitted} emitted
 * @property {Model} model
 * @property {State} state never changed in place
 * @property {Outcome} outcome
 * @property {Outcome | null} rival
 * @property {boolean} atEnd whether the last step is shown, whatever its number
 * @property {string} panel the panel that is open, or ""
 * @property {LabOptions} options
 * @property {() => Loss} loss the loss in force
 * @property {(part: string) => boolean} shows
 * @property {(change: Partial<State>) => void} set changes the state; the rest follows with the next frame
 * @property {(step: number) => void} show shows a step
 * @property {(panel: string) => void} open
 * @property {() => void} reset
 * @property {(listener: (change: Change) => void) => void} listen
 * @property {(change: Change) => void} tell
 * @property {() => void} settle computes at once what is due
 */

let labsMade = 0;
const LONGEST_TITLE = 80; // characters of a formula
const SLOW = 40; // milliseconds that a run may take to be computed with every frame

/**
 * @param {LabData} lab
 * @param {Emitted} emitted
 * @param {LabOptions} options
 * @returns {Desk}
 */
export function deskOf(lab, emitted, options) {
  const model = modelOf(lab, emitted);
  const hidden = new Set(options.hide ?? []);
  const first = firstState(model, emitted, options);
  first.state = withDerivative(model, first.state);
  /** @type {((change: Change) => void)[]} */
  const listeners = [];
  /** @type {Desk} */
  const desk = {
    id: "lab" + ++labsMade, lab, emitted, model, options,
    state: first.state,
    atEnd: !first.step,
    panel: first.panel,
    outcome: model.outcomeOf(first.state),
    rival: first.state.rival ? model.rivalOf(first.state) : null,
    loss: () => desk.outcome.problem.loss,
    shows: (part) => !hidden.has(part) && (!options.parts || options.parts.includes(part)),
    listen: (listener) => void listeners.push(listener),
    tell: (change) => listeners.forEach((listener) => listener(change)),
    set: () => {}, show: () => {}, open: () => {}, reset: () => {}, settle: () => {},
  };
  desk.state = { ...desk.state, step: deskStep(desk) };
  setInMotion(desk);
  return desk;
}

/**
 * What is shown, by name: the scenario's title, or the loss that the reader typed.
 * @param {Pick<Desk, "lab" | "state" | "outcome">} desk
 * @returns {string}
 */
export function titleOf({ lab, state, outcome }) {
  if (!state.formula) return lab.title;
  const { text, weights } = outcome.problem.loss, signs = [...text];
  const shown = signs.length > LONGEST_TITLE ? signs.slice(0, LONGEST_TITLE - 1).join("") + "…" : text;
  return "L(" + weights.join(", ") + ") = " + shown;
}

/**
 * @param {Model} model
 * @param {Emitted} emitted
 * @param {LabOptions} options
 * @returns {import("./fragment.js").Address}
 */
function firstState(model, emitted, options) {
  const begun = { ...model.base, ...options.state };
  if (!options.address) return { state: begun, panel: options.panel ?? "", step: options.state?.step !== undefined };
  const said = readFragment(location.hash, begun, emitted, model.lossOfText, model.stateFor);
  return { ...said, panel: said.panel || (options.panel ?? "") };
}

/**
 * The complex step wants an analytic loss; for another one the exact slope takes its place.
 * @param {Model} model
 * @param {State} state
 * @returns {State}
 */
function withDerivative(model, state) {
  const loss = state.derivative === "complex_step" ? model.lossOfText(state.formula) : null;
  return loss && !isAnalytic(loss) ? { ...state, derivative: "exact" } : state;
}

/**
 * @param {Desk} desk
 * @returns {number}
 */
function deskStep(desk) {
  const { steps } = desk.outcome.trajectory;
  return desk.atEnd ? steps : Math.min(Math.max(0, desk.state.step), steps);
}

/**
 * @param {Desk} desk
 */
function setInMotion(desk) {
  const { model, options } = desk;
  let due = false, cost = 0, waiting = 0, frame = 0;
  const compute = () => {
    desk.state = withDerivative(desk.model, desk.state);
    const before = performance.now();
    desk.outcome = model.outcomeOf(desk.state);
    desk.rival = desk.state.rival ? model.rivalOf(desk.state) : null;
    cost = performance.now() - before;
    due = false;
    desk.state = { ...desk.state, step: deskStep(desk) };
    options.onRun?.(desk.outcome, desk.state);
  };
  desk.settle = () => {
    cancelAnimationFrame(frame);
    clearTimeout(waiting);
    frame = waiting = 0;
    const change = due ? "run" : "view";
    if (due) compute();
    desk.tell(change);
  };
  const schedule = () => {
    if (due && cost > SLOW) {
      clearTimeout(waiting);
      waiting = setTimeout(desk.settle, 2 * SLOW);
    } else frame ||= requestAnimationFrame(desk.settle);
  };
  desk.set = (change) => {
    const keys = /** @type {(keyof State)[]} */ (Object.keys(change));
    if (keys.every((key) => same(desk.state[key], change[key]))) return;
    due ||= keys.some((key) => key !== "step" && key !== "logH");
    desk.state = { ...desk.state, ...change };
    if (!due && change.step !== undefined) {
      desk.atEnd = change.step >= desk.outcome.trajectory.steps;
      desk.state.step = deskStep(desk);
    }
    schedule();
  };
  desk.show = (step) => desk.set({ step: Math.min(Math.max(0, step), desk.outcome.trajectory.steps) });
  desk.open = (panel) => {
    desk.panel = panel;
    schedule();
  };
  desk.reset = () => {
    desk.atEnd = true;
    due = true;
    desk.state = { ...model.base, ...options.state };
    desk.settle();
  };
  if (options.address) keepAddress(desk);
}

/**
 * @param {unknown} one
 * @param {unknown} other
 * @returns {boolean}
 */
function same(one, other) {
  if (typeof one !== "object" || typeof other !== "object") return Object.is(one, other);
  return JSON.stringify(one) === JSON.stringify(other);
}

/**
 * Writes the state into the address, not more often than browsers allow, and reads it where the reader changes it.
 * @param {Desk} desk
 */
function keepAddress(desk) {
  const { emitted, model } = desk;
  let timer = 0, written = location.hash.replace(/^#/, "");
  const write = () => {
    timer = 0;
    const shown = { step: !desk.atEnd, panel: desk.panel === (desk.options.panel ?? "") ? "" : desk.panel };
    const text = writeFragment(desk.state, model.base, model.lossOfText, shown);
    if (text === written) return;
    written = text;
    try {
      history.replaceState(null, "", text ? "#" + text : location.pathname + location.search);
    } catch {
      // a browser that lets no page of a file change its address: the state is then not kept there
    }
  };
  desk.listen((change) => {
    if (change !== "theme") timer ||= setTimeout(write, 300);
  });
  addEventListener("hashchange", () => {
    if (location.hash.replace(/^#/, "") === written) return;
    const said = readFragment(location.hash, model.base, emitted, model.lossOfText, model.stateFor);
    desk.panel = said.panel || desk.panel;
    desk.atEnd = !said.step;
    desk.set(said.state);
  });
}
