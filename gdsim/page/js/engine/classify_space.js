/** What a zero of ∇f is, from the signs of the Hessian's eigenvalues, or from the loss round about. */
import { roundedTo } from "./classify_line.js";
import { largestOf, largestShare, symmetricEigen } from "./symmetric.js";

/** @typedef {import("../types.js").CriticalPoint} CriticalPoint */
/** @typedef {import("../types.js").Interval} Interval */
/** @typedef {import("../types.js").Numbers} Numbers */
/** @typedef {import("../types.js").PointKind} PointKind */

/**
 * A loss of several weights in a box. `value`, `gradient` and `hessian` take weights; `slopes` and `bends`
 * shares of the domain, and scale what they write alike.
 * @typedef {object} Space
 * @property {number} size
 * @property {Interval[]} domain
 * @property {number[]} low
 * @property {number[]} width
 * @property {number} typical the middle size of the scaled Hessian over the domain
 * @property {(at: Numbers) => number[]} weight
 * @property {(weight: Numbers) => number} value
 * @property {(weight: Numbers, out: Numbers) => void} gradient
 * @property {(weight: Numbers, out: Numbers) => void} hessian
 * @property {(at: Numbers, out: Numbers) => void} slopes
 * @property {(at: Numbers, out: Numbers) => void} bends
 */

const LEAST_ON_A_PIECE = 8;
const NEAR_EDGE = 0.02; // of the domain: a piece that comes so near to the boundary reaches it
const SPHERE_RADII = [3e-2, 1e-2, 3e-3, 1e-3]; // of the domain: spheres round a point whose Hessian does not tell
const SPHERE_DIRECTIONS = 720;
const VANISHES_NEAR = 0.7; // ∇f shrinks by less when the distance shrinks a thousandfold: a kink
const SPACE_EPSILON = 2 ** -52;

/**
 * Classify a zero of ∇f by the signs of the eigenvalues, or where one is zero by the loss round about.
 * @param {Space} space
 * @param {number[]} weight
 * @param {boolean} degenerate
 * @returns {CriticalPoint}
 */
export function describedZero(space, weight, degenerate) {
  const values = curvaturesAt(space, weight);
  const bound = (degenerate ? 1e-9 : 64 * SPACE_EPSILON) * largestOf(values);
  const curvature = values.map((value) => (Math.abs(value) > bound ? value : 0));
  const negative = curvature.filter((value) => value < 0).length;
  const positive = curvature.filter((value) => value > 0).length;
  const simple = negative + positive === space.size;
  /** @type {PointKind} */
  let kind = negative === 0 ? "minimum" : positive === 0 ? "maximum" : "saddle";
  if (isTip(space, weight)) kind = "kink";
  else if (!simple && kind !== "saddle") kind = kindFromSpheres(space, weight);
  const reach = space.width.map((width) => (simple ? 1e-14 : 1e-4) * width);
  return {
    weight,
    loss: space.value(weight),
    kind,
    proof: "numerical",
    curvature: kind === "kink" ? [] : curvature,
    interval: weight.map((value, index) => [value - reach[index], value + reach[index]]),
    multiplicity: simple && kind !== "kink" ? 1 : null,
    boundary: space.domain.some(([low, high], index) => {
      const edge = 4 * SPACE_EPSILON * Math.max(Math.abs(low), Math.abs(high));
      return Math.min(weight[index] - low, high - weight[index]) <= edge;
    }),
  };
}

/**
 * @param {Space} space
 * @param {number[]} weight
 * @returns {number[]}
 */
function curvaturesAt(space, weight) {
  const matrix = new Array(space.size * space.size).fill(0);
  space.hessian(weight, matrix);
  return symmetricEigen(matrix, space.size).values;
}

/**
 * The largest slope at some weights.
 * @param {Space} space
 * @param {number[]} weight
 * @returns {number}
 */
function steepness(space, weight) {
  const slopes = new Array(space.size).fill(0);
  space.gradient(weight, slopes);
  return largestOf(slopes);
}

/**
 * Whether ∇f is zero by convention only and does not go to zero round about.
 * @param {Space} space
 * @param {number[]} weight
 * @returns {boolean}
 */
function isTip(space, weight) {
  const [far, near] = [1e-6, 1e-9].map((radius) => {
    return Math.max(...sphereRound(space, weight, radius, 8).map((there) => steepness(space, there)));
  });
  return near > VANISHES_NEAR * far && near * Math.min(...space.width) > 1e-12 * space.typical;
}

/**
 * Weights on a small sphere whose radius is a share of the domain.
 * @param {Space} space
 * @param {number[]} weight
 * @param {number} radius
 * @param {number} count
 * @returns {number[][]}
 */
function sphereRound(space, weight, radius, count) {
  return Array.from({ length: count }, (_, number) => {
    const angle = (2 * Math.PI * (number + 0.5)) / count;
    let way = [Math.cos(angle), Math.sin(angle)];
    if (space.size > 2) {
      way = weight.map((_value, index) => (((number + 1) * Math.sqrt(2 + 3 * index * index + index)) % 1) - 0.5);
      const length = Math.hypot(...way);
      way = way.map((part) => part / length);
    }
    return weight.map((value, index) => value + radius * space.width[index] * way[index]);
  });
}

/**
 * @param {Space} space
 * @param {number[]} weight
 * @returns {PointKind}
 */
function kindFromSpheres(space, weight) {
  const here = space.value(weight);
  let [above, below, rises, falls] = [true, true, false, false];
  for (const radius of SPHERE_RADII) {
    for (const place of sphereRound(space, weight, radius, SPHERE_DIRECTIONS)) {
      const there = space.value(place);
      const noise = 256 * SPACE_EPSILON * (Math.abs(here) + Math.abs(there));
      rises ||= there > here + noise;
      falls ||= there < here - noise;
      above &&= there > here + noise;
      below &&= there < here - noise;
    }
  }
  if (rises && falls) return "saddle";
  return space.size === 2 && (above || below) ? (above ? "minimum" : "maximum") : "undecided";
}

/**
 * A wide group of degenerate zeros is a flat piece, a narrow one a single point.
 * @param {Space} space
 * @param {number[][]} group shares of the domain
 * @returns {CriticalPoint}
 */
export function degeneratePoint(space, group) {
  const ends = space.low.map((_, index) => {
    const values = group.map((at) => at[index]);
    return [Math.min(...values), Math.max(...values)];
  });
  const extent = Math.max(...ends.map(([low, high]) => high - low));
  if (extent > 0.02 && group.length >= LEAST_ON_A_PIECE) return flatRegion(space, group.map(space.weight), ends);
  const members = group.map(space.weight);
  const slopes = members.map((weight) => steepness(space, weight));
  const best = members[slopes.indexOf(Math.min(...slopes))];
  let short = best;
  for (let digits = 1; digits < 12 && short === best; digits++) short = shortZero(space, best, extent + 1e-4, digits);
  return describedZero(space, short, true);
}

/**
 * A piece of zeros side by side; its middle is that of the hull if it belongs, else the nearest member.
 * @param {Space} space
 * @param {number[][]} members
 * @param {number[][]} ends shares of the domain
 * @returns {CriticalPoint}
 */
function flatRegion(space, members, ends) {
  const hull = ends.map(([least, most], index) => {
    const [low, high] = [least <= NEAR_EDGE ? 0 : least, most >= 1 - NEAR_EDGE ? 1 : most];
    return /** @type {Interval} */ ([low, high].map((share) => space.low[index] + share * space.width[index]));
  });
  const centre = hull.map(([low, high]) => 0.5 * (low + high));
  const away = (/** @type {number[]} */ at) => largestShare(space.width, at, centre);
  const nearest = members.reduce((best, at) => (away(at) < away(best) ? at : best));
  const middle = shortZero(space, centre, 1e-11);
  const belongs = steepness(space, middle) <= roundingAround(space, middle) && Math.abs(space.value(middle) - space.value(nearest)) <= 1e-12;
  const weight = belongs ? middle : nearest;
  return {
    weight,
    loss: space.value(weight),
    kind: "flat",
    proof: "numerical",
    curvature: curvaturesAt(space, weight),
    interval: hull,
    multiplicity: null,
    boundary: ends.some(([least, most]) => least <= NEAR_EDGE || most >= 1 - NEAR_EDGE),
  };
}

/**
 * Prefer short decimals where ∇f is as small, or zero to rounding.
 * @param {Space} space
 * @param {number[]} weight
 * @param {number} tolerance of the domain
 * @param {number} [digits] of the domain's width
 * @returns {number[]}
 */
export function shortZero(space, weight, tolerance, digits = 9) {
  const short = weight.map((value, index) => {
    const rounded = roundedTo(value, digits - Math.floor(Math.log10(space.width[index])));
    return Math.abs(rounded - value) <= tolerance * space.width[index] ? rounded : value;
  });
  return steepness(space, short) <= Math.max(steepness(space, weight), roundingAround(space, weight)) ? short : weight;
}

/**
 * How far the rounding of the place may move ∇f.
 * @param {Space} space
 * @param {number[]} weight
 * @returns {number}
 */
function roundingAround(space, weight) {
  const matrix = new Array(space.size * space.size).fill(0);
  space.hessian(weight, matrix);
  const reach = weight.map((value, index) => 8 * SPACE_EPSILON * Math.abs(value) + 1e-15 * space.width[index]);
  return largestOf(reach.map((_, row) => reach.reduce((sum, part, index) => sum + part * Math.abs(matrix[row * space.size + index]), 0)));
}
