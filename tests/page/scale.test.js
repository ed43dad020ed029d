// Scales, ticks and numbers as people read them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { frameOf, makeRoom, textEdges } from "../../gdsim/page/js/draw/frame.js";
import { labelled, makeScale, niceTicks, robustLimits, shortNumber, ticksOf } from "../../gdsim/page/js/draw/scale.js";
import { THEMES } from "../../gdsim/page/js/draw/theme.js";

const SCALES = [
  ["linear", -1, 4], ["linear", 1e6, 1e6 + 3], ["linear", -1e-5, 3e-5], ["linear", -1e300, 1e300], ["linear", 0, 0], ["linear", 5, -5],
  ["linear", 1e-300, 3e-300], ["linear", 1e16, 1e16 + 8], ["linear", -1e308, 1e308], ["linear", NaN, Infinity],
  ["log", 1e-17, 30], ["log", 0.3, 20], ["log", 3, 4], ["log", 1e-300, 1e300], ["log", 0, 5], ["log", 2, 2],
  ["symlog", -1e4, 1e6], ["symlog", -3, 0.5], ["symlog", 0, 1e9],
];

for (const [kind, low, high] of SCALES) {
  test(`${kind} scale from ${low} to ${high}: its inverse takes back, ticks ascend inside with labels of their own`, () => {
    const scale = makeScale(kind, low, high, 40, 640);
    for (const pixel of [40, 100, 333, 640]) assert.ok(Math.abs(scale.at(scale.back(pixel)) - pixel) < 1e-6 * 600, `${pixel}`);
    assert.ok(Math.abs(scale.at(scale.low) - 40) < 1e-9 && Math.abs(scale.at(scale.high) - 640) < 1e-9);
    for (const most of [1, 2, 4, 7, 12]) {
      const { values, labels } = ticksOf(scale, most);
      assert.ok(values.length >= 1 && values.length <= 2 * most + 3, `${values.length} ticks for ${most}`);
      assert.equal(new Set(labels).size, labels.length);
      values.forEach((one, k) => {
        assert.ok(one >= scale.low && one <= scale.high, `${one} outside`);
        assert.ok(k === 0 || one > values[k - 1]);
      });
      assert.ok(labels.every((one) => !one.includes("-") && !one.includes("NaN")), labels.join(" "));
    }
  });
}

test("pixels of far numbers stay drawable, and nan stays nan", () => {
  const scale = makeScale("linear", 0, 1, 0, 100);
  assert.equal(scale.at(1e300), 1e6);
  assert.equal(scale.at(-Infinity), -1e6);
  assert.ok(Number.isNaN(scale.at(NaN)));
});

test("whole ticks are whole", () => assert.deepEqual(niceTicks(0, 2, 9, true), [0, 1, 2]));

test("long labels share a power of ten, and minus is a true minus", () => {
  assert.deepEqual(labelled([-2e-5, 0, 2e-5]), { values: [-2e-5, 0, 2e-5], labels: ["−2", "0", "2"], factor: "×10⁻⁵" });
  assert.deepEqual(ticksOf(makeScale("log", 1e-9, 1e3, 0, 100), 7).labels, ["10⁻⁸", "10⁻⁶", "10⁻⁴", "10⁻²", "10⁰", "10²"]);
});

test("short numbers are those of Python's figures", () => {
  const said = [-0.25, 1e-9, 12345678, 12345, 0, -0, NaN, -Infinity, 1234.6].map((one) => shortNumber(one));
  assert.deepEqual(said, ["−0.25", "1×10⁻⁹", "1.235×10⁷", "1.235×10⁴", "0", "0", "not a number", "−∞", "1235"]);
});

test("limits are those of Python's curve", () => {
  assert.deepEqual(robustLimits([0, 1, 2], [0]), [-0.16, 2.24]);
  const [, top] = robustLimits(Float64Array.from({ length: 100 }, (_, k) => (k < 90 ? k / 90 : 1e6)), []);
  assert.ok(top < 2, "a wall is cut");
  assert.deepEqual(robustLimits([NaN, Infinity], []), [-1, 1]);
});

/**
 * The contrast of two colours written #rrggbb, from 1 to 21 (WCAG 2.2).
 * @param {string} one
 * @param {string} other
 * @returns {number}
 */
function contrastOf(one, other) {
  const [dark, bright] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (bright + 0.05) / (dark + 0.05);
}

/**
 * @param {string} colour
 * @returns {number}
 */
function luminance(colour) {
  const parts = [1, 3, 5].map((k) => parseInt(colour.slice(k, k + 2), 16) / 255);
  const [red, green, blue] = parts.map((one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

test("letters have a contrast of 4.5 on ground and panel in each theme", () => {
  for (const { name, text, lines } of Object.values(THEMES)) {
    for (const colour of Object.keys(text)) {
      if (["ground", "panel"].includes(colour)) continue;
      for (const ground of [lines.ground, lines.panel]) assert.ok(contrastOf(text[colour], ground) >= 4.5, `${name} ${colour}`);
    }
    for (const colour of ["loss", "path", "rival", "tangent", "secant", "minimum", "maximum", "saddle", "left", "right", "limit"]) {
      assert.ok(contrastOf(lines[colour], lines.ground) >= 3, `${name} ${colour}`);
    }
  }
});

test("a text is put where nothing stands, and off lines where it can be", () => {
  const room = makeRoom(0, 0, 200, 100), items = [];
  const text = { kind: "text", x: 100, y: 50, text: "word", colour: "ink", size: 12 };
  const spots = [{ dx: 0, dy: 0, anchor: "middle", baseline: "middle" }, { dx: 0, dy: 30, anchor: "middle", baseline: "middle" }];
  room.shun([0, 50, 200, 50]);
  assert.ok(room.put(items, text, spots));
  assert.equal(items[0].y, 80);
  assert.ok(!room.put(items, text, spots.slice(1)));
  assert.ok(!room.put(items, text, spots.slice(0, 1), true));
  assert.ok(room.put(items, text, spots.slice(0, 1)));
});

test("a frame keeps its labels inside the box and apart", () => {
  for (const [width, height] of [[320, 180], [360, 300], [768, 420], [1400, 700]]) {
    for (const [low, high] of [[-1e-7, 1e-7], [-4000, 123456], [0, 1e300]]) {
      const wish = { low, high, name: "weight w" };
      const legend = Array.from({ length: 5 }, (_, k) => ({ text: `entry ${k}`, colour: "loss" }));
      const { items, x, backX } = frameOf({ box: { width, height }, x: wish, y: { ...wish, name: "loss" }, legend });
      const edges = items.filter((one) => one.kind === "text").map(textEdges);
      edges.forEach(([x0, y0, x1, y1], k) => {
        assert.ok(x0 >= 0 && y0 >= 0 && x1 <= width && y1 <= height, `${items.filter((one) => one.kind === "text")[k].text} in ${width}`);
        for (const [u0, v0, u1, v1] of edges.slice(k + 1)) assert.ok(x0 >= u1 || x1 <= u0 || y0 >= v1 || y1 <= v0);
      });
      assert.ok(Math.abs(backX(x(0.3 * high)) - 0.3 * high) <= 1e-9 * high);
    }
  }
});
