// Runs as the engine gives them, made by a few lines, for the tests of views.

const loss = (text, weights, value, gradient, hessian) => ({
  text, weights, parameters: [], columns: [], value,
  gradient: (w, p, d, out) => void gradient(w).forEach((one, k) => (out[k] = one)),
  hessian: (w, p, d, out) => void hessian(w).forEach((one, k) => (out[k] = one)),
});
const tanh = Math.tanh;

/** Losses with points that matter: [place, kind, curvature]. */
export const LOSSES = {
  parabola: { at: [-4, 4], points: [[[0], "minimum", [2]]], loss: loss("w^2", ["w"], ([w]) => w * w, ([w]) => [2 * w], () => [2]) },
  wells: {
    at: [-2, 2], points: [[[-1], "minimum", [8]], [[0], "maximum", [-4]], [[1], "minimum", [8]]],
    loss: loss("(w^2 - 1)^2", ["w"], ([w]) => (w * w - 1) ** 2, ([w]) => [4 * w * (w * w - 1)], ([w]) => [12 * w * w - 4]),
  },
  kink: { at: [-3, 3], points: [[[0], "kink", []]], loss: loss("abs(w)", ["w"], ([w]) => Math.abs(w), ([w]) => [Math.sign(w)], () => [0]) },
  plateau: {
    at: [-8, 8], points: [[[0], "minimum", [2]]],
    loss: loss("tanh(w)^2", ["w"], ([w]) => tanh(w) ** 2, ([w]) => [2 * tanh(w) * (1 - tanh(w) ** 2)], () => [0]),
  },
  log: { at: [-1, 3], points: [[[1 / Math.E], "minimum", [Math.E]]], loss: loss("w*ln(w)", ["w"], ([w]) => w * Math.log(w), ([w]) => [Math.log(w) + 1], ([w]) => [1 / w]) },
  pole: { at: [-2, 2], points: [], loss: loss("1/w", ["w"], ([w]) => 1 / w, ([w]) => [-1 / w ** 2], ([w]) => [2 / w ** 3]) },
  nowhere: { at: [-2, 2], points: [], loss: loss("ln(-1-w^2)", ["w"], () => NaN, () => [NaN], () => [NaN]) },
  constant: { at: [-1e-9, 1e-9], points: [[[0], "flat", [0]]], loss: loss("3", ["w"], () => 3, () => [0], () => [0]) },
  himmelblau: {
    at: [-5, 5], points: [[[3, 2], "minimum", [25, 82]], [[-0.270845, -0.923039], "maximum", [-44, -16]], [[0.0867, 2.88425], "saddle", [-10, 90]]],
    loss: loss("(x^2 + y - 11)^2 + (x + y^2 - 7)^2", ["x", "y"], ([x, y]) => (x * x + y - 11) ** 2 + (x + y * y - 7) ** 2,
      ([x, y]) => [4 * x * (x * x + y - 11) + 2 * (x + y * y - 7), 2 * (x * x + y - 11) + 4 * y * (x + y * y - 7)], () => [0, 0, 0, 0]),
  },
  ravine: { at: [-10, 10], points: [[[0, 0], "minimum", [1, 25]]], loss: loss("x^2/2 + 25/2*y^2", ["x", "y"], ([x, y]) => 0.5 * x * x + 12.5 * y * y, ([x, y]) => [x, 25 * y], () => [1, 0, 0, 25]) },
  half: { at: [-1, 3], points: [], loss: loss("x*ln(x) + y^2", ["x", "y"], ([x, y]) => x * Math.log(x) + y * y, ([x, y]) => [Math.log(x) + 1, 2 * y], () => [0, 0, 0, 0]) },
  three: { at: [-2, 2], points: [[[0, 0, 1], "minimum", [2, 2, 2]]], loss: loss("x^2+y^2+(z-1)^2", ["x", "y", "z"], ([x, y, z]) => x * x + y * y + (z - 1) ** 2, ([x, y, z]) => [2 * x, 2 * y, 2 * z - 2], () => []) },
};

/** Walks with a heavy ball; momentum 0 is gradient descent. */
export function walked(name, start, rate, { momentum = 0, maxSteps = 60 } = {}) {
  const { loss: f, at, points } = LOSSES[name], n = start.length;
  const weight = [], gradient = [], losses = [], w = [...start], out = w.map(() => 0), speed = w.map(() => 0);
  let steps = 0;
  for (let k = 0; ; k++) {
    f.gradient(w, [], [], out);
    weight.push(...w);
    gradient.push(...out);
    losses.push(f.value(w, [], []));
    steps = k;
    const size = Math.max(...out.map(Math.abs));
    if (k === maxSteps || !(size > 1e-8) || !(Math.max(...w.map(Math.abs)) < 1e8)) break;
    for (let j = 0; j < n; j++) w[j] += speed[j] = momentum * speed[j] - rate * out[j];
  }
  const found = points.map(([place, kind, curvature]) => ({
    weight: place, kind, curvature, loss: f.value(place, [], []), proof: "certified", interval: place.map((one) => [one, one]), multiplicity: 1, boundary: false,
  }));
  const near = found.find((one) => one.weight.every((value, k) => Math.abs(value - w[k]) < 1e-6)) ?? null;
  return {
    problem: {
      loss: f, parameters: [], data: [], start, rate: { initial: rate, schedule: "constant", options: {}, warmup: 0 },
      rule: { name: momentum ? "momentum" : "gradient_descent", options: momentum ? { momentum } : {} }, derivative: { method: "exact" },
      stopping: { maxSteps, tolerance: 1e-8, bound: 1e8 }, noise: null, clip: null, lineSearch: false, seed: 0, domain: start.map(() => at),
    },
    trajectory: {
      weights: n, steps, status: near ? "CONVERGED" : "MAX_STEPS", weight: Float64Array.from(weight), gradient: Float64Array.from(gradient),
      loss: Float64Array.from(losses), rate: new Float64Array(steps + 1).fill(rate), flags: new Map(), evaluations: { loss: 0, gradient: steps + 1 },
    },
    search: { domain: start.map(() => at), points: found, complete: true },
    verdict: { kind: near ? near.kind : "still_moving", sentence: "", remedy: "", period: 0, point: near }, ruler: null,
  };
}

export const ONE = [
  walked("parabola", [3], 0.2), walked("parabola", [3], 1), walked("parabola", [3], 1.1), walked("parabola", [3], 0.1, { momentum: 0.9, maxSteps: 400 }),
  walked("parabola", [0], 0.2), walked("parabola", [30], 0.2), walked("wells", [1.7], 0.12), walked("wells", [0.3], 0.37, { maxSteps: 1000 }),
  walked("kink", [2.3], 0.3), walked("plateau", [5], 0.5), walked("log", [2], 0.3), walked("log", [-0.5], 0.3), walked("pole", [1], 0.1),
  walked("nowhere", [1], 0.1), walked("constant", [0], 1), walked("parabola", [3], 0.2, { maxSteps: 0 }),
];
export const TWO = [
  walked("himmelblau", [0, 0], 0.01), walked("himmelblau", [0, 0], 0.2), walked("ravine", [-9, 1.5], 0.04, { momentum: 0.9, maxSteps: 300 }),
  walked("ravine", [-9, 0.5], 0.09), walked("half", [2.5, 1], 0.1), walked("three", [1, 1, 0], 0.1),
];

export const stateAt = (step) => ({
  formula: "", parameters: [], start: [0], rate: 0.1, rule: "gradient_descent", options: {}, maxSteps: 60, derivative: "exact", rival: "",
  rivalOptions: {}, rivalRate: 0.1, step, logH: -1, seed: 0,
});
