/**
 * Zeros of f′, kinks and flat pieces of a loss of one weight, on an adaptive grid.
 *
 * What gdsim/critical/numerical/ does, without a tree: switches of the formula are seen from the slopes, and
 * how far rounding reaches from the wobble of f′ over a few neighbouring numbers.
 */
import { classified, LINE_EPSILON, roundedTo, signedKind, wobble } from "./classify_line.js";

/** @typedef {import("../types.js").CriticalPoint} CriticalPoint */
/** @typedef {import("../types.js").Interval} Interval */
/** @typedef {import("../types.js").Loss} Loss */
/** @typedef {import("../types.js").Numbers} Numbers */
/** @typedef {import("../types.js").PointKind} PointKind */

/** @typedef {import("./classify_line.js").Line} Line */
/** @typedef {{at: number, slope: number, bend: number}} Sample */
/** @typedef {{low: number, high: number, faded: boolean}} Piece */

const START_CELLS = 1024;
const MOST_SAMPLES = 8000;
const LINE_LEVELS = 12;
const LINE_MISMATCH = 0.02; // of the largest slope near by: then the cubic between two points tells the truth
const LEAST_RUN = 4; // samples of a flat piece
const LEAST_PIECE = 1e-6; // of the domain: a shorter one is a zero that rounding blurs

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
  const samples = sampledSlopes(line, cells, extra.filter((at) => at > low && at < high));
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
function sampledSlopes(line, cells, extra) {
  const look = (/** @type {number} */ at) => ({ at, slope: line.slope(at), bend: line.bend(at) });
  const grid = Array.from({ length: cells + 1 }, (_, place) => line.low + (place / cells) * line.width);
  grid[cells] = line.high;
  const every = [...new Set([...grid, ...extra])].sort((one, other) => one - other).map(look);
  let open = new Uint8Array(every.length).fill(1);
  /** @type {Sample[]} */
  let samples = every;
  for (let level = 0; level < LINE_LEVELS && samples.length < MOST_SAMPLES; level++) {
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
 * Prefer a short decimal next to a zero of f′ where f′ is as small, or zero to rounding.
 * @param {Line} line
 * @param {number} at
 * @param {(short: number) => boolean} [fits]
 * @returns {number}
 */
function tidied(line, at, fits) {
  const good = fits ?? ((short) => Math.abs(line.slope(short)) <= Math.max(Math.abs(line.slope(at)), wobble(line, short)));
  const short = roundedTo(at, 9 - Math.floor(Math.log10(line.width)));
  return Math.abs(short - at) <= 1e-12 * line.width && good(short) ? short : at;
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
