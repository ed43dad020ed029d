// Which of several difference quotients to believe, and the noise in sampled values; see
// gdsim/derivatives/finite_differences.py and rounding.py.

/** @typedef {{ value: number, error: number }} Candidate a slope and its error bar */

/** The unit roundoff. */
export const UNIT_ROUNDOFF = 2 ** -53;
const SMALLEST_DOUBLE = 2 ** -1074;

/**
 * The candidate with the smallest error that no narrower one contradicts.
 * @param {Candidate[]} candidates widest first
 * @param {number} steepest how steep the loss may be where its noise swamps all that was seen of it
 * @param {number} chooseFrom how many of the first may be chosen; the others only confirm
 * @param {boolean} trusted whether the noise is a bound, not an estimate
 * @returns {number}
 */
export function confirmedSlope(candidates, steepest, chooseFrom, trusted) {
  const value = candidates.map((candidate) => candidate.value);
  const error = candidates.map((one) => (Number.isFinite(one.value) && !Number.isNaN(one.error) ? one.error : Infinity));
  const resolved = candidates.map((_, place) => error[place] < 0.1 * Math.abs(value[place]));
  let chosen = value[0], least = Infinity;
  for (let one = 0; one < chooseFrom; one++) {
    let widened = error[one];
    for (let other = 0; other < value.length; other++) {
      if (other === one) continue;
      const apart = Math.abs(value[one] - value[other]);
      const contradicts = other < one
        ? apart > error[one] + error[other] && resolved[other] && !trusted
        : apart > error[one] + (resolved[one] ? error[other] : 0);
      if (contradicts) widened = Math.max(widened, apart + error[other]);
    }
    const bar = resolved[one] ? widened : Math.max(widened, steepest);
    if (one === 0 || bar < least) [chosen, least] = [value[one], bar];
  }
  return chosen;
}

/**
 * How steep the loss may be at a weight where its noise swamps what was seen of it, else 0.
 * @param {number} weight
 * @param {number[]} found the last one at the weight itself
 * @param {number[]} noise
 * @returns {number}
 */
export function steepestSlope(weight, found, noise) {
  const own = noise[noise.length - 1];
  const lost = own > 1e-3 * Math.max(...found.map(Math.abs));
  return lost && weight !== 0 ? own / (UNIT_ROUNDOFF * Math.abs(weight)) : 0;
}

/**
 * The noise in five values at equally and closely spaced points (Hamming; Moré and Wild 2011).
 * @param {number[]} samples
 * @returns {number}
 */
export function sampledNoise(samples) {
  const next = (/** @type {number[]} */ row) => row.slice(1).map((value, place) => value - row[place]);
  const third = next(next(next(samples)));
  const spread = Math.max(
    Math.max(...third.map(Math.abs)) / Math.sqrt(20),
    Math.abs(third[1] - third[0]) / Math.sqrt(70),
  );
  const noise = Math.max(8 * spread, 4 * UNIT_ROUNDOFF * Math.max(...samples.map(Math.abs)) + SMALLEST_DOUBLE);
  return Number.isFinite(noise) ? noise : Infinity;
}
