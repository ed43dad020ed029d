/**
 * Critical points of a loss: where every ∂L/∂w is zero or the loss has a kink, and what each one is.
 *
 * Found by sampling: nothing is proved. Python's certified search stands in the page for the scenario's own
 * loss and parameters.
 */
import { criticalInSpace } from "./critical_space.js";
import { criticalOnLine } from "./critical_line.js";

/** @typedef {import("../types.js").Interval} Interval */
/** @typedef {import("../types.js").Loss} Loss */
/** @typedef {import("../types.js").Numbers} Numbers */
/** @typedef {import("../types.js").Search} Search */

/** What in a formula may bring kinks or poles: with several weights they are not sought. */
const SWITCHES = /\b(?:abs|sign|relu|max|min|huber|where|sqrt|log2?|log10|tan)\b|\/\s*\(?\s*[^\d\s(]|\^\s*(?:\(|-|\d+\.)/;

/**
 * Find and classify the critical points of a loss in a box.
 * @param {Loss} loss
 * @param {number[]} parameters
 * @param {Numbers[]} data
 * @param {Interval[]} domain
 * @param {number[][]} [extraStarts] more places to look at, as the last weight of a run
 * @returns {Search}
 */
export function findCritical(loss, parameters, data, domain, extraStarts = []) {
  if (domain.length === 1) {
    const points = criticalOnLine(loss, parameters, data, domain[0], extraStarts.map(([at]) => at));
    return { domain, points, complete: false, open: false };
  }
  const points = criticalInSpace(loss, parameters, data, domain, extraStarts);
  return { domain, points, complete: false, open: SWITCHES.test(loss.text) };
}
