// The learning-rate ruler: where η stands against 1/L and the limit of the rule.

import { linearScale, logScale, shortNumber, ticksOf } from "../draw/scale.js";
import { textWidth } from "../draw/shapes.js";
import { stableFactor } from "../engine/story.js";
import { writePlace } from "../engine/words.js";
import { presentRecord } from "./secants.js";
import { messageScene } from "./words_scene.js";

/** @import {Scale} from "../draw/scale.js" */
/** @import {Box, Colour, CriticalPoint, Item, Outcome, Problem, Scene, State} from "../types.js" */

const ROOM_BEYOND = 1.5; // of the limit: how far a linear ruler reaches
const RULER_LETTERS = 13;

/**
 * Where the rate stands.
 * @typedef {object} Standing
 * @property {number} rate at the step that is shown
 * @property {number} one 1/L
 * @property {number} bound the largest stable rate
 * @property {string} factor of 1/L that gives the bound, as text
 * @property {boolean} plain gradient descent: the approach turns at 1/L
 * @property {string} where the minimum, in words
 * @property {keyof typeof BAND_SENTENCES} band
 */

/**
 * Why 2/L says nothing about a rule.
 * @param {Problem} problem
 * @returns {string}
 */
function whyNoLimit({ rule, lineSearch }) {
  if (lineSearch) return "line search chooses the learning rate of each step by itself";
  if (rule.options.weight_decay) return "weight decay moves the place where the run comes to rest";
  return `2/L says nothing about the rule ${rule.name}, whose steps are not η times the gradient`;
}

/**
 * The minimum whose ruler is shown: where the run settled, or else the nearest to the start that is curved.
 * @param {Outcome} outcome
 * @returns {CriticalPoint | null}
 */
export function ruledMinimum(outcome) {
  const { search, verdict, problem } = outcome;
  /** @param {CriticalPoint} point */
  const curved = (point) => {
    const most = Math.max(0, ...point.curvature);
    return point.kind === "minimum" && most > 0 && most < Infinity;
  };
  if (verdict.point && verdict.kind === "minimum") return curved(verdict.point) ? verdict.point : null;
  /** @param {CriticalPoint} point */
  const far = (point) => Math.hypot(...point.weight.map((weight, index) => weight - problem.start[index]));
  const minima = search.points.filter(curved).sort((a, b) => far(a) - far(b));
  return minima.length ? minima[0] : null;
}

/**
 * @param {Outcome} outcome
 * @param {State} state
 * @returns {Standing | string} or why there is no ruler
 */
export function standingOf(outcome, state) {
  const { problem, trajectory } = outcome;
  const factor = stableFactor(problem);
  if (factor === null) return whyNoLimit(problem);
  const point = ruledMinimum(outcome);
  if (!point) {
    const settled = outcome.verdict.kind === "minimum" ? "the minimum has no curvature L" : "no minimum with a curvature L is known";
    return `${settled} from which 2/L could be measured`;
  }
  const one = 1 / Math.max(...point.curvature);
  const bound = factor * one;
  const shown = trajectory.rate[presentRecord(outcome, state)];
  const rate = shown > 0 && shown < Infinity ? shown : problem.rate.initial;
  const plain = problem.rule.name === "gradient_descent";
  const band = rate >= bound ? "diverging" : !plain ? "closer" : rate <= one ? "monotone" : "oscillating";
  return {
    rate, one, bound, plain, band, factor: factor === 2 ? "2" : shortNumber(factor, 3),
    where: writePlace(problem.loss.weights, point.weight),
  };
}

/**
 * The ends of the ruler: from 0 where η can be seen beside the limit, else by powers of ten.
 * @param {Standing} stand
 * @param {number} from
 * @param {number} to
 * @returns {Scale}
 */
function rulerScale({ rate, one, bound }, from, to) {
  if (rate <= ROOM_BEYOND * bound && rate >= bound / 100) return linearScale(0, ROOM_BEYOND * bound, from, to);
  // Below 1/L and beyond the limit there is room for a word, however far away η lies.
  const low = Math.min(rate / 2, one / 4), high = Math.max(2 * rate, 4 * bound);
  return logScale(Math.min(low, one * (bound / high) ** 0.5), Math.max(high, bound * (one / low) ** 0.5), from, to);
}

/**
 * @param {Outcome} outcome
 * @param {State} state
 * @param {Box} box
 * @returns {Scene}
 */
export function rulerView(outcome, state, box) {
  const stand = standingOf(outcome, state);
  if (typeof stand === "string") return messageScene(box, "No ruler: " + stand + ".");
  const { width, height } = box;
  const size = RULER_LETTERS;
  const left = 14, right = width - 14;
  const top = 2 * size + 22, bottom = Math.max(top + 24, Math.min(height - 4 * size - 20, top + 64));
  const scale = rulerScale(stand, left, right);
  const bands = drawBands(stand, scale, top, bottom);
  const items = [...bands, ...drawLimits(stand, scale, bottom, width), ...drawRate(stand, scale, bands, bottom)];
  const text = `L = ${shortNumber(1 / stand.one)} at the minimum ${stand.where}`;
  items.push({ kind: "text", x: left, y: bottom + 3 * size + 6, text, colour: "quiet", size: size - 1, baseline: "top" });
  const sentence = outcome.ruler ? outcome.ruler.sentence : `η = ${shortNumber(stand.rate)} ${BAND_SENTENCES[stand.band]}.`;
  return {
    width, height, items,
    label: `Learning-rate ruler: 1/L = ${shortNumber(stand.one)}, limit ${stand.factor}/L = ${shortNumber(stand.bound)}. ${sentence}`,
    pick: (x) => {
      const rate = scale.back(Math.max(left, Math.min(right, x)));
      return rate > 0 ? { rate: Number(rate.toPrecision(3)) } : null;
    },
  };
}

const BAND_SENTENCES = {
  monotone: "is at most 1/L: near the minimum steps come in from one side",
  oscillating: "lies between 1/L and the limit: steps overshoot and still come closer",
  closer: "is below the limit: near the minimum steps come closer",
  diverging: "is not below the limit: near the minimum steps lead away",
};

/**
 * @param {Standing} stand
 * @param {Scale} scale
 * @param {number} top
 * @param {number} bottom
 * @returns {Item[]}
 */
function drawBands({ plain, one, bound }, scale, top, bottom) {
  const inner = plain ? [one, bound] : [bound];
  const ends = [scale.from, ...inner.map(scale.at), scale.to];
  const names = plain ? ["monotone", "oscillating", "diverging"] : ["comes closer", "diverging"];
  /** @type {Colour[]} */
  const colours = plain ? ["converged", "cycling", "diverged"] : ["converged", "diverged"];
  /** @type {Item[]} */
  const items = [];
  names.forEach((text, index) => {
    const [from, to] = [ends[index], ends[index + 1]];
    items.push({ kind: "area", points: [from, top, to, top, to, bottom, from, bottom], colour: colours[index], opacity: 0.26 });
    const half = textWidth(text, RULER_LETTERS, true) / 2;
    const x = Math.max(scale.from + half, Math.min(scale.to - half, (from + to) / 2));
    // A word that its band cannot hold stands above it, on a line of its own.
    const y = 2 * half + 6 <= to - from ? (top + bottom) / 2 : top - 9;
    items.push({ kind: "text", x, y, text, colour: "ink", size: RULER_LETTERS, anchor: "middle", bold: true });
  });
  return items;
}

/**
 * @param {Standing} stand
 * @param {Scale} scale
 * @param {number} bottom
 * @param {number} width
 * @returns {Item[]}
 */
function drawLimits({ plain, one, bound, factor }, scale, bottom, width) {
  const size = RULER_LETTERS;
  /** @type {Item[]} */
  const items = [{ kind: "line", points: [scale.from, bottom, scale.to, bottom], colour: "ink", width: 1 }];
  const { values, labels, factor: power } = ticksOf(scale, Math.max(2, width / 90));
  const crossed = (plain ? [one, bound] : [bound]).map(scale.at);
  values.forEach((value, index) => {
    const x = scale.at(value), text = labels[index] + (value ? power : "");
    items.push({ kind: "line", points: [x, bottom, x, bottom + 5], colour: "ink", width: 1 });
    const half = textWidth(text, size - 1) / 2;
    if (crossed.some((line) => Math.abs(line - x) < half + 3)) return;
    items.push({
      kind: "text", x: Math.max(half, Math.min(width - half, x)), y: bottom + 12, text, colour: "quiet", size: size - 1,
      anchor: "middle", baseline: "top",
    });
  });
  /** @type {[number, string, "start" | "end"][]} */
  const limits = [[bound, `${factor}/L = ${shortNumber(bound)}`, "start"]];
  if (plain) limits.unshift([one, `1/L = ${shortNumber(one)}`, "end"]);
  for (const [value, text, anchor] of limits) {
    const x = scale.at(value);
    const reach = textWidth(text, size) + 6;
    items.push({ kind: "line", points: [x, bottom + 2 * size + 16, x, bottom - 40], colour: "limit", width: 1.5, dash: "dashed" });
    const place = anchor === "end" ? Math.max(reach, x - 4) : Math.min(width - reach, x + 4);
    items.push({ kind: "text", x: place, y: bottom + size + 15, text, colour: "ink", size, anchor, baseline: "top", halo: true });
  }
  return items;
}

/**
 * @param {Standing} stand
 * @param {Scale} scale
 * @param {Item[]} words in the bands
 * @param {number} bottom
 * @returns {Item[]}
 */
function drawRate({ rate }, scale, words, bottom) {
  const x = scale.at(rate);
  const text = `η = ${shortNumber(rate)}`;
  const half = textWidth(text, RULER_LETTERS, true) / 2;
  const place = Math.max(scale.from + half - 10, Math.min(scale.to - half + 10, x));
  /** @type {Item[]} */
  const items = [
    { kind: "text", x: place, y: 4, text, colour: "path", size: RULER_LETTERS, anchor: "middle", baseline: "top", bold: true },
    { kind: "area", points: [x - 7, bottom + 11, x + 7, bottom + 11, x, bottom - 3], colour: "path", opacity: 1 },
  ];
  // The line leaves out a word that it would cross.
  let from = 20;
  for (const word of words) {
    if (word.kind !== "text" || Math.abs(word.x - x) > textWidth(word.text, RULER_LETTERS, true) / 2 + 3) continue;
    items.push({ kind: "line", points: [x, from, x, word.y - 10], colour: "path", width: 2.5 });
    from = word.y + 10;
  }
  items.push({ kind: "line", points: [x, from, x, bottom], colour: "path", width: 2.5 });
  return items;
}
