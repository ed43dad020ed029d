// What a reader takes along: pictures, the steps as CSV, the scenario as YAML.

import { paintScene } from "../draw/canvas.js";
import { svgOf } from "../draw/svg.js";
import { THEMES } from "../draw/theme.js";
import { themeNow } from "./appearance.js";
import { titleOf } from "./desk.js";
import { button, make } from "./elements.js";
import { scenarioYaml, trajectoryCsv } from "./files.js";

/** @import {Scene} from "../types.js" */
/** @import {Desk} from "./desk.js" */
/** @import {Part} from "./fields.js" */
/** @import {Figure} from "./figures.js" */

const PNG_RATIO = 3;

/**
 * Hands a file over.
 * @param {string} name
 * @param {Blob} content
 */
export function download(name, content) {
  const url = URL.createObjectURL(content);
  const link = make("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/**
 * @param {Scene} scene
 * @param {string} name
 */
function savePng(scene, name) {
  const canvas = make("canvas", { width: Math.round(scene.width * PNG_RATIO), height: Math.round(scene.height * PNG_RATIO) });
  const brush = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  paintScene(brush, scene, themeNow(), PNG_RATIO);
  canvas.toBlob((blob) => {
    if (blob) download(name, blob);
  });
}

/**
 * @param {Desk} desk
 * @param {() => Figure[]} figures those that are open, the one to offer first
 * @returns {Part}
 */
export function exportsOf(desk, figures) {
  const select = make("select", { id: desk.id + "-picture" });
  const chosen = () => figures().find((one) => one.name === select.value) ?? figures()[0];
  const stem = (/** @type {string} */ what) => desk.lab.name + (what ? "-" + what : "");
  const text = (/** @type {string} */ content, /** @type {string} */ type) => new Blob([content], { type });
  const svg = () => {
    const figure = chosen(), dark = themeNow() === THEMES.dark;
    const content = svgOf(figure.drawing(figure.box()), dark ? THEMES.dark : THEMES.light, titleOf(desk));
    download(stem(figure.name) + ".svg", text(content, "image/svg+xml"));
  };
  const png = () => savePng(chosen().drawing(chosen().box()), stem(chosen().name) + ".png");
  const csv = () => download(stem("trajectory") + ".csv", text(trajectoryCsv(desk), "text/csv"));
  const yaml = () => download(stem("") + ".yaml", text(scenarioYaml(desk), "application/yaml"));
  const element = make("section", { class: "exports", "aria-label": "Save" },
    make("div", { class: "field" }, make("label", { for: select.id }, "Picture"), select),
    make("div", { class: "buttons" }, button("SVG", svg, { "aria-label": "Save the picture as SVG" }),
      button("PNG", png, { "aria-label": "Save the picture as PNG" }),
      button("Steps as CSV", csv), button("Scenario as YAML", yaml)));
  let offered = "";
  return {
    element,
    update() {
      const names = figures().map((one) => one.name).join();
      if (names === offered) return;
      offered = names;
      select.replaceChildren(...figures().map((one) => make("option", { value: one.name }, one.title)));
    },
  };
}
