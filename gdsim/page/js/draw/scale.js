// Scales from numbers to pixels, round ticks, and numbers as people read them.
/** @import {Interval, Numbers} from "../types.js" */

/**
 * A scale: data from `low` to `high` lie on pixels from `from` to `to`. Pixels never exceed ±1e6; nan stays nan.
 * @typedef {{kind: ScaleKind, low: number, high: number, from: number, to: number,
 *   at: (value: number) => number, back: (pixel: number) => number}} Scale
 */
/** @typedef {"linear" | "log" | "symlog"} ScaleKind */
/** Ticks with their labels; `factor` such as "×10⁵" belongs to every label of the axis, or is empty.
 * @typedef {{values: number[], labels: string[], factor: string}} Ticks
 */

const FARTHEST_PIXEL = 1e6;
const LARGEST_END = 8e307;

/**
 * Makes ends finite, ordered and apart.
 * @param {number} low
 * @param {number} high
 * @returns {Interval}
 */
function properEnds(low, high) {
  let a = Number.isFinite(low) ? Math.max(-LARGEST_END, Math.min(LARGEST_END, low)) : 0;
  let b = Number.isFinite(high) ? Math.max(-LARGEST_END, Math.min(LARGEST_END, high)) : a + 1;
  if (a > b) [a, b] = [b, a];
  if (b - a > 1e-13 * Math.max(Math.abs(a), Math.abs(b)) && b - a > 1e-300) return [a, b];
  const room = 0.5 * (Math.abs(a) || 1);
  return [a - room, b + room];
}

/**
 * @param {ScaleKind} kind
 * @param {number} low
 * @param {number} high
 * @param {number} from
 * @param {number} to
 * @param {(value: number) => number} forth strictly increasing
 * @param {(value: number) => number} back its inverse
 * @returns {Scale}
 */
function scaleThrough(kind, low, high, from, to, forth, back) {
  const first = forth(low), span = forth(high) - first, reach = to - from;
  return {
    kind, low, high, from, to,
    at: (value) => {
      const pixel = from + reach * ((forth(value) - first) / span);
      return pixel > FARTHEST_PIXEL ? FARTHEST_PIXEL : pixel < -FARTHEST_PIXEL ? -FARTHEST_PIXEL : pixel;
    },
    back: (pixel) => back(first + span * ((pixel - from) / reach)),
  };
}

/**
 * @param {number} low
 * @param {number} high
 * @param {number} from
 * @param {number} to
 * @returns {Scale}
 */
export function linearScale(low, high, from, to) {
  const [a, b] = properEnds(low, high);
  return scaleThrough("linear", a, b, from, to, (value) => value, (value) => value);
}

/**
 * A scale by powers of ten. Numbers that are not positive lie far below.
 * @param {number} low positive, else it is put six decades below `high`
 * @param {number} high
 * @param {number} from
 * @param {number} to
 * @returns {Scale}
 */
export function logScale(low, high, from, to) {
  const top = high > 0 && Number.isFinite(high) ? high : 1;
  let bottom = low > 0 && low < top ? low : 0;
  if (bottom === 0) bottom = low === top ? top / 10 : Math.max(top * 1e-6, Number.MIN_VALUE);
  const forth = (/** @type {number} */ value) => (value > 0 ? Math.log10(value) : value <= 0 ? -1e9 : NaN);
  return scaleThrough("log", bottom, top, from, to, forth, (value) => 10 ** value);
}

/**
 * A scale that is linear up to about `knee` on both sides of zero, and logarithmic beyond.
 * @param {number} low
 * @param {number} high
 * @param {number} from
 * @param {number} to
 * @param {number} knee positive
 * @returns {Scale}
 */
function symlogScale(low, high, from, to, knee) {
  const [a, b] = properEnds(low, high);
  const shift = Math.log10(knee);
  const forth = (/** @type {number} */ value) => {
    const size = Math.abs(value);
    const part = size < 1e10 * knee ? Math.log1p(size / knee) / Math.LN10 : Math.log10(size) - shift;
    return value < 0 ? -part : part;
  };
  const back = (/** @type {number} */ value) => Math.sign(value) * knee * Math.expm1(Math.abs(value) * Math.LN10);
  return { ...scaleThrough("symlog", a, b, from, to, forth, back) };
}

/**
 * @param {ScaleKind} kind
 * @param {number} low
 * @param {number} high
 * @param {number} from
 * @param {number} to
 * @param {number} [knee] of a symlog scale
 * @returns {Scale}
 */
export function makeScale(kind, low, high, from, to, knee = 1) {
  if (kind === "log") return logScale(low, high, from, to);
  return kind === "symlog" ? symlogScale(low, high, from, to, knee) : linearScale(low, high, from, to);
}

/**
 * Returns round numbers inside the ends: multiples of 1, 2 or 5 times a power of ten, ascending.
 * @param {number} low
 * @param {number} high
 * @param {number} most about how many
 * @param {boolean} [whole] whole numbers alone
 * @returns {number[]}
 */
export function niceTicks(low, high, most, whole = false) {
  const rough = (high - low) / Math.max(1, most);
  if (!(rough > 0) || !Number.isFinite(rough)) return [low];
  let power = Math.floor(Math.log10(rough));
  const part = rough / 10 ** power;
  let digit = part < 1.5 ? 1 : part < 3.2 ? 2 : part < 7.5 ? 5 : 10;
  if (whole && (power < 0)) [power, digit] = [0, 1];
  const step = Number(digit + "e" + power);
  const first = Math.ceil(low / step - 1e-9), last = Math.floor(high / step + 1e-9);
  if (!(step > 0) || Math.abs(first) > 1e14 || Math.abs(last) > 1e14) return [low, high];
  const ticks = [];
  for (let k = first; k <= last; k++) {
    const tick = Number(k * digit + "e" + power);
    ticks.push(Math.min(high, Math.max(low, tick)) + 0);
  }
  return ticks;
}

/**
 * Returns decades inside positive ends, each or every second, fifth, …; with 2 and 5 between where few.
 * @param {number} low
 * @param {number} high
 * @param {number} most
 * @returns {number[]}
 */
function logTicks(low, high, most) {
  const first = Math.ceil(Math.log10(low) - 1e-9), last = Math.floor(Math.log10(high) + 1e-9);
  for (const stride of last - first < (most < 4 ? 1 : 2) ? [] : [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]) {
    const ticks = [];
    for (let k = Math.ceil(first / stride) * stride; k <= last; k += stride) ticks.push(Number("1e" + k));
    if (ticks.length <= Math.max(2, most)) return ticks.filter((tick) => tick >= low && tick <= high);
  }
  const ticks = [];
  for (let k = first - 1; k <= last; k++) {
    for (const digit of [1, 2, 5]) {
      const tick = Number(digit + "e" + k);
      if (tick >= low && tick <= high) ticks.push(tick);
    }
  }
  return ticks.length > 1 ? ticks : niceTicks(low, high, Math.min(3, most));
}

/**
 * Returns the ticks of a scale with labels that differ from each other.
 * @param {Scale} scale
 * @param {number} most about how many
 * @param {boolean} [whole] whole numbers alone
 * @returns {Ticks}
 */
export function ticksOf(scale, most, whole = false) {
  const { kind, low, high } = scale;
  if (kind === "linear") return labelled(niceTicks(low, high, most, whole));
  if (kind === "log") {
    const values = logTicks(low, high, most);
    return values.every((one) => /^[125](e|$)/.test(one.toExponential().replace(".0", "")))
      ? { values, labels: powerLabels(values), factor: "" } : labelled(values);
  }
  const knee = Math.abs(scale.back(scale.at(0) + (scale.to - scale.from) * 1e-3)) || 1;
  const side = (/** @type {number} */ end) => (end > knee ? logTicks(Math.max(knee, end * 1e-300), end, most / 2) : []);
  const below = side(-low).filter((one) => -one <= high).map((one) => -one).reverse();
  const zero = low <= 0 && high >= 0 ? [0] : [];
  const near = 0.06 * Math.abs(scale.to - scale.from), middle = scale.at(0); // of 0: no room for a label beside its own
  const values = [...below, ...zero, ...side(high).filter((one) => one >= low)]
    .filter((one) => one === 0 || Math.abs(scale.at(one) - middle) > near);
  return values.length > 1 ? { values, labels: powerLabels(values), factor: "" } : labelled(niceTicks(low, high, most));
}

/**
 * Labels numbers with as many decimals as tell them apart, and a common power of ten where they are long.
 * @param {number[]} values
 * @returns {Ticks}
 */
export function labelled(values) {
  const size = Math.max(0, ...values.map(Math.abs));
  let power = size > 0 ? Math.floor(Math.log10(size) + 1e-12) : 0;
  if (power < 5 && power > -4) power = 0;
  const gap = Math.min(...values.slice(1).map((one, k) => one - values[k]), size || 1);
  const scaled = values.map((one) => (power ? Number(scaledText(one, -power)) : one));
  const grain = power ? Number(scaledText(gap, -power)) : gap;
  let decimals = 0;
  while (decimals < 12 && scaled.some((one) => Math.abs(one - Number(one.toFixed(decimals))) > 1e-3 * grain)) decimals++;
  const labels = scaled.map((one) => properMinus(one.toFixed(decimals)));
  if (new Set(labels).size < labels.length) return { values: values.slice(0, 1), labels: labels.slice(0, 1), factor: "" };
  return { values, labels, factor: power ? "×10" + raised(power) : "" };
}

/**
 * A number times a power of ten, without a detour over a power that is not representable.
 * @param {number} value
 * @param {number} power
 * @returns {string}
 */
function scaledText(value, power) {
  const [mantissa, exponent] = value.toExponential().split("e");
  return mantissa + "e" + (Number(exponent) + power);
}

/**
 * @param {number[]} values each 1, 2 or 5 times a power of ten, or zero
 * @returns {string[]}
 */
function powerLabels(values) {
  const plain = values.every((one) => one === 0 || (Math.abs(one) >= 0.01 && Math.abs(one) <= 1000));
  return values.map((one) => {
    if (plain || one === 0) return properMinus(String(one));
    const [mantissa, exponent] = one.toExponential().split("e");
    const digits = mantissa.replace(/^(-?)1$/, "$1");
    return properMinus(digits + (/\d/.test(digits) ? "×10" : "10")) + raised(Number(exponent));
  });
}

/**
 * Writes a whole number in superscripts.
 * @param {number} number
 * @returns {string}
 */
export function raised(number) {
  return [...String(number)].map((one) => (one === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(one)])).join("");
}

/**
 * @param {string} text of a number
 * @returns {string}
 */
function properMinus(text) {
  return /^-0\.?0*$/.test(text) ? text.slice(1) : text.replace("-", "−");
}

/**
 * Writes a number with so many significant digits, a true minus sign, and 1.2×10⁻⁹ where that is shorter.
 * @param {number} value
 * @param {number} [digits]
 * @returns {string}
 */
export function shortNumber(value, digits = 4) {
  if (!Number.isFinite(value)) return value > 0 ? "∞" : value < 0 ? "−∞" : "not a number";
  if (value === 0) return "0";
  const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
  const power = Number(exponent);
  if (power >= -4 && power < digits) return properMinus(String(Number(value.toPrecision(digits))));
  return properMinus(String(Number(mantissa))) + "×10" + raised(power);
}

/**
 * Returns limits within which all that is marked is seen, while a runaway wall of the curve is cut.
 * @param {Numbers} values of the curve; what is not finite is passed over
 * @param {Numbers} marked what must be seen
 * @param {number} [below] margin as a part of the height
 * @param {number} [above]
 * @returns {Interval}
 */
export function robustLimits(values, marked, below = 0.08, above = 0.12) {
  const finite = Float64Array.from(values).filter(Number.isFinite).sort();
  if (finite.length === 0) return [-1, 1];
  const last = finite.length - 1, place = 0.8 * last, under = Math.floor(place);
  let bottom = finite[0], top = finite[last];
  let essential = finite[under] + (place - under) * (finite[Math.min(last, under + 1)] - finite[under]);
  for (const one of marked) {
    if (!Number.isFinite(one)) continue;
    essential = Math.max(essential, one);
    bottom = Math.min(bottom, one);
    top = Math.max(top, one);
  }
  const reach = essential - bottom;
  if (reach > 0 && top - bottom > 3 * reach) top = bottom + 1.3 * reach;
  const height = top - bottom || Math.max(Math.abs(top), 1);
  return [bottom - below * height, top + above * height];
}
