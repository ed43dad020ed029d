/** What a candidate of one weight is: from the sign of f′ on either side, and from how f′ goes to it. */

/** @typedef {import("../types.js").CriticalPoint} CriticalPoint */
/** @typedef {import("../types.js").PointKind} PointKind */

/**
 * A loss of one weight in an interval.
 * @typedef {object} Line
 * @property {number} low
 * @property {number} high
 * @property {number} width
 * @property {(at: number) => number} value
 * @property {(at: number) => number} slope
 * @property {(at: number) => number} bend
 */

export const LINE_EPSILON = 2 ** -52;
const CLOSE_BY = 1e-7; // of the room on a side: where it is seen how f′ goes to a candidate
const CLOSER_BY = 1e-10;
const SLOPE_VANISHES = 0.7; // f′ ~ δ^p from CLOSE_BY to CLOSER_BY: p above 0.05
const SLOPE_EXPLODES = 1.1; // from each distance to a hundredth of it

/**
 * What a candidate is; null for no critical point.
 * @param {Line} line
 * @param {number} candidate
 * @param {number} room
 * @returns {CriticalPoint | null}
 */
export function classified(line, candidate, room) {
  const noise = [-1, 1].some((side) => explodes(line, candidate, room, side)) ? 0 : wobble(line, candidate);
  const { order, blur } = orderOfZero(line, candidate, room, noise);
  const at = order !== null && order > 1 ? sharpened(line, candidate, blur) : candidate;
  const before = approach(line, at, room, -1, noise);
  const after = approach(line, at, room, 1, noise);
  if ((before === 1 || after === 1) && lossDiverges(line, at, room)) return null;
  const [one, other] = [-1, 1].map((side) => at + side * Math.max(CLOSE_BY * room, 4 * LINE_EPSILON * Math.abs(at)));
  const steepest = Math.max(Math.abs(line.slope(one)), Math.abs(line.slope(other)));
  const rounding = wobble(line, one, line.value) + wobble(line, other, line.value);
  if (jumpsAt(line.value, at, room, rounding + CLOSER_BY * room * steepest)) return null;
  const { left, right, reach } = signsAround(line, at, room, noise);
  const kind = kindBetween(left, right, before, after);
  if (!kind) return null;
  const bent = 1e-6 * Math.max(Math.abs(line.bend(one)), Math.abs(line.bend(other))) + 1e-300;
  const smooth = kind !== "kink" && Number.isFinite(line.bend(at)) && !jumpsAt(line.bend, at, room, bent);
  const curvature = order === 1 ? line.bend(at) : 0;
  const edge = 4 * LINE_EPSILON * Math.max(Math.abs(line.low), Math.abs(line.high));
  return {
    weight: [at],
    loss: line.value(at),
    kind,
    proof: "numerical",
    curvature: smooth ? [curvature] : [],
    interval: [[at - reach, at + reach]],
    multiplicity: smooth ? order : null,
    boundary: Math.min(at - line.low, line.high - at) <= edge,
  };
}

/**
 * How f′ goes to a candidate from one side: −1 to zero, 0 to a finite slope, 1 to infinity, nan undefined.
 * @param {Line} line
 * @param {number} at
 * @param {number} room
 * @param {number} side
 * @param {number} noise
 * @returns {number}
 */
function approach(line, at, room, side, noise) {
  if (explodes(line, at, room, side)) return 1;
  const least = 4 * LINE_EPSILON * Math.abs(at);
  const far = Math.abs(line.slope(at + side * Math.max(CLOSE_BY * room, least)));
  const near = Math.abs(line.slope(at + side * Math.max(CLOSER_BY * room, least)));
  if (Number.isNaN(near)) return NaN;
  return near <= noise || near / far < SLOPE_VANISHES ? -1 : 0;
}

/**
 * Whether f′ grows without end towards a candidate.
 * @param {Line} line
 * @param {number} at
 * @param {number} room
 * @param {number} side
 * @returns {boolean}
 */
function explodes(line, at, room, side) {
  const sizes = [1e-2, 1e-4, 1e-6, 1e-8, 1e-10].map((part) => {
    return Math.abs(line.slope(at + side * Math.max(part * room, 4 * LINE_EPSILON * Math.abs(at))));
  });
  return sizes.every((size, place) => place === 0 || size > SLOPE_EXPLODES * sizes[place - 1] || size === Infinity);
}

/**
 * The signs of f′ on both sides, stepping away until rounding cannot hide them.
 * @param {Line} line
 * @param {number} at
 * @param {number} room
 * @param {number} noise
 * @returns {{left: number, right: number, reach: number}}
 */
function signsAround(line, at, room, noise) {
  let reach = Math.min(Math.max(4 * LINE_EPSILON * Math.abs(at), 2e-16 * line.width), room);
  const signs = [0, 0];
  for (;;) {
    [-1, 1].forEach((side, place) => {
      if (signs[place] !== 0) return;
      const slope = line.slope(at + side * reach);
      signs[place] = Math.abs(slope) <= noise ? 0 : Math.sign(slope);
    });
    if ((signs[0] !== 0 && signs[1] !== 0) || !(reach < room)) return { left: signs[0], right: signs[1], reach };
    reach = Math.min(16 * reach, room);
  }
}

/**
 * The kind that the signs of f′ on either side and the approach from either side make.
 * @param {number} left
 * @param {number} right
 * @param {number} before
 * @param {number} after
 * @returns {PointKind | null}
 */
function kindBetween(left, right, before, after) {
  if (Number.isNaN(left) || Number.isNaN(right)) {
    const [inner, way] = Number.isNaN(left) ? [right, after] : [-left, before]; // the loss ends here
    return way === -1 && Math.abs(inner) === 1 ? (inner > 0 ? "minimum" : "maximum") : null;
  }
  if (left === 0 || right === 0) return left === right || before === 0 || after === 0 ? null : "undecided";
  if (before === -1 && after === -1) return signedKind(left, right);
  return left !== right || before === -1 || after === -1 ? "kink" : null;
}

/**
 * The kind of a zero of f′ with these signs of f′ on its sides.
 * @param {number} before
 * @param {number} after
 * @returns {PointKind}
 */
export function signedKind(before, after) {
  return before === after ? "inflection" : before < after ? "minimum" : "maximum";
}

/**
 * Whether a difference across a candidate stays as it is when the distance shrinks.
 * @param {(at: number) => number} told the loss, or f″
 * @param {number} at
 * @param {number} room
 * @param {number} least what a jump must be greater than
 * @returns {boolean}
 */
function jumpsAt(told, at, room, least) {
  const [far, near] = [CLOSE_BY, CLOSER_BY].map((part) => {
    const reach = Math.max(part * room, 4 * LINE_EPSILON * Math.abs(at));
    return Math.abs(told(at + reach) - told(at - reach));
  });
  return Number.isFinite(near) && near > SLOPE_VANISHES * far && near > least;
}

/**
 * Whether the loss runs to infinity: its growth over ever shorter stretches does not shrink.
 * @param {Line} line
 * @param {number} at
 * @param {number} room
 * @returns {boolean}
 */
function lossDiverges(line, at, room) {
  if (Math.abs(line.value(at)) === Infinity) return true;
  return [-1, 1].some((side) => {
    const [far, near, nearest] = [1e-3, 1e-6, 1e-9].map((part) => line.value(at + side * room * part));
    return Math.abs(nearest) === Infinity || Math.abs(nearest - near) > 0.9 * Math.abs(near - far);
  });
}

/**
 * The order of the zero of f′: 1 where f″ differs from zero, else seen from how f′ grows; null where it is
 * not a whole number. And how far from it rounding hides the sign of f′.
 * @param {Line} line
 * @param {number} at
 * @param {number} room
 * @param {number} noise
 * @returns {{order: number | null, blur: number}}
 */
function orderOfZero(line, at, room, noise) {
  const blur = signsAround(line, at, room, noise).reach;
  const bend = line.bend(at);
  if (!Number.isFinite(bend)) return { order: null, blur };
  const moved = Math.max(Math.abs(line.bend(at + blur) - bend), Math.abs(line.bend(at - blur) - bend));
  if (Math.abs(bend) > wobble(line, at, line.bend) + 2 * moved) return { order: 1, blur };
  const step = Math.min(0.25 * room, Math.max(1e-3 * room, 20 * blur));
  const orders = [-1, 1].map((side) => Math.log2(Math.abs(line.slope(at + side * 2 * step) / line.slope(at + side * step))));
  const order = Math.round(0.5 * (orders[0] + orders[1]));
  return { order: order > 1 && orders.every((one) => Math.abs(one - order) < 0.25) ? order : null, blur };
}

/**
 * Prefer the shortest decimal within the stretch over which rounding blurs a multiple zero.
 * @param {Line} line
 * @param {number} at
 * @param {number} blur
 * @returns {number}
 */
function sharpened(line, at, blur) {
  const first = -Math.floor(Math.log10(line.width));
  for (let digits = first; digits < first + 13; digits++) {
    const short = roundedTo(at, digits);
    if (Math.abs(short - at) > Math.max(blur, 1e-12 * line.width)) continue;
    if (Math.abs(line.slope(short)) <= Math.max(Math.abs(line.slope(at)), wobble(line, short))) return short;
  }
  return at;
}

/**
 * How far rounding may have moved f′: from its second differences over a tiny stretch, in which any smooth
 * function is straight. The two largest do not count: a kink makes two.
 * @param {Line} line
 * @param {number} at
 * @param {(at: number) => number} [told] f′, or another function
 * @returns {number}
 */
export function wobble(line, at, told = line.slope) {
  const step = Math.max(4 * LINE_EPSILON * Math.abs(at), 1e-9 * line.width);
  const values = [-6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6].map((times) => told(at + times * step));
  const bends = values.slice(2).map((value, place) => Math.abs(value - 2 * values[place + 1] + values[place]));
  const third = bends.map((bend) => (Number.isNaN(bend) ? Infinity : bend)).sort((one, other) => other - one)[2];
  const tilt = told === line.slope ? Math.abs(line.bend(at)) : Math.abs(values[7] - values[5]) / (2 * step);
  const rounding = 4 * LINE_EPSILON * (Math.abs(at) * (Number.isFinite(tilt) ? tilt : 0) + Math.abs(values[6]));
  return rounding + (third < Infinity ? 4 * third : 0);
}

/**
 * Round to some decimals.
 * @param {number} at
 * @param {number} digits
 * @returns {number}
 */
export function roundedTo(at, digits) {
  return Number(at.toFixed(Math.max(0, Math.min(100, digits)))) + 0;
}
