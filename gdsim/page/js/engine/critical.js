/**
 * Critical points of a loss: where every ∂L/∂w is zero or the loss has a kink, and what each one is.
 *
 * Found by sampling: nothing is proved. Python's certified search stands in the page for the scenario's own
 * loss and parameters.
 *
 * What it cannot know: zeros nearer together than the samples tell (w²·sin(1/w) near 0); the place of a zero of
 * high order in a formula written out, where rounding hides it (w⁶ − 6w⁵ + … + 1 is off by 7·10⁻⁵, its order is not
 * told); the order of a zero at which f″ jumps; which place of a curved flat piece is its middle; kinks of several
 * weights, and flat pieces that end in them.
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
