/** What a zero of ∇f is, from the signs of the Hessian's eigenvalues, or from the loss round about. */
import { shortened } from "./classify_line.js";
import { symmetricEigen } from "./symmetric.js";

/** @typedef {import("../types.js").CriticalPoint} CriticalPoint */
/** @typedef {import("../types.js").Interval} Interval */
/** @typedef {import("../types.js").Numbers} Numbers */
/** @typedef {import("../types.js").PointKind} PointKind */

/**
 * A loss of several weights in a box; `slopes` and `bends` give arrays that are written again at each call.
 * @typedef {object} Space
 * @property {number} size
 * @property {Interval[]} domain
 * @property {number[]} width
 * @property {(at: Numbers) => number} value
 * @property {(at: Numbers) => Float64Array} slopes
 * @property {(at: Numbers) => Float64Array} bends
 * @property {number} typical the middle size of the Hessian over the domain, scaled by its width
 */

const LEAST_ON_A_PIECE = 8;
const NEAR_EDGE = 0.02; // of the domain: a piece that comes so near to the boundary reaches it
const SPHERE_RADII = [3e-2, 1e-2, 3e-3, 1e-3]; // of the domain: spheres round a point whose Hessian does not tell
const SPHERE_DIRECTIONS = 720;
const VANISHES_NEAR = 0.7; // ∇f shrinks by less when the distance shrinks a thousandfold: a kink
const SPACE_EPSILON = 2 ** -52;
export const SPREAD_PRIMES = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29];

/**
 * Classify a zero of ∇f by the signs of the eigenvalues, or where one is zero by the loss round about.
 * @param {Space} space
 * @param {number[]} at
 * @param {boolean} degenerate
 * @returns {CriticalPoint}
 */
export function describedZero(space, at, degenerate) {
  const bends = Array.from(space.bends(at));
  const { values } = symmetricEigen(bends, space.size);
  const bound = (degenerate ? 1e-9 : 64 * SPACE_EPSILON) * Math.max(...values.map(Math.abs));
  const curvature = values.map((value) => (Math.abs(value) > bound ? value : 0));
  const negative = curvature.filter((value) => value < 0).length;
  const positive = curvature.filter((value) => value > 0).length;
  /** @type {PointKind} */
  let kind = negative === 0 ? "minimum" : negative === space.size ? "maximum" : "saddle";
  const simple = negative + positive === space.size;
  if (!simple && !(negative && positive)) kind = kindFromSpheres(space, at);
  if (isTip(space, at)) kind = "kink";
  const reach = (/** @type {number} */ index) => (simple ? 1e-14 : 1e-4) * space.width[index];
  return {
    weight: at,
    loss: space.value(at),
    kind,
    proof: "numerical",
    curvature: kind === "kink" ? [] : curvature,
    interval: at.map((value, index) => [value - reach(index), value + reach(index)]),
    multiplicity: simple && kind !== "kink" ? 1 : null,
    boundary: at.some((value, index) => {
      const [low, high] = space.domain[index];
      return Math.min(value - low, high - value) <= 4 * SPACE_EPSILON * Math.max(Math.abs(low), Math.abs(high));
    }),
  };
}

/**
 * Whether ∇f is zero by convention only and does not go to zero round about.
 * @param {Space} space
 * @param {number[]} at
 * @returns {boolean}
 */
function isTip(space, at) {
  const [far, near] = [1e-6, 1e-9].map((reach) => {
    return Math.max(...placesRound(space, at, reach, 8).map((there) => largestOf(space.slopes(there))));
  });
  return near > VANISHES_NEAR * far && near * Math.min(...space.width) > 1e-12 * space.typical;
}

/**
 * @param {Space} space
 * @param {number[]} at
 * @returns {PointKind}
 */
function kindFromSpheres(space, at) {
  const here = space.value(at);
  let [above, below, rises, falls] = [true, true, false, false];
  for (const radius of SPHERE_RADII) {
    for (const place of placesRound(space, at, radius, SPHERE_DIRECTIONS)) {
      const there = space.value(place);
      const noise = 256 * SPACE_EPSILON * (Math.abs(here) + Math.abs(there));
      const higher = there > here + noise;
      const lower = there < here - noise;
      rises ||= higher;
      falls ||= lower;
      above &&= higher;
      below &&= lower;
    }
  }
  if (rises && falls) return "saddle";
  return space.size === 2 && (above || below) ? (above ? "minimum" : "maximum") : "undecided";
}

/**
 * Places on a small sphere, as shares of the domain.
 * @param {Space} space
 * @param {number[]} at
 * @param {number} radius
 * @param {number} count
 * @returns {number[][]}
 */
function placesRound(space, at, radius, count) {
  const places = [];
  for (let number = 0; number < count; number++) {
    const angle = (2 * Math.PI * (number + 0.5)) / count;
    let way = [Math.cos(angle), Math.sin(angle)];
    if (space.size > 2) {
      way = at.map((_, index) => mirroredDigits(number + 1, SPREAD_PRIMES[index % SPREAD_PRIMES.length]) - 0.5);
      const length = Math.sqrt(squaredLength(way)) || 1;
      way = way.map((part) => part / length);
    }
    places.push(at.map((value, index) => value + radius * space.width[index] * way[index]));
  }
  return places;
}

/**
 * A wide group of degenerate zeros is a flat piece, a narrow one a single point.
 * @param {Space} space
 * @param {number[][]} group
 * @returns {CriticalPoint}
 */
export function degeneratePoint(space, group) {
  const hull = space.domain.map(([low, high], index) => {
    const values = group.map((at) => at[index]);
    const room = NEAR_EDGE * space.width[index];
    const [least, most] = [Math.min(...values), Math.max(...values)];
    return /** @type {Interval} */ ([least - low <= room ? low : least, high - most <= room ? high : most]);
  });
  const extents = space.width.map((width, index) => Math.max(...group.map((at) => at[index])) - Math.min(...group.map((at) => at[index])));
  const extent = Math.max(...extents.map((length, index) => length / space.width[index]));
  if (extent > 0.02 && group.length >= LEAST_ON_A_PIECE) return flatRegion(space, group, hull);
  let best = leastSloped(space, group);
  for (let digits = 1; digits < 12; digits++) {
    const short = shortZero(space, best, extent + 1e-4, digits);
    if (short !== best) {
      best = short;
      break;
    }
  }
  return describedZero(space, best, true);
}

/**
 * @param {Space} space
 * @param {number[][]} group
 * @returns {number[]}
 */
function leastSloped(space, group) {
  const slopes = group.map((at) => largestOf(space.slopes(at)));
  return group[slopes.indexOf(Math.min(...slopes))];
}

/**
 * A piece of zeros side by side; its middle is that of the hull if it belongs, else the nearest member.
 * @param {Space} space
 * @param {number[][]} group
 * @param {Interval[]} hull
 * @returns {CriticalPoint}
 */
function flatRegion(space, group, hull) {
  const centre = hull.map(([low, high]) => 0.5 * (low + high));
  const away = (/** @type {number[]} */ at) => Math.max(...at.map((value, index) => Math.abs(value - centre[index]) / space.width[index]));
  const nearest = group.reduce((best, at) => (away(at) < away(best) ? at : best));
  const middle = shortZero(space, centre, 1e-11);
  const level = space.value(nearest);
  const belongs = largestOf(space.slopes(middle)) <= roundingAround(space, middle) && Math.abs(space.value(middle) - level) <= 1e-12 * (1 + Math.abs(level));
  const at = belongs ? middle : nearest;
  return {
    weight: at,
    loss: space.value(at),
    kind: "flat",
    proof: "numerical",
    curvature: symmetricEigen(space.bends(at), space.size).values,
    interval: hull,
    multiplicity: null,
    boundary: hull.some(([low, high], index) => low <= space.domain[index][0] || high >= space.domain[index][1]),
  };
}

/**
 * Prefer short decimals where ∇f is as small, or zero to rounding.
 * @param {Space} space
 * @param {number[]} at
 * @param {number} tolerance of the domain
 * @param {number} [digits] of the domain's width
 * @returns {number[]}
 */
export function shortZero(space, at, tolerance, digits = 9) {
  const short = at.map((value, index) => {
    const rounded = shortened(value, digits - Math.floor(Math.log10(space.width[index])));
    return Math.abs(rounded - value) <= tolerance * space.width[index] ? rounded : value;
  });
  return largestOf(space.slopes(short)) <= Math.max(largestOf(space.slopes(at)), roundingAround(space, at)) ? short : at;
}

/**
 * How far rounding may move ∇f: that of the place, and that of its largest terms.
 * @param {Space} space
 * @param {number[]} at
 * @returns {number}
 */
function roundingAround(space, at) {
  const reach = at.map((value, index) => 8 * SPACE_EPSILON * Math.abs(value) + 1e-15 * space.width[index]);
  const bends = space.bends(at);
  return Math.max(...reach.map((_, row) => reach.reduce((sum, part, index) => sum + part * Math.abs(bends[row * space.size + index]), 0)));
}

/**
 * @param {ArrayLike<number>} values
 * @returns {number}
 */
export function largestOf(values) {
  let most = 0;
  for (let index = 0; index < values.length; index++) most = Math.max(most, Math.abs(values[index]));
  return most;
}

/**
 * @param {number[]} values
 * @returns {number}
 */
export function squaredLength(values) {
  return values.reduce((sum, value) => sum + value * value, 0);
}

/**
 * A number's digits mirrored at the point: the van der Corput sequence.
 * @param {number} number
 * @param {number} base
 * @returns {number}
 */
export function mirroredDigits(number, base) {
  let share = 0;
  for (let scale = 1 / base; number > 0; scale /= base) {
    share += scale * (number % base);
    number = Math.floor(number / base);
  }
  return share;
}
