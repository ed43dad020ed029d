// Curve, slope, convergence, contours and cobweb: no picture holds nan, words stand inside and apart, clicks set what they say.
import assert from "node:assert/strict";
import { test } from "node:test";
import { textEdges } from "../../gdsim/page/js/draw/frame.js";
import { paintScene } from "../../gdsim/page/js/draw/canvas.js";
import { svgOf } from "../../gdsim/page/js/draw/svg.js";
import { THEMES } from "../../gdsim/page/js/draw/theme.js";
import { cobwebView } from "../../gdsim/page/js/views/cobweb.js";
import { contourView } from "../../gdsim/page/js/views/contour.js";
import { convergenceView } from "../../gdsim/page/js/views/convergence.js";
import { curveView } from "../../gdsim/page/js/views/curve.js";
import { derivativeView, signStretches } from "../../gdsim/page/js/views/derivative.js";
import { contourRings, quantileLevels, ringLines } from "../../gdsim/page/js/views/isolines.js";
import { ONE, TWO, stateAt, walked } from "./outcomes.js";

const VIEWS = { curveView, derivativeView, convergenceView, contourView, cobwebView };
const BOXES = [[320, 180], [360, 300], [1400, 700]].map(([width, height]) => ({ width, height }));

const flat = (items) => items.flatMap((one) => (one.kind === "clip" ? [one, ...flat(one.items)] : [one]));
const isFine = (one) => (typeof one === "number" ? Number.isFinite(one) : typeof one !== "object" || one.every((part) => typeof part !== "number" || Number.isFinite(part)));

function checkScene(scene, what) {
  const items = flat(scene.items);
  for (const item of items) if (!Object.values(item).every(isFine)) assert.fail(`${what}: ${item.kind} ${JSON.stringify(item).slice(0, 200)}`);
  const texts = items.filter((one) => one.kind === "text"), edges = texts.map(textEdges);
  edges.forEach(([x0, y0, x1, y1], k) => {
    assert.ok(x0 >= 0 && y0 >= 0 && x1 <= scene.width && y1 <= scene.height, `${what}: ${texts[k].text} leaves the box`);
    for (let j = k + 1; j < edges.length; j++) {
      const [u0, v0, u1, v1] = edges[j];
      assert.ok(x0 >= u1 || x1 <= u0 || y0 >= v1 || y1 <= v0, `${what}: ${texts[k].text} on ${texts[j].text}`);
    }
  });
  assert.ok(scene.label.length > 20 && !/NaN|undefined|Infinity/.test(scene.label), `${what}: ${scene.label}`);
}

for (const [name, view] of Object.entries(VIEWS)) {
  test(`${name}: all numbers finite, words inside and apart, in every size, at every step looked at`, () => {
    for (const outcome of [...ONE, ...TWO]) {
      const last = outcome.trajectory.steps;
      for (const box of BOXES) {
        for (const step of new Set(box.width === 360 ? [0, Math.min(3, last), last] : [last])) {
          for (const rival of step === last ? [null, outcome.trajectory.weights === 1 ? ONE[3] : TWO[2]] : [null]) {
            if (rival && rival.trajectory.weights !== outcome.trajectory.weights) continue;
            const what = `${outcome.problem.loss.text} η=${outcome.problem.rate.initial} ${box.width}×${box.height} step ${step}`;
            checkScene(view(outcome, stateAt(step), box, rival), what);
          }
        }
      }
    }
  });
}

const box = { width: 600, height: 400 };

test("a click on the curve sets the start below it, inside the domain", () => {
  const { pick } = curveView(ONE[0], stateAt(0), box, null);
  assert.deepEqual(pick(-50, 100), { start: [-4] });
  assert.deepEqual(pick(1e4, 100), { start: [4] });
  const [middle] = pick(320, 10).start;
  assert.ok(middle > -1 && middle < 1 && String(middle).length <= 6, `${middle}`);
  assert.deepEqual(derivativeView(ONE[0], stateAt(0), box, null).pick(320, 0), pick(320, 0));
});

test("a click on contours sets the first two weights and leaves the others", () => {
  const { pick } = contourView(TWO[5], stateAt(0), box, null);
  assert.deepEqual(pick(-99, 1e4).start, [-2, -2, 0]);
});

test("a click beside the convergence sets a step of the run", () => {
  const { pick } = convergenceView(ONE[0], stateAt(0), box, null), { steps } = ONE[0].trajectory;
  assert.deepEqual([pick(-10, 0).step, pick(1e4, 0).step], [0, steps]);
});

test("steps beyond the frame are told by an arrow at the edge", () => {
  const words = flat(curveView(ONE[2], stateAt(9), { width: 900, height: 500 }, null).items).filter((one) => one.kind === "text").map((one) => one.text);
  assert.ok(words.some((one) => one.startsWith("step 2 at w = 4.32")), words.join("; "));
  assert.ok(words.includes("start") && words.includes("minimum"));
});

test("the strip says right, left, right, left over a double well", () => {
  const strip = flat(derivativeView(ONE[6], stateAt(0), { width: 1200, height: 400 }, null).items).filter((one) => one.kind === "text" && one.text.includes("moves"));
  assert.deepEqual(strip.map((one) => one.text.replace(/.*(left|right).*/, "$1")), ["right", "left", "right", "left"]);
});

test("after momentum the strip speaks of downhill, since the weight need not follow", () => {
  const texts = flat(derivativeView(ONE[3], stateAt(0), { width: 900, height: 400 }, null).items).filter((one) => one.kind === "text").map((one) => one.text);
  assert.ok(texts.some((one) => one.includes("downhill")) && !texts.some((one) => one.includes("moves")));
});

test("stretches end at known zeros, and flat pieces are stretches", () => {
  assert.deepEqual(signStretches([-1, -0.2, 1], [-2, -0.4, 2], [0]), [{ low: -1, high: 0, sign: -1 }, { low: 0, high: 1, sign: 1 }]);
  assert.deepEqual(signStretches([0, 1, 2, 3, 4], [-1, 0, 0, 0, 1], []).map((one) => one.sign), [-1, 0, 1]);
  assert.deepEqual(signStretches([0, 1, 2], [NaN, NaN, 1], []).map((one) => one.sign), [1]);
});

test("the curve has a gap where the loss jumps or is no number", () => {
  const lines = (outcome) => flat(curveView(outcome, stateAt(0), box, null).items).filter((one) => one.kind === "line" && one.colour === "loss");
  assert.equal(lines(ONE[0]).length, 1);
  assert.equal(lines(ONE[12]).length, 2);
  assert.equal(lines(ONE[13]).length, 0);
  const slopes = flat(derivativeView(ONE[8], stateAt(0), box, null).items).filter((one) => one.kind === "line" && one.colour === "loss");
  assert.equal(slopes.length, 2);
});

test("the tangent of a parabola has the slope that is written beside it", () => {
  const { items } = curveView(ONE[0], stateAt(1), box, null), all = flat(items);
  assert.ok(all.some((one) => one.text === "slope 3.6"));
  const [x0, y0, x1, y1] = all.find((one) => one.kind === "line" && one.colour === "tangent" && one.width === 2.2 && one.points[0] > 60 && one.points[1] !== one.points[3]).points;
  assert.ok(x1 > x0 && y1 < y0);
});

test("the cobweb says whether the minimum attracts, and that momentum remembers", () => {
  const said = (outcome) => flat(cobwebView(outcome, stateAt(1), { width: 900, height: 600 }, null).items).filter((one) => one.kind === "text").map((one) => one.text).join(" ");
  assert.match(said(ONE[0]), /1 − ηf″ = 0.6, attracts/);
  assert.match(said(ONE[1]), /neutral/);
  assert.match(said(ONE[2]), /repels/);
  assert.match(said(ONE[3]), /momentum remembers/);
});

test("rings of a cone are circles, closed at the border, with opposite turns inside and outside", () => {
  const n = 41, values = Float64Array.from({ length: n * n }, (_, k) => Math.hypot((k % n) - 20, Math.floor(k / n) - 20));
  const rings = contourRings(values, n, n, 10, 0, 0, 1, 1);
  assert.equal(rings.length, 2);
  const area = ({ points }) => points.reduce((sum, x, k) => (k % 2 ? sum : sum + x * points[(k + 3) % points.length] - points[(k + 2) % points.length] * points[k + 1]), 0) / 2;
  const [outer, inner] = rings.map(area);
  assert.ok(Math.abs(Math.abs(inner) - 100 * Math.PI) < 3 && Math.abs(Math.abs(outer) - 1600) < 1 && inner * outer < 0);
  const lines = rings.flatMap(ringLines);
  assert.equal(lines.length, 1);
  for (let k = 0; k < lines[0].length; k += 2) assert.ok(Math.abs(Math.hypot(lines[0][k] - 20, lines[0][k + 1] - 20) - 10) < 0.1);
});

test("levels ascend, closer together where values are low", () => {
  const levels = quantileLevels(Float64Array.from({ length: 1000 }, (_, k) => k), 10);
  assert.equal(levels.length, 9);
  assert.ok(levels[1] - levels[0] < levels[8] - levels[7]);
  assert.deepEqual(quantileLevels(new Float64Array(9).fill(3), 10), []);
  assert.deepEqual(quantileLevels(new Float64Array(9).fill(NaN), 10), []);
});

test("a map is drawn once and kept while the descent changes", () => {
  const area = (rate) => flat(contourView(walked("himmelblau", [0, 0], rate), stateAt(0), box, null).items).find((one) => one.kind === "area");
  assert.equal(area(0.01), area(0.011));
});

test("canvas and SVG paint the same words, and hostile names stay text", () => {
  const outcome = walked("parabola", [3], 0.2), hostile = '<script>alert("1")</script>&\u0000\ud800';
  outcome.problem.loss = { ...outcome.problem.loss, weights: [hostile] };
  for (const theme of Object.values(THEMES)) {
    const scene = curveView(outcome, stateAt(3), { width: 1400, height: 500 }, null), said = [];
    const brush = new Proxy({}, { get: (_, name) => (name === "fillText" ? (text) => said.push(text) : () => {}), set: () => true });
    paintScene(brush, scene, theme, 2);
    const svg = svgOf(scene, theme, hostile);
    assert.ok(!svg.includes("<script") && !svg.includes("\u0000") && !svg.includes("NaN"));
    assert.equal(svg.match(/<text/g).length, said.length);
    assert.ok(said.includes(`weight ${hostile}`));
  }
});
