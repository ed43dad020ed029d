// Ruler, zoom, error against h, phase, methods and atlas: what they say and where they draw it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { textEdges } from "../../gdsim/page/js/draw/frame.js";
import { atlasCell, atlasParts, atlasSpecOf, emptyAtlas, fillAtlas } from "../../gdsim/page/js/engine/atlas_grid.js";
import { simulate } from "../../gdsim/page/js/engine/descent.js";
import { atlasRequest, atlasServer } from "../../gdsim/page/js/engine/worker.js";
import { atlasView } from "../../gdsim/page/js/views/atlas.js";
import { methodRows } from "../../gdsim/page/js/views/methods.js";
import { drawnRecords, phaseView } from "../../gdsim/page/js/views/phase.js";
import { rulerView, standingOf } from "../../gdsim/page/js/views/ruler.js";
import { agreeingDigits, errorRuledBy, quotientErrors, sliceAt } from "../../gdsim/page/js/views/secants.js";
import { vcurveView } from "../../gdsim/page/js/views/vcurve.js";
import { allDigits, zoomNumbers, zoomView } from "../../gdsim/page/js/views/zoom.js";

const lossWith = (text, weights, value, gradient, hessian) => ({
  text, weights, parameters: [], columns: [], value: (w) => value(w),
  gradient: (w, p, d, out) => void gradient(w).forEach((one, k) => (out[k] = one)),
  hessian: (w, p, d, out) => void hessian(w).forEach((one, k) => (out[k] = one)),
});
const LOSSES = {
  parabola: lossWith("w^2", ["w"], ([w]) => w * w, ([w]) => [2 * w], () => [2]),
  wells: lossWith("(w^2 - 1)^2", ["w"], ([w]) => (w * w - 1) ** 2, ([w]) => [4 * w * (w * w - 1)], ([w]) => [12 * w * w - 4]),
  kink: lossWith("abs(w)", ["w"], ([w]) => Math.abs(w), ([w]) => [Math.sign(w)], () => [0]),
  bowl: lossWith("x^2 + 5*y^2", ["x", "y"], ([x, y]) => x * x + 5 * y * y, ([x, y]) => [2 * x, 10 * y], () => [2, 0, 0, 10]),
};
const point = (weight, kind, curvature) => ({
  weight, kind, curvature, loss: 0, proof: "certified", interval: [], multiplicity: 1, boundary: false,
});
const POINTS = {
  parabola: [point([0], "minimum", [2])],
  wells: [point([-1], "minimum", [8]), point([0], "maximum", [-4]), point([1], "minimum", [8])],
  kink: [point([0], "kink", [])],
  bowl: [point([0, 0], "minimum", [2, 10])],
};
const plain = (name, step) => ({
  name, summary: "", options: [], state: [], adaptive: false, needsHessian: false, initial: () => [], step,
});
const emitted = {
  losses: LOSSES,
  rules: { gradient_descent: plain("gradient_descent", (w, g, rate) => -rate * g), adam: plain("adam", (w, g, rate) => -rate * Math.sign(g)) },
  schedules: {
    constant: { name: "constant", summary: "", options: [], rate: (initial) => initial, changesUntil: () => 0, risesUntil: () => 0 },
  },
};

function outcomeOf(name, set = {}) {
  const loss = LOSSES[name];
  const state = {
    formula: "", parameters: [], start: loss.weights.map(() => 1.7), rate: 0.1, rule: "gradient_descent", options: {}, maxSteps: 200,
    derivative: "exact", rival: "", rivalOptions: {}, rivalRate: 0.1, step: 0, logH: -3, seed: 0, ...set,
  };
  const problem = {
    loss, parameters: [], data: [], start: state.start, rate: { initial: state.rate, schedule: "constant", options: {}, warmup: 0 },
    rule: { name: state.rule, options: state.options }, derivative: { method: "exact" },
    stopping: { maxSteps: state.maxSteps, tolerance: 1e-8, bound: 1e8 }, noise: null, clip: null, lineSearch: false, seed: 0,
    domain: loss.weights.map(() => [-2, 2]),
  };
  const trajectory = simulate(problem, emitted);
  const settled = trajectory.status === "CONVERGED" ? POINTS[name][POINTS[name].length - 1] : null;
  const verdict = { kind: settled ? settled.kind : "diverged", sentence: "", remedy: "", period: 0, point: settled };
  const outcome = { problem, trajectory, search: { domain: problem.domain, points: POINTS[name], complete: true }, verdict, ruler: null };
  return { outcome, state };
}

/** The whole atlas at once; `onRows` is told each part. */
function computeAtlas(problem, spec, onRows = () => {}) {
  const atlas = emptyAtlas(spec);
  for (const part of atlasParts(problem, emitted, spec)) {
    fillAtlas(atlas, part);
    onRows(part);
  }
  atlas.done = true;
  return atlas;
}

const atlases = new Map();
function atlasOf(name, outcome) {
  if (!atlases.has(name)) atlases.set(name, computeAtlas(outcome.problem, atlasSpecOf(outcome, 24, 16)));
  return atlases.get(name);
}

const CASES = [
  ["parabola", {}], ["parabola", { rate: 1.1, step: 7 }], ["parabola", { rate: 1e-5, logH: -16 }], ["parabola", { rate: 900, step: 3 }],
  ["wells", { start: [0.3], step: 5, logH: -9 }], ["wells", { start: [2], rate: 0.9 }], ["kink", { start: [0] }], ["kink", { rate: 0.3 }],
  ["bowl", { step: 2 }], ["bowl", { rate: 0.21, logH: 0 }], ["parabola", { rule: "adam" }], ["parabola", { start: [NaN] }],
];
const BOXES = [[328, 170], [328, 300], [328, 460], [720, 300], [1240, 420]];

const drawnScenes = [];
function scenes() {
  if (drawnScenes.length === 0) drawnScenes.push(...drawScenes());
  return drawnScenes;
}

function drawScenes() {
  const all = [];
  for (const [name, set] of CASES) {
    const { outcome, state } = outcomeOf(name, set);
    for (const [width, height] of BOXES) {
      const box = { width, height };
      const drawn = height < 300 ? { rulerView } : { rulerView, zoomView, vcurveView, phaseView };
      for (const [view, draw] of Object.entries(drawn)) {
        all.push([`${view} of ${name} ${JSON.stringify(set)} on ${width}×${height}`, draw(outcome, state, box, outcome), box]);
      }
      if (height >= 300 && Number.isFinite(state.start[0])) {
        const atlas = atlasOf(name, outcomeOf(name).outcome);
        all.push([`atlas of ${name} on ${width}×${height}`, atlasView(outcome, state, box, atlas), box]);
      }
    }
  }
  return all;
}

function flat(items) {
  return items.flatMap((item) => (item.kind === "clip" ? flat(item.items) : [item]));
}

test("no number of a picture is NaN or infinite", () => {
  for (const [what, scene] of scenes()) {
    for (const item of flat(scene.items)) {
      const numbers = "points" in item ? [...item.points] : [item.x, item.y];
      assert.ok(numbers.every(Number.isFinite), `${what}: ${item.kind} ${item.text ?? ""}`);
    }
  }
});

test("all texts stand inside the box", () => {
  for (const [what, scene, { width, height }] of scenes()) {
    for (const item of flat(scene.items)) {
      if (item.kind !== "text") continue;
      const [left, top, right, bottom] = textEdges(item);
      assert.ok(left > -4 && right < width + 4 && top > -4 && bottom < height + 4, `${what}: ${item.text}`);
    }
  }
});

test("no text stands on another", () => {
  for (const [what, scene] of scenes()) {
    const texts = flat(scene.items).filter((item) => item.kind === "text");
    texts.forEach((one, k) => {
      const [left, top, right, bottom] = textEdges(one);
      for (const other of texts.slice(k + 1)) {
        const edges = textEdges(other);
        const wide = Math.min(right, edges[2]) - Math.max(left, edges[0]), high = Math.min(bottom, edges[3]) - Math.max(top, edges[1]);
        assert.ok(wide < 1 || high < 0.4 * one.size, `${what}: ${one.text} on ${other.text}`);
      }
    });
  }
});

test("every picture says what it shows", () => {
  for (const [what, scene] of scenes()) assert.ok(scene.label.length > 30 && !/undefined|NaN/.test(scene.label), what);
});

test("the digits of the zoom settle, then rounding takes over", () => {
  const { outcome, state } = outcomeOf("wells");
  const slice = sliceAt(outcome, state);
  const digits = [0, -2, -4, -8, -11, -14].map((logH) => zoomNumbers(slice, logH).digits);
  assert.ok(digits[0] < digits[1] && digits[1] < digits[2] && digits[2] < digits[3], String(digits));
  assert.ok(digits[3] > digits[4] && digits[4] > digits[5], String(digits));
  assert.equal(errorRuledBy(slice, 1e-3), "bend");
  assert.equal(errorRuledBy(slice, 1e-12), "rounding");
  assert.equal(errorRuledBy(slice, 1e-17), "lost");
  assert.match(zoomView(outcome, { ...state, logH: -12 }, { width: 720, height: 400 }, null).label, /Round-off takes over/);
});

test("a kink is told from a bend, and a flat bend from a kink", () => {
  const at = (name, start) => sliceAt(outcomeOf(name, { start: [start] }).outcome, outcomeOf(name).state);
  assert.equal(errorRuledBy(at("kink", 0), 1e-4), "kink");
  assert.equal(errorRuledBy(at("parabola", 0), 1e-4), "bend");
  assert.equal(errorRuledBy(at("wells", 1), 1e-4), "bend");
  assert.equal(errorRuledBy(at("kink", 1), 1e-4), "rounding");
});

test("digits agree to where both round alike", () => {
  assert.equal(agreeingDigits(19.9999, 20), 5);
  assert.equal(agreeingDigits(-1.529, -1.5), 2);
  assert.equal(agreeingDigits(1, -1.5), 0);
  assert.equal(agreeingDigits(20, 20), 16);
  assert.equal(agreeingDigits(0.001, 0), 2);
});

test("a number is written with all its digits", () => {
  assert.equal(allDigits(-1.5289999999999997), "−1.5289999999999997");
  assert.equal(allDigits(1.25e-7), "1.25×10⁻⁷");
  assert.equal(allDigits(-3e22), "−3×10²²");
});

test("the error of the forward quotient is a V over h", () => {
  const { outcome, state } = outcomeOf("wells");
  const errors = quotientErrors(sliceAt(outcome, state), "forward");
  const best = errors.indexOf(Math.min(...errors));
  assert.ok(best > 26 && best < 38, String(best));
  assert.ok(errors[0] > 1e3 * errors[best] && errors[60] > 1e3 * errors[best]);
});

test("the ruler of the parabola turns at 1/2 and at 1", () => {
  const band = (rate) => {
    const { outcome, state } = outcomeOf("parabola", { rate });
    return standingOf(outcome, state).band;
  };
  assert.deepEqual([0.2, 0.5, 0.51, 0.99, 1, 1.1].map(band),
    ["monotone", "monotone", "oscillating", "oscillating", "diverging", "diverging"]);
});

test("η is on the ruler, whatever it is, and its words are in the bands", () => {
  for (const rate of [0, 1e-6, 0.004, 0.3, 0.99, 1.4, 1.6, 30, 1e5]) {
    const { outcome, state } = outcomeOf("parabola", { rate, maxSteps: 20 });
    const { items } = rulerView(outcome, state, { width: 328, height: 180 });
    const texts = items.filter((item) => item.kind === "text").map(({ text }) => text);
    for (const word of ["monotone", "oscillating", "diverging", "1/L = 0.5", "2/L = 1"]) assert.ok(texts.includes(word), `${rate}: ${word}`);
    const marks = items.filter((item) => item.kind === "line" && item.colour === "path");
    assert.ok(marks.every(({ points }) => points[0] >= 14 && points[0] <= 314), String(rate));
  }
});

test("words of bands too narrow for them do not lie upon each other", () => {
  for (const [rate, curvature] of [[0.2, 2], [1e-250, 2], [1e250, 2], [0.1, 2e300], [1e9, 1e-299]]) {
    const { outcome, state } = outcomeOf("parabola", { rate, maxSteps: 20 });
    const steep = { ...outcome.search.points[0], curvature: [curvature] };
    const told = { ...outcome, search: { ...outcome.search, points: [steep] }, verdict: { ...outcome.verdict, kind: "still_moving" } };
    const { items } = rulerView(told, state, { width: 328, height: 180 });
    const bands = items.filter((item) => item.kind === "text" && /monotone|oscillating|diverging/.test(item.text));
    assert.ok(bands.length >= 2, String(rate));
    bands.forEach((one, k) => bands.slice(k + 1).forEach((other) => {
      assert.ok(one.y !== other.y || Math.abs(one.x - other.x) > 70, `${rate}: ${one.text} and ${other.text}`);
    }));
  }
});

test("a click on the ruler sets the learning rate there", () => {
  const { outcome, state } = outcomeOf("parabola");
  const scene = rulerView(outcome, state, { width: 328, height: 180 });
  assert.deepEqual(scene.pick(14 + 200, 80), { rate: 1 });
  assert.equal(scene.pick(0, 80), null);
});

test("without a ruler the picture says why", () => {
  const { outcome, state } = outcomeOf("parabola", { rule: "adam" });
  assert.match(rulerView(outcome, state, { width: 328, height: 180 }).label, /nothing about the rule adam/);
  const kinked = outcomeOf("kink");
  assert.match(rulerView(kinked.outcome, kinked.state, { width: 328, height: 180 }).label, /no minimum with a curvature/);
});

test("a click in the error of the zoom sets h", () => {
  const { outcome, state } = outcomeOf("wells");
  const scene = zoomView(outcome, state, { width: 1240, height: 420 }, null);
  const picked = scene.pick(1000, 250);
  assert.ok(picked.logH > -16 && picked.logH < 0 && Number.isInteger(Math.round(10 * picked.logH)), JSON.stringify(picked));
  assert.equal(scene.pick(100, 250), null);
});

test("of many records the extremes are drawn", () => {
  const track = Float64Array.from({ length: 20001 }, (_, k) => Math.sin(k) / (1 + k));
  const records = drawnRecords(track);
  assert.ok(records.length < 900);
  assert.ok(records.includes(track.indexOf(Math.max(...track))) && records.every((k, j) => j === 0 || k > records[j - 1]));
});

test("the methods agree at the present weights, and Python's values are told apart", () => {
  const { outcome, state } = outcomeOf("wells", { step: 3 });
  const rows = methodRows(outcome, state, {
    methods: [{ name: "analytic", value: [1], error: null, evaluations: 1 }, { name: "scipy derivative", value: [1], error: 0, evaluations: 11 }],
  });
  assert.deepEqual(rows.map(({ name, live }) => [name, live]), [
    ["analytic", true], ["forward difference", true], ["central difference", true], ["dual numbers", true], ["scipy derivative", false],
  ]);
  const exact = rows[0].value[0];
  assert.ok(rows[1].error < 1e-6 * Math.abs(exact) && rows[2].error < 1e-9 * Math.abs(exact) && rows[3].error < 1e-14 * Math.abs(exact));
});

test("an atlas grows from coarse to fine and ends as its cells are", () => {
  const { outcome } = outcomeOf("wells");
  const spec = atlasSpecOf(outcome, 13, 10);
  const atlas = emptyAtlas(spec), strides = [];
  const whole = computeAtlas(outcome.problem, spec, (part) => {
    fillAtlas(atlas, part);
    strides.push(part.stride);
    if (strides.length === 2) assert.ok(atlas.cells.every((code) => code > 0));
  });
  assert.deepEqual(atlas.cells, whole.cells);
  assert.deepEqual([...new Set(strides)], [8, 4, 2, 1]);
  for (const [row, column] of [[0, 0], [9, 12], [3, 7]]) {
    assert.equal(whole.cells[row * 13 + column], atlasCell(outcome.problem, emitted, spec, row, column));
  }
});

test("what an atlas shows stays while the rate is changed, and holds the rate and start", () => {
  const spec = atlasSpecOf(outcomeOf("wells").outcome, 4, 4);
  assert.deepEqual(atlasSpecOf(outcomeOf("wells", { rate: 0.3 }).outcome, 4, 4), spec);
  for (const [rate, start] of [[1e-7, 9], [40, -9], [0.1, 2]]) {
    const { rates, starts } = atlasSpecOf(outcomeOf("wells", { rate, start: [start], maxSteps: 5 }).outcome, 4, 4);
    assert.ok(rates[0] <= rate && rate <= rates[1] && starts[0] <= start && start <= starts[1], `${rate} ${start}`);
  }
});

test("a click in the atlas sets learning rate and start", () => {
  const { outcome, state } = outcomeOf("bowl");
  const scene = atlasView(outcome, state, { width: 720, height: 420 }, atlasOf("bowl", outcome));
  const picked = scene.pick(400, 150);
  assert.ok(picked.rate > 0 && picked.start.length === 2 && picked.start[1] === state.start[1], JSON.stringify(picked));
  assert.equal(scene.pick(1, 1), null);
});

test("a worker answers the newest request alone, as the page itself would", async () => {
  const { outcome, state } = outcomeOf("wells");
  const spec = atlasSpecOf(outcome, 24, 16), lab = { loss: "wells" };
  const request = (id, formula) => structuredClone(atlasRequest(id, outcome, lab, { ...state, formula }, spec));
  const answers = [];
  await new Promise((resolve) => {
    const serve = atlasServer(emitted, (answer) => {
      answers.push(answer);
      if (answer.id === 2 && answer.done) resolve();
    });
    serve({ ...request(1, ""), spec: { ...spec, columns: 4000, rows: 2000 } });
    serve(request(2, "(w^2 - 1)^2"));
  });
  assert.ok(answers.every(({ id, done }) => id === 2 || !done));
  const atlas = emptyAtlas(spec);
  for (const { id, parts } of answers) if (id === 2) for (const part of parts) fillAtlas(atlas, part);
  assert.deepEqual(atlas.cells, computeAtlas(outcome.problem, spec).cells);
});

test("a worker says when it cannot read a formula", () => {
  const { outcome, state } = outcomeOf("wells");
  const answers = [];
  const serve = atlasServer(emitted, (answer) => answers.push(answer));
  serve(atlasRequest(1, outcome, { loss: "wells" }, { ...state, formula: "w +" }, atlasSpecOf(outcome, 2, 2)));
  assert.ok(answers.length === 1 && answers[0].done && answers[0].error.length > 0);
});
