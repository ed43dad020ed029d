// One run of gradient descent, step by step as gdsim/kernels/python_loop.py walks it.

import { differenceGradient } from "./differences.js";
import { gaussianNoise, minibatchRows } from "./noise.js";
import { optionValues, ratesOf } from "./rates.js";
/** @import { Emitted, LabData, Problem, Status, Trajectory } from "../types" */
/** @import { Rates } from "./rates.js" */

const ARMIJO_HALVINGS = 50;
const ARMIJO_SLOPE = 1e-4; // J. Nocedal and S. J. Wright, Numerical Optimization (2006), §3.1
const SMALLEST_NORMAL = 2 ** -1022;
const FIRST_ANCHOR = 8; // also how often a weight is compared with the anchor
const NEARLY = 2 ** -40; // two weights whose difference is below this part of them are equal to rounding

/**
 * Carry a problem out.
 * @param {Problem} problem
 * @param {Emitted} emitted the rules and schedules
 * @returns {Trajectory}
 */
export function simulate(problem, emitted) {
  return new Descent(problem, emitted).run();
}

/**
 * A scenario of the page as the engine takes it.
 * @param {LabData} lab
 * @param {Emitted} emitted
 * @returns {Problem}
 */
export function problemOf(lab, emitted) {
  const loss = emitted.losses[lab.loss];
  const { parameters, start, rate, rule, derivative, stopping, noise, clip, lineSearch, seed, domain } = lab;
  const data = loss.columns.map((name) => Float64Array.from(lab.data[name]));
  return { loss, parameters, data, start, rate, rule, derivative, stopping, noise, clip, lineSearch, seed, domain };
}

/**
 * Solve a linear system by elimination with partial pivoting.
 * @param {Float64Array} matrix row by row; overwritten
 * @param {Float64Array} right overwritten by the solution; by NaN where the matrix is singular or not finite
 */
export function solveLinear(matrix, right) {
  const size = right.length;
  for (let entry = 0; entry < matrix.length; entry++) if (!Number.isFinite(matrix[entry])) return void right.fill(NaN);
  for (let column = 0; column < size; column++) {
    let pivot = column;
    for (let row = column + 1; row < size; row++) {
      if (Math.abs(matrix[row * size + column]) > Math.abs(matrix[pivot * size + column])) pivot = row;
    }
    if (matrix[pivot * size + column] === 0) return void right.fill(NaN);
    if (pivot !== column) swapRows(matrix, right, pivot, column);
    for (let row = column + 1; row < size; row++) {
      const factor = matrix[row * size + column] / matrix[column * size + column];
      for (let place = column + 1; place < size; place++) {
        matrix[row * size + place] -= factor * matrix[column * size + place];
      }
      right[row] -= factor * right[column];
    }
  }
  for (let row = size - 1; row >= 0; row--) {
    for (let place = row + 1; place < size; place++) right[row] -= matrix[row * size + place] * right[place];
    right[row] /= matrix[row * size + row];
  }
}

/**
 * @param {Float64Array} matrix
 * @param {Float64Array} right
 * @param {number} one
 * @param {number} other
 */
function swapRows(matrix, right, one, other) {
  const size = right.length;
  for (let place = 0; place < size; place++) {
    const kept = matrix[one * size + place];
    matrix[one * size + place] = matrix[other * size + place];
    matrix[other * size + place] = kept;
  }
  const kept = right[one];
  right[one] = right[other];
  right[other] = kept;
}

/**
 * @param {Float64Array} a
 * @param {Float64Array} b
 * @returns {boolean}
 */
function equalWeights(a, b) {
  for (let place = 0; place < a.length; place++) if (a[place] !== b[place]) return false;
  return true;
}

/** The state of a run, its records, and everything that a step reads; nothing is allocated on the way. */
class Descent {
  /**
   * @param {Problem} problem
   * @param {Emitted} emitted
   */
  constructor(problem, emitted) {
    const count = problem.start.length;
    const rule = emitted.rules[problem.rule.name];
    this.problem = problem;
    this.loss = problem.loss;
    this.rule = rule;
    /** @type {Rates} */
    this.rates = ratesOf(problem.rate, emitted.schedules);
    this.options = optionValues(rule.options, problem.rule.options);
    this.parameters = Float64Array.from(problem.parameters);
    this.judgesStall = rule.state.length === 0 && problem.noise === null;
    this.judgesCycle = this.judgesStall && !problem.lineSearch;
    this.k = 0;
    this.weight = Float64Array.from(problem.start);
    this.previous = Float64Array.from(problem.start);
    this.before = new Float64Array(count).fill(NaN);
    this.anchor = new Float64Array(count).fill(NaN);
    /** @type {Float64Array[]} for each weight what the rule remembers */
    this.memory = problem.start.map(() => Float64Array.from(rule.initial(this.options)));
    this.gradient = new Float64Array(count);
    this.step = new Float64Array(count);
    this.newtonStep = new Float64Array(count);
    this.hessian = new Float64Array(rule.needsHessian ? count * count : 0);
    this.trial = new Float64Array(count);
    this.clipped = false;
    this.backtracked = false;
    this.lossEvaluations = 0;
    const { noise, data } = problem;
    /** @type {Float64Array[]} the rows of a mini-batch */
    this.batch = noise !== null && noise.kind === "minibatch" ? data.map(() => new Float64Array(noise.size)) : [];
    this.room = Math.min(problem.stopping.maxSteps + 1, 128);
    this.records = {
      weight: new Float64Array(this.room * count),
      gradient: new Float64Array(this.room * count),
      loss: new Float64Array(this.room),
      rate: new Float64Array(this.room),
    };
    /** @type {Map<number, string[]>} */
    this.flags = new Map();
  }

  /** @returns {Trajectory} */
  run() {
    let status = this.judgedStep();
    while (status === null) status = this.judgedStep();
    const { records, k } = this, count = this.weight.length;
    return {
      weights: count,
      steps: k,
      status,
      weight: records.weight.slice(0, (k + 1) * count),
      gradient: records.gradient.slice(0, (k + 1) * count),
      loss: records.loss.slice(0, k + 1),
      rate: records.rate.slice(0, k + 1),
      flags: this.flags,
      evaluations: { loss: this.lossEvaluations, gradient: k + 1 },
    };
  }

  /**
   * Judge w_k, record it, take the step.
   * @returns {Status | null} why the run has ended, if it has
   */
  judgedStep() {
    const { problem, k } = this;
    this.findGradient();
    let rate = this.rates.at(k);
    const loss = this.loss.value(this.weight, this.parameters, problem.data);
    this.findStep(rate);
    if (problem.lineSearch) rate *= this.searchLine(loss);
    this.record(loss, rate);
    const status = this.judge(loss);
    if (status !== null) return status;
    if (this.clipped) this.flag(k + 1, "clipped");
    if (this.backtracked) this.flag(k + 1, "backtracked");
    if (this.judgesCycle && k >= FIRST_ANCHOR && (k & (k - 1)) === 0) {
      if (k >= this.rates.changesUntil) this.anchor.set(this.weight);
      else this.anchor.fill(NaN);
    }
    const moved = this.before;
    for (let place = 0; place < moved.length; place++) moved[place] = this.weight[place] + this.step[place];
    this.before = this.previous;
    this.previous = this.weight;
    this.weight = moved;
    this.k += 1;
    return null;
  }

  /** The gradient that the rule uses: noise and clipping included. */
  findGradient() {
    const { problem, weight, gradient, k } = this, noise = problem.noise;
    let data = problem.data, scale = 1;
    if (noise !== null && noise.kind === "minibatch") {
      const rows = data[0].length;
      const chosen = minibatchRows(problem.seed, k, rows, noise.size);
      for (let column = 0; column < data.length; column++) {
        for (let row = 0; row < noise.size; row++) this.batch[column][row] = data[column][chosen[row]];
      }
      data = this.batch;
      scale = rows / noise.size;
    }
    const method = problem.derivative;
    if (method.method === "exact") this.loss.gradient(weight, this.parameters, data, gradient, scale);
    else {
      const { scheme, step } = method;
      this.lossEvaluations +=
        differenceGradient(scheme, step, this.loss, weight, this.parameters, data, gradient, scale);
    }
    if (noise !== null && noise.kind === "gaussian") {
      for (let place = 0; place < gradient.length; place++) {
        gradient[place] += noise.scale * gaussianNoise(problem.seed, k, place);
      }
    }
    if (problem.clip !== null) this.clipGradient(problem.clip.kind, problem.clip.bound);
  }

  /**
   * @param {"norm" | "value"} kind
   * @param {number} bound
   */
  clipGradient(kind, bound) {
    const { gradient } = this, count = gradient.length;
    let factor = 1;
    if (kind === "norm") {
      let largest = SMALLEST_NORMAL, sum = 0;
      for (let place = 0; place < count; place++) largest = Math.max(largest, Math.abs(gradient[place]));
      for (let place = 0; place < count; place++) sum += (gradient[place] / largest) * (gradient[place] / largest);
      factor = bound / (largest * Math.sqrt(sum) + 1e-6);
      if (factor >= 1) factor = 1;
    }
    this.clipped = false;
    for (let place = 0; place < count; place++) {
      const value = gradient[place];
      const clipped = kind === "norm" ? value * factor : Math.min(Math.max(value, -bound), bound);
      if (clipped !== value) this.clipped = true;
      gradient[place] = clipped;
    }
  }

  /**
   * The step of the rule, and what it remembers.
   * @param {number} rate
   */
  findStep(rate) {
    const { weight, gradient, step, newtonStep, memory, rule, options } = this, stepNumber = this.k + 1;
    if (rule.needsHessian) this.findNewtonStep();
    for (let place = 0; place < step.length; place++) {
      step[place] =
        rule.step(weight[place], gradient[place], rate, stepNumber, newtonStep[place], options, memory[place]);
    }
  }

  /** The solution of H·s = gradient; infinite or NaN where H is singular. */
  findNewtonStep() {
    const { hessian, newtonStep, gradient } = this;
    this.loss.hessian(this.weight, this.parameters, this.problem.data, hessian);
    newtonStep.set(gradient);
    if (newtonStep.length === 1) newtonStep[0] = gradient[0] / hessian[0];
    else solveLinear(hessian, newtonStep);
  }

  /**
   * Backtrack (Armijo): halve the step until the loss falls by a part of what the slope promises.
   * @param {number} here the loss at the weight
   * @returns {number} what the step was multiplied with
   */
  searchLine(here) {
    const { weight, gradient, step, trial } = this, count = step.length;
    let slope = 0;
    for (let place = 0; place < count; place++) slope += gradient[place] * step[place];
    this.lossEvaluations += 1;
    let factor = slope < 0 ? 1 : 0;
    for (let halvings = 0; factor > 0; halvings++) {
      if (halvings > ARMIJO_HALVINGS) {
        factor = 0;
        break;
      }
      for (let place = 0; place < count; place++) trial[place] = weight[place] + factor * step[place];
      this.lossEvaluations += 1;
      const there = this.loss.value(trial, this.parameters, this.problem.data);
      if (there <= here + ARMIJO_SLOPE * factor * slope) break;
      factor *= 0.5;
    }
    for (let place = 0; place < count; place++) step[place] *= factor;
    this.backtracked = factor < 1;
    return factor;
  }

  /**
   * @param {number} loss
   * @returns {Status | null}
   */
  judge(loss) {
    const { weight, gradient, step, previous, rule, rates, k } = this, { bound, maxSteps } = this.problem.stopping;
    const tolerance = this.problem.stopping.tolerance, count = weight.length;
    let finite = Number.isFinite(loss), within = true, small = true, stalled = true;
    for (let place = 0; place < count; place++) {
      const w = weight[place], g = gradient[place];
      finite = finite && Number.isFinite(w) && Number.isFinite(g);
      within = within && !(Math.abs(w) > bound);
      small = small && Math.abs(g) <= tolerance;
      if (rule.state.length > 0) small = small && Math.abs(w - previous[place]) <= tolerance;
      stalled = stalled && w + step[place] === w;
    }
    if (!finite) return "NONFINITE";
    if (!within) return "DIVERGED";
    if (small) return "CONVERGED";
    if (stalled && this.judgesStall && k >= rates.risesUntil) return "STALLED";
    if (this.judgesCycle && k >= rates.changesUntil && this.cycling()) return "CYCLING";
    return k >= maxSteps ? "MAX_STEPS" : null;
  }

  /** Whether the weight is back where it was two steps ago, or at the anchor. */
  cycling() {
    const { weight, previous, before, anchor } = this;
    if (equalWeights(weight, before)) return true;
    if (this.k % FIRST_ANCHOR !== 0 || !equalWeights(weight, anchor)) return false;
    for (let place = 0; place < weight.length; place++) {
      const size = Math.max(Math.abs(weight[place]), Math.abs(previous[place]));
      if (!(Math.abs(weight[place] - before[place]) <= NEARLY * size)) return false;
    }
    return true;
  }

  /**
   * @param {number} loss
   * @param {number} rate
   */
  record(loss, rate) {
    const { k, weight, gradient } = this, count = weight.length;
    if (k === this.room) this.makeRoom();
    const { records } = this;
    for (let place = 0; place < count; place++) {
      records.weight[k * count + place] = weight[place];
      records.gradient[k * count + place] = gradient[place];
    }
    records.loss[k] = loss;
    records.rate[k] = rate;
  }

  makeRoom() {
    const records = this.records, most = this.problem.stopping.maxSteps + 1, count = this.weight.length;
    this.room = Math.min(4 * this.room, most);
    const grown = (/** @type {Float64Array} */ old, /** @type {number} */ size) => {
      const larger = new Float64Array(size);
      larger.set(old);
      return larger;
    };
    records.weight = grown(records.weight, this.room * count);
    records.gradient = grown(records.gradient, this.room * count);
    records.loss = grown(records.loss, this.room);
    records.rate = grown(records.rate, this.room);
  }

  /**
   * @param {number} k
   * @param {string} word
   */
  flag(k, word) {
    const words = this.flags.get(k);
    if (words) words.push(word);
    else this.flags.set(k, [word]);
  }
}
