/**
 * Zeros of f′, kinks and flat pieces of a loss of one weight, on an adaptive grid.
 *
 * What gdsim/critical/numerical/ does, without a tree: switches of the formula are seen from the slopes, and
 * how far rounding reaches from the wobble of f′ over a few neighbouring numbers.
 */

/** @typedef {import("../types.js").CriticalPoint} CriticalPoint */
/** @typedef {import("../types.js").Interval} Interval */
/** @typedef {import("../types.js").Loss} Loss */
/** @typedef {import("../types.js").Numbers} Numbers */
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

/** @typedef {{at: number, slope: number, bend: number}} Sample */
/** @typedef {{low: number, high: number, faded: boolean}} Piece */

const LINE_EPSILON = 2 ** -52;
const START_CELLS = 1024;
const MOST_SAMPLES = 8000;
const MOST_LEVELS = 12;
const LINE_MISMATCH = 0.02; // of the largest slope near by: then the cubic between two points tells the truth
const LEAST_RUN = 4; // samples of a flat piece
const LEAST_PIECE = 1e-6; // of the domain: a shorter one is a zero that rounding blurs
const CLOSE_BY = 1e-7; // of the room on a side: where it is seen how f′ goes to a candidate
const CLOSER_BY = 1e-10;
const SLOPE_VANISHES = 0.7; // f′ ~ δ^p from CLOSE_BY to CLOSER_BY: p above 0.05
const SLOPE_EXPLODES = 1.1; // from each distance to a hundredth of it

/**
 * Find and classify the critical points of a loss of one weight in a closed interval.
 * @param {Loss} loss
 * @param {number[]} parameters
 * @param {Numbers[]} data
 * @param {Interval} interval
 * @param {number[]} extra more places to look at
 * @returns {CriticalPoint[]} in ascending order
 */
export function criticalOnLine(loss, parameters, data, [low, high], extra) {
  const place = new Float64Array(1);
  const out = new Float64Array(1);
  const told = (/** @type {"gradient" | "hessian"} */ which) => (/** @type {number} */ at) => {
    place[0] = at;
    loss[which](place, parameters, data, out);
    return out[0];
  };
  const value = (/** @type {number} */ at) => {
    place[0] = at;
    return loss.value(place, parameters, data);
  };
  /** @type {Line} */
  const line = { low, high, width: high - low, value, slope: told("gradient"), bend: told("hessian") };
  const rows = data.length ? data[0].length : 1;
  const cells = Math.max(64, Math.min(START_CELLS, 2 ** Math.floor(19 - Math.log2(rows))));
  const samples = sampled(line, cells, extra.filter((at) => at > low && at < high));
  const pieces = flatPieces(line, samples);
  const places = mergedPlaces(line, candidatePlaces(line, samples), pieces);
  const points = places.map((at, index) => classified(line, at, roomAround(line, places, pieces, index)));
  return [...points, ...pieces.map((piece) => flatPoint(line, samples, piece))]
    .filter((point) => point !== null)
    .sort((one, other) => one.weight[0] - other.weight[0]);
}

/**
 * Sample f′ and f″, finely where a cubic through two neighbours fails to predict f′ between them.
 * @param {Line} line
 * @param {number} cells
 * @param {number[]} extra
 * @returns {Sample[]}
 */
function sampled(line, cells, extra) {
  const look = (/** @type {number} */ at) => ({ at, slope: line.slope(at), bend: line.bend(at) });
  const grid = Array.from({ length: cells + 1 }, (_, place) => line.low + (place / cells) * line.width);
  grid[cells] = line.high;
  const every = [...new Set([...grid, ...extra])].sort((one, other) => one - other).map(look);
  let open = new Uint8Array(every.length).fill(1);
  /** @type {Sample[]} */
  let samples = every;
  for (let level = 0; level < MOST_LEVELS && samples.length < MOST_SAMPLES; level++) {
    /** @type {Sample[]} */
    const finer = [];
    const next = new Uint8Array(2 * samples.length);
    let surprised = false;
    samples.forEach((left, place) => {
      finer.push(left);
      const right = samples[place + 1];
      if (!right || !open[place]) return;
      const at = 0.5 * (left.at + right.at);
      if (!(left.at < at && at < right.at)) return;
      const middle = look(at);
      if (isSurprising(left, middle, right) && (level < 3 || !isBlurred(line, middle))) {
        next[finer.length - 1] = next[finer.length] = 1;
        surprised = true;
      }
      finer.push(middle);
    });
    samples = finer;
    open = next;
    if (!surprised) break;
  }
  return samples;
}

/**
 * Whether the slope between two samples is not what the cubic through them predicts.
 * @param {Sample} left
 * @param {Sample} middle
 * @param {Sample} right
 * @returns {boolean}
 */
function isSurprising(left, middle, right) {
  const finite = [left, middle, right].filter(({ slope }) => Number.isFinite(slope)).length;
  if (finite < 3) return finite > 0;
  const predicted = 0.5 * (left.slope + right.slope) + ((right.at - left.at) * (left.bend - right.bend)) / 8;
  const size = Math.max(Math.abs(left.slope), Math.abs(middle.slope), Math.abs(right.slope));
  const rounding = 8 * LINE_EPSILON * Math.abs(middle.at * middle.bend);
  return !(Math.abs(middle.slope - predicted) <= LINE_MISMATCH * size + rounding);
}

/**
 * Whether f′ is so small that it may be rounding alone.
 * @param {Line} line
 * @param {Sample} sample
 * @returns {boolean}
 */
function isBlurred(line, { at, slope }) {
  return Number.isFinite(slope) && Math.abs(slope) <= wobble(line, at);
}

/**
 * Halve a bracket until no number lies between its ends.
 * @param {(at: number) => boolean} holds what is true at the first end and false at the other
 * @param {number} inside
 * @param {number} outside
 * @returns {[number, number]} the neighbours between which it ends, the first end's first
 */
function halved(holds, inside, outside) {
  for (let count = 0; count < 1100; count++) {
    const middle = inside + 0.5 * (outside - inside);
    if (middle === inside || middle === outside) break;
    if (holds(middle)) inside = middle;
    else outside = middle;
  }
  return [inside, outside];
}

/**
 * Stretches where f′ is exactly zero: flat, or only faded below the smallest number.
 * @param {Line} line
 * @param {Sample[]} samples
 * @returns {Piece[]}
 */
function flatPieces(line, samples) {
  const pieces = [];
  const largest = samples.reduce((most, { slope }) => Math.max(most, Number.isFinite(slope) ? Math.abs(slope) : 0), 0);
  for (let first = 0; first < samples.length; first++) {
    if (samples[first].slope !== 0) continue;
    let last = first;
    const joins = () => {
      const [one, next] = [samples[last], samples[last + 1]];
      return next && next.slope === 0 && Math.abs(line.value(next.at) - line.value(one.at)) <= 1e-9 * Math.abs(line.value(one.at)) + 1e-300;
    };
    while (joins()) last++;
    if (last - first + 1 >= LEAST_RUN) {
      const [low, lowFades] = pieceEnd(line, samples[first].at, samples[first - 1], largest);
      const [high, highFades] = pieceEnd(line, samples[last].at, samples[last + 1], largest);
      if (high - low > LEAST_PIECE * line.width) pieces.push({ low, high, faded: lowFades || highFades });
    }
    first = last;
  }
  return pieces;
}

/**
 * Where a flat stretch ends, and whether the slope only fades there.
 * @param {Line} line
 * @param {number} inside
 * @param {Sample | undefined} beyond
 * @param {number} largest slope of all
 * @returns {[number, boolean]}
 */
function pieceEnd(line, inside, beyond, largest) {
  if (!beyond) return [inside, false];
  const level = line.value(inside);
  const [end, outer] = halved((at) => line.slope(at) === 0 && !(Math.abs(line.value(at) - level) > 1e-9 * Math.abs(level)), inside, beyond.at);
  const step = Math.sign(outer - end) * 1e-5 * line.width;
  const [one, two, four] = [1, 2, 4].map((times) => Math.abs(line.slope(end + times * step)));
  const steep = Math.abs(line.slope(outer)) > 1e-9 * largest || (two > 1.5 * one && four > 1.5 * two);
  return [tidied(line, end, () => true), !steep && one < 1e-9 * largest];
}

/**
 * Where something may be: zeros of f′, jumps of its sign, and ends of where the loss is defined.
 * @param {Line} line
 * @param {Sample[]} samples
 * @returns {number[]}
 */
function candidatePlaces(line, samples) {
  const found = samples.filter(({ slope }) => slope === 0).map(({ at }) => at);
  for (let place = 1; place < samples.length; place++) {
    const [left, right] = [samples[place - 1], samples[place]];
    if (left.slope * right.slope < 0) found.push(zeroBetween(line, left.at, right.at));
    else if (left.slope * right.slope > 0) found.push(...touchesBetween(line, left, right));
    else if (Number.isNaN(left.slope) !== Number.isNaN(right.slope)) {
      const outside = Number.isNaN(left.slope);
      const isNumber = (/** @type {number} */ at) => !Number.isNaN(line.value(at));
      const [inner, outer] = outside ? [right.at, left.at] : [left.at, right.at];
      found.push(isNumber(outer) ? outer : halved(isNumber, inner, outer)[0]);
    }
  }
  for (const end of [line.low, line.high]) {
    const near = 4 * LINE_EPSILON * Math.max(Math.abs(line.low), Math.abs(line.high));
    if (Math.abs(line.slope(end)) <= wobble(line, end) + near * Math.abs(line.bend(end))) found.push(end);
  }
  return found;
}

/**
 * @param {Line} line
 * @param {number} left
 * @param {number} right
 * @returns {number}
 */
function zeroBetween(line, left, right) {
  const sign = Math.sign(line.slope(left));
  const [one, other] = halved((at) => Math.sign(line.slope(at)) === sign, left, right);
  return tidied(line, Math.abs(line.slope(one)) < Math.abs(line.slope(other)) ? one : other);
}

/**
 * Zeros in pairs, or of even order, between neighbours whose slopes have the same sign.
 * @param {Line} line
 * @param {Sample} left
 * @param {Sample} right
 * @returns {number[]}
 */
function touchesBetween(line, left, right) {
  const sign = Math.sign(left.slope);
  if (!(sign * left.bend < 0 && sign * right.bend > 0)) return [];
  const middle = tidied(line, halved((at) => sign * line.bend(at) < 0, left.at, right.at)[0]);
  const slope = line.slope(middle);
  const reach = 4 * LINE_EPSILON * Math.abs(middle) + 1e-15 * line.width;
  const moved = Math.max(Math.abs(line.bend(middle - reach)), Math.abs(line.bend(middle + reach)));
  if (Math.abs(slope) <= wobble(line, middle) + reach * moved) return [middle];
  if (slope * sign > 0) return [];
  return [zeroBetween(line, left.at, middle), zeroBetween(line, middle, right.at)];
}

/**
 * How far rounding may have moved f′: from its second differences over a tiny stretch, in which any smooth
 * function is straight. The two largest do not count: a kink makes two.
 * @param {Line} line
 * @param {number} at
 * @param {(at: number) => number} [told] f′, or another function
 * @returns {number}
 */
function wobble(line, at, told = line.slope) {
  const step = Math.max(4 * LINE_EPSILON * Math.abs(at), 1e-9 * line.width);
  const values = [-6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6].map((times) => told(at + times * step));
  const bends = values.slice(2).map((value, place) => Math.abs(value - 2 * values[place + 1] + values[place]));
  const third = bends.map((bend) => (Number.isNaN(bend) ? Infinity : bend)).sort((one, other) => other - one)[2];
  const tilt = told === line.slope ? Math.abs(line.bend(at)) : Math.abs(values[7] - values[5]) / (2 * step);
  const rounding = 4 * LINE_EPSILON * (Math.abs(at) * (Number.isFinite(tilt) ? tilt : 0) + Math.abs(values[6]));
  return rounding + (third < Infinity ? 4 * third : 0);
}

/**
 * Prefer a short decimal next to a zero of f′ where f′ is as small, or zero to rounding.
 * @param {Line} line
 * @param {number} at
 * @param {(short: number) => boolean} [fits]
 * @returns {number}
 */
function tidied(line, at, fits) {
  const good = fits ?? ((short) => Math.abs(line.slope(short)) <= Math.max(Math.abs(line.slope(at)), wobble(line, short)));
  const short = shortened(at, 9 - Math.floor(Math.log10(line.width)));
  return Math.abs(short - at) <= 1e-12 * line.width && good(short) ? short : at;
}

/**
 * Round to some decimals.
 * @param {number} at
 * @param {number} digits
 * @returns {number}
 */
export function shortened(at, digits) {
  return Number(at.toFixed(Math.max(0, Math.min(100, digits)))) + 0;
}

/**
 * Put candidates in order, one for each place, none inside a flat piece. Those between which f′ is nothing but
 * rounding are one.
 * @param {Line} line
 * @param {number[]} places
 * @param {Piece[]} pieces
 * @returns {number[]}
 */
function mergedPlaces(line, places, pieces) {
  const gap = 4e-12 * line.width;
  /** @type {number[][]} */
  const groups = [];
  let before = NaN;
  for (const at of places.sort((one, other) => one - other)) {
    if (pieces.some(({ low, high }) => at >= low - gap && at <= high + gap)) continue;
    const shares = at - before <= 0.01 * line.width ? [0.3, 0.5, 0.7] : [];
    const blurred = shares.length > 0 && shares.every((share) => {
      const between = before + share * (at - before);
      return isBlurred(line, { at: between, slope: line.slope(between), bend: 0 });
    });
    if (at - before <= gap || blurred) groups[groups.length - 1].push(at);
    else groups.push([at]);
    before = at;
  }
  return groups.map((group) => {
    if (group[group.length - 1] - group[0] > gap) return 0.5 * (group[0] + group[group.length - 1]);
    return group.reduce((best, at) => (Math.abs(line.slope(at)) < Math.abs(line.slope(best)) ? at : best));
  });
}

/**
 * Half the distance to the nearest other candidate or flat piece, at most a twentieth of the domain.
 * @param {Line} line
 * @param {number[]} places
 * @param {Piece[]} pieces
 * @param {number} index
 * @returns {number}
 */
function roomAround(line, places, pieces, index) {
  const at = places[index];
  let room = 0.1 * line.width;
  if (index > 0) room = Math.min(room, at - places[index - 1]);
  if (index + 1 < places.length) room = Math.min(room, places[index + 1] - at);
  for (const { low, high } of pieces) room = Math.min(room, Math.max(low - at, at - high));
  return 0.5 * room;
}

/**
 * What a candidate is; null for no critical point.
 * @param {Line} line
 * @param {number} candidate
 * @param {number} room
 * @returns {CriticalPoint | null}
 */
function classified(line, candidate, room) {
  const noise = [-1, 1].some((side) => explodes(line, candidate, room, side)) ? 0 : wobble(line, candidate);
  const { order, blur } = orderOfZero(line, candidate, room, noise);
  const at = order !== null && order > 1 ? sharpened(line, candidate, blur) : candidate;
  const before = approach(line, at, room, -1, noise);
  const after = approach(line, at, room, 1, noise);
  if ((before === 1 || after === 1) && lossDiverges(line, at, room)) return null;
  if (lossJumps(line, at, room)) return null;
  const { left, right, reach } = signsAround(line, at, room, noise);
  const kind = kindBetween(left, right, before, after);
  if (!kind) return null;
  const smooth = kind !== "kink" && Number.isFinite(line.bend(at)) && !bendJumps(line, at, room);
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
function signedKind(before, after) {
  return before === after ? "inflection" : before < after ? "minimum" : "maximum";
}

/**
 * Whether a difference across a candidate stays as it is when the distance shrinks.
 * @param {(at: number) => number} told
 * @param {number} at
 * @param {number} room
 * @returns {[number, number]} the differences far and near
 */
function gapsAcross(told, at, room) {
  const least = 4 * LINE_EPSILON * Math.abs(at);
  const gap = (/** @type {number} */ reach) => Math.abs(told(at + reach) - told(at - reach));
  return [gap(Math.max(CLOSE_BY * room, least)), gap(Math.max(CLOSER_BY * room, least))];
}

/**
 * @param {Line} line
 * @param {number} at
 * @param {number} room
 * @returns {boolean}
 */
function lossJumps(line, at, room) {
  const [far, near] = gapsAcross(line.value, at, room);
  const reach = Math.max(CLOSER_BY * room, 4 * LINE_EPSILON * Math.abs(at));
  const steepest = Math.max(Math.abs(line.slope(at - reach)), Math.abs(line.slope(at + reach)));
  const beside = Math.max(CLOSE_BY * room, 4 * LINE_EPSILON * Math.abs(at));
  const rounding = wobble(line, at - beside, line.value) + wobble(line, at + beside, line.value);
  return Number.isFinite(near) && near > rounding && near > SLOPE_VANISHES * far && near > 0.5 * steepest * reach;
}

/**
 * @param {Line} line
 * @param {number} at
 * @param {number} room
 * @returns {boolean}
 */
function bendJumps(line, at, room) {
  const [far, near] = gapsAcross(line.bend, at, room);
  const reach = Math.max(CLOSE_BY * room, 4 * LINE_EPSILON * Math.abs(at));
  const size = Math.max(Math.abs(line.bend(at - reach)), Math.abs(line.bend(at + reach)));
  return near > SLOPE_VANISHES * far && near > 1e-6 * size + 1e-300;
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
    const short = shortened(at, digits);
    if (Math.abs(short - at) > Math.max(blur, 1e-12 * line.width)) continue;
    if (Math.abs(line.slope(short)) <= Math.max(Math.abs(line.slope(at)), wobble(line, short))) return short;
  }
  return at;
}

/**
 * A flat piece, or what lies inside a faded stretch in the middle of the domain; null for nothing.
 * @param {Line} line
 * @param {Sample[]} samples
 * @param {Piece} piece
 * @returns {CriticalPoint | null}
 */
function flatPoint(line, samples, { low, high, faded }) {
  /** @type {PointKind} */
  let kind = "flat";
  if (faded) {
    const before = samples.filter(({ at, slope }) => at < low && slope).pop();
    const after = samples.find(({ at, slope }) => at > high && slope);
    if (!before || !after) return null;
    kind = signedKind(Math.sign(before.slope), Math.sign(after.slope));
  }
  const at = tidied(line, 0.5 * (low + high), () => true);
  const value = line.value(at);
  return {
    weight: [at],
    loss: Number.isNaN(value) ? line.value(low) : value,
    kind,
    proof: "numerical",
    curvature: faded ? [] : [0],
    interval: [[low, high]],
    multiplicity: null,
    boundary: !faded && (low <= line.low || high >= line.high),
  };
}
