// What happened and why: in words, in numbers, and for those who listen.

import { writeNumber } from "../engine/words.js";
import { make, setAttribute, setText } from "./elements.js";
import { endOf } from "./model.js";

/** @import {Outcome, Status} from "../types.js" */
/** @import {Desk} from "./desk.js" */
/** @import {Part} from "./fields.js" */

const QUIET_FOR = 700; // milliseconds without a change, after which the verdict is read out

/**
 * The kind of a verdict as people say it.
 * @param {Outcome} outcome
 * @returns {string}
 */
function verdictWords({ verdict, trajectory }) {
  /** @type {Record<string, string>} */
  const words = { inflection: "inflection (saddle)", cycle: "cycle of " + verdict.period, still_moving: trajectory.steps === 0 ? "not arrived" : "still moving", nonfinite: "not finite", no_minimum: "no minimum" };
  return words[verdict.kind] ?? verdict.kind;
}

/**
 * @param {Status} status
 * @returns {string}
 */
function statusWords(status) {
  return status === "MAX_STEPS" ? "all steps taken" : status === "NONFINITE" ? "not finite" : status.toLowerCase();
}

/**
 * @param {Outcome} outcome
 * @returns {string}
 */
function numbersOf({ problem, trajectory }) {
  const end = endOf(trajectory), { steps, status } = trajectory;
  const weights = problem.loss.weights.map((name, place) => name + " = " + writeNumber(end[place]));
  return [
    statusWords(status) + " after " + steps + (steps === 1 ? " step" : " steps"), ...weights,
    "L = " + writeNumber(trajectory.loss[steps]),
  ].join(", ");
}

/**
 * @param {Desk} desk
 * @returns {Part}
 */
export function verdictCard(desk) {
  const heading = make("h" + (desk.options.heading ?? 2) === "h3" ? "h3" : "h2", { class: "kind" });
  const sentence = make("p", { class: "sentence" }), remedy = make("p", { class: "remedy" });
  const numbers = make("p", { class: "numbers" }), rival = make("p", { class: "rival-verdict" });
  const live = make("p", { class: "hidden", "aria-live": "polite", role: "status" });
  let said = "", timer = 0;
  const say = (/** @type {string} */ text) => {
    if (text === said) return;
    if (said === "") { // the first one stands on the page
      said = text;
      return;
    }
    said = text;
    clearTimeout(timer);
    timer = setTimeout(() => setText(live, text), QUIET_FOR);
  };
  const element = make("section", { class: "verdict", "aria-label": "Verdict" }, heading, sentence, remedy, numbers, rival, live);
  return {
    element,
    update() {
      const { verdict } = desk.outcome;
      setText(heading, verdictWords(desk.outcome));
      setAttribute(element, "data-kind", verdict.kind);
      setText(sentence, verdict.sentence);
      setText(remedy, verdict.remedy);
      setText(numbers, numbersOf(desk.outcome));
      setText(rival, desk.rival ? "Second rule, " + desk.state.rival.replace(/_/g, " ") + ": "
        + verdictWords(desk.rival) + " – " + numbersOf(desk.rival) : "");
      say(verdictWords(desk.outcome) + ". " + verdict.sentence + " " + verdict.remedy);
    },
  };
}
