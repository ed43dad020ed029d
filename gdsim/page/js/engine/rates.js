// The learning rate at every step, as gdsim/kernels/rates.py works it out.

/** @import { Emitted, Problem } from "../types" */

const LONG_AFTER = 1e9; // a step that a schedule without an end has left long behind its first

/**
 * @typedef {object} Rates
 * @property {(step: number) => number} at the rate of the step out of w_k
 * @property {number} risesUntil the first step from which the rate can no longer grow
 * @property {number} changesUntil the first step from which it is constant; Infinity for never
 */

/**
 * The values of options in the order in which formulas read them; defaults stand in for those not given.
 * @param {{ name: string, default: number | null }[]} options
 * @param {Record<string, number>} given
 * @returns {Float64Array}
 */
export function optionValues(options, given) {
  return Float64Array.from(options, (option) => given[option.name] ?? option.default ?? NaN);
}

/**
 * The schedule of a problem with its warm-up.
 * @param {Problem["rate"]} rate
 * @param {Emitted["schedules"]} schedules
 * @returns {Rates}
 */
export function ratesOf(rate, schedules) {
  const { initial, warmup } = rate;
  const schedule = schedules[rate.schedule];
  const options = optionValues(schedule.options, rate.options);
  const length = schedule.changesUntil(options);
  const first = schedule.rate(initial, 0, options);
  const last = schedule.rate(initial, Number.isFinite(length) && rate.schedule !== "constant" ? length : LONG_AFTER, options);
  return {
    at: (step) =>
      step < warmup
        ? initial * ((step + 1) / (warmup + 1))
        : schedule.rate(initial, step - warmup, options),
    risesUntil: last > first ? warmup + length : warmup,
    changesUntil: last === first ? warmup : warmup + length,
  };
}
