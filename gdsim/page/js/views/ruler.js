// The learning-rate ruler: where η stands against 1/L and the limit of the rule.
/** @import {Scale} from "../draw/scale.js" */
/** @import {Box, Colour, CriticalPoint, Item, Outcome, Problem, Scene, State} from "../types.js" */
import { lineItem, textItem } from "../draw/items.js";
import { linearScale, logScale, shortNumber, ticksOf } from "../draw/scale.js";
import { textWidth } from "../draw/shapes.js";
import { stableFactor } from "../engine/story.js";
import { writePlace } from "../engine/words.js";
import { shownStep, wordsScene } from "./points.js";

const ROOM_BEYOND = 1.5; // of the limit: how far a linear ruler reaches
const RULER_TEXT = 13;
const LEAST_RATE = 1e-307; // where a ruler by powers of ten ends

/**
 * Where the rate stands: `rate` at the step that is shown, `one` is 1/L, `bound` the largest stable rate;
 * `names` of the bands, `ends` of all but the last.
 * @typedef {{rate: number, one: number, bound: number, factor: string, where: string, names: string[], ends: number[],
 *   band: string}} Standing
 */

/**
 * @param {Problem} problem
 * @returns {string}
 */
function whyNoLimit({ rule, lineSearch }) {
  if (lineSearch) return "line search chooses the learning rate of each step by itself";
  if (rule.options.weight_decay) return "weight decay moves the place where the run comes to rest";
  return `2/L says nothing about the rule ${rule.name}, whose steps are not η times the gradient`;
}

/**
 * The curved minimum where the run settled, or else the nearest to the start.
 * @param {Outcome} outcome
 * @returns {CriticalPoint | null}
 */
function ruledMinimum({ search, verdict, problem }) {
  const far = (/** @type {CriticalPoint} */ { weight }) => Math.hypot(...weight.map((one, k) => one - problem.start[k]));
  const settled = verdict.kind === "minimum" && verdict.point;
  const [point] = (settled ? [settled] : search.points).filter(({ kind, curvature }) => {
    const most = Math.max(0, ...curvature);
    return kind === "minimum" && most > 0 && most < Infinity;
  }).sort((a, b) => far(a) - far(b));
  return point ?? null;
}

/**
 * @param {Outcome} outcome
 * @param {State} state
 * @returns {Standing | string} or why there is no ruler
 */
export function standingOf(outcome, state) {
  const { problem, trajectory } = outcome, factor = stableFactor(problem);
  if (factor === null) return whyNoLimit(problem);
  const point = ruledMinimum(outcome);
  if (!point) return "no minimum with a curvature L is known from which 2/L could be measured";
  const one = 1 / Math.max(...point.curvature), bound = factor * one;
  const shown = trajectory.rate[shownStep(trajectory, state)], rate = shown > 0 && shown < Infinity ? shown : problem.rate.initial;
  const plain = problem.rule.name === "gradient_descent";
  const names = plain ? ["monotone", "oscillating", "diverging"] : ["comes closer", "diverging"], ends = plain ? [one, bound] : [bound];
  return {
    rate, one, bound, names, ends, factor: factor === 2 ? "2" : shortNumber(factor, 3), where: writePlace(problem.loss.weights, point.weight),
    band: rate >= bound ? "diverging" : names[rate <= one || !plain ? 0 : 1],
  };
}

/**
 * From 0 where η can be seen beside the limit, else by powers of ten, with room for words on both sides.
 * @param {Standing} stand
 * @param {number} from
 * @param {number} to
 * @returns {Scale}
 */
function rulerScale({ rate, one, bound }, from, to) {
  if (rate <= ROOM_BEYOND * bound && (rate >= bound / 100 || rate === 0)) return linearScale(0, ROOM_BEYOND * bound, from, to);
  const low = Math.min(rate / 2, one / 4), high = Math.max(2 * rate, 4 * bound);
  const least = Math.max(LEAST_RATE, Math.min(low, one * Math.sqrt(bound / high)));
  return logScale(least, Math.max(high, bound * Math.sqrt(one / low)), from, to);
}

/**
 * @param {Outcome} outcome
 * @param {State} state
 * @param {Box} box
 * @returns {Scene}
 */
export function rulerView(outcome, state, box) {
  const stand = standingOf(outcome, state);
  if (typeof stand === "string") return wordsScene(box, "No ruler: " + stand + ".");
  const { rate, one, bound, factor, where, band } = stand, size = RULER_TEXT, left = 14, right = box.width - left;
  const top = 2 * size + 22, bottom = Math.max(top + 24, Math.min(box.height - 4 * size - 20, top + 64));
  const scale = rulerScale(stand, left, right), x = scale.at(rate), text = "η = " + shortNumber(rate);
  const items = [
    lineItem([x, 20, x, bottom], "path", 2.5), ...drawRateBands(stand, scale, top, bottom), ...drawRateLimits(stand, scale, bottom),
    textItem(keptInside(text, x, left - 10, right + 10), 12, text, "path", size, { anchor: "middle", bold: true }),
    /** @type {Item} */ ({ kind: "area", points: [x - 7, bottom + 11, x + 7, bottom + 11, x, bottom - 3], colour: "path", opacity: 1 }),
    textItem(left, bottom + 3.5 * size + 6, `L = ${shortNumber(1 / one)} at the minimum ${where}`, "quiet", size - 1),
  ];
  return {
    ...box, items,
    label: `Learning-rate ruler: 1/L = ${shortNumber(one)}, limit ${factor}/L = ${shortNumber(bound)}. `
      + (outcome.ruler ? outcome.ruler.sentence : `η = ${shortNumber(rate)} stands in the band “${band}”.`),
    pick: (px) => {
      const picked = scale.back(Math.max(left, Math.min(right, px)));
      return picked > 0 ? { rate: Number(picked.toPrecision(3)) } : null;
    },
  };
}

/**
 * The middle of a text, moved so that it stays between two edges.
 * @param {string} text
 * @param {number} x
 * @param {number} left
 * @param {number} right
 * @returns {number}
 */
function keptInside(text, x, left, right) {
  const half = textWidth(text, RULER_TEXT, true) / 2;
  return Math.max(left + half, Math.min(right - half, x));
}

/**
 * @param {Standing} stand
 * @param {Scale} scale
 * @param {number} top
 * @param {number} bottom
 * @returns {Item[]}
 */
function drawRateBands({ names, ends, rate }, scale, top, bottom) {
  const edges = [scale.from, ...ends.map(scale.at), scale.to], now = scale.at(rate);
  /** @type {Colour[]} */
  const colours = ["converged", "cycling", "diverged"];
  if (names.length < 3) colours.splice(1, 1);
  let above = -Infinity;
  return names.flatMap((text, k) => {
    const from = edges[k], to = edges[k + 1], wide = textWidth(text, RULER_TEXT, true);
    const x = keptInside(text, (from + to) / 2, scale.from, scale.to);
    // A word that its band cannot hold stands above it, on a line of its own; η's line leaves a word out.
    const y = wide + 6 <= to - from ? (top + bottom) / 2 : top - 9, crossed = Math.abs(now - x) < wide / 2 + 3;
    const area = /** @type {Item} */ ({ kind: "area", points: [from, top, to, top, to, bottom, from, bottom], colour: colours[k], opacity: 0.26 });
    if (y < top && x - wide / 2 < above + 6) return [area]; // no room beside the word of the band before
    if (y < top) above = x + wide / 2;
    return [
      area,
      textItem(x, y, text, "ink", RULER_TEXT, { anchor: "middle", bold: true, halo: crossed }),
    ];
  });
}

/**
 * @param {Standing} stand
 * @param {Scale} scale
 * @param {number} bottom
 * @returns {Item[]}
 */
function drawRateLimits({ ends, factor }, scale, bottom) {
  const size = RULER_TEXT, { from, to } = scale, ticks = ticksOf(scale, Math.max(2, to / 90));
  /** @type {Item[]} */
  const items = [lineItem([from, bottom, to, bottom], "ink", 1)];
  ticks.values.forEach((value, k) => {
    const x = scale.at(value), text = ticks.labels[k] + (value ? ticks.factor : "");
    items.push(lineItem([x, bottom, x, bottom + 5], "ink", 1));
    if (ends.some((end) => Math.abs(scale.at(end) - x) < textWidth(text, size) / 2 + 3)) return;
    items.push(textItem(keptInside(text, x, 0, to + from), bottom + 20, text, "quiet", size - 1, { anchor: "middle" }));
  });
  ends.forEach((end, k) => {
    const x = scale.at(end), before = k < ends.length - 1, text = `${before ? 1 : factor}/L = ${shortNumber(end)}`;
    const reach = textWidth(text, size) + 6;
    items.push(
      lineItem([x, bottom + 2 * size + 16, x, bottom - 40], "limit", 1.5, { dash: "dashed" }),
      textItem(before ? Math.max(reach, x - 4) : Math.min(to + from - reach, x + 4), bottom + 1.6 * size + 15, text, "ink", size,
        { anchor: before ? "end" : "start", halo: true }),
    );
  });
  return items;
}
