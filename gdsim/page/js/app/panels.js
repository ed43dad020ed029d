// Panels: one open at a time, chosen by tabs.

import { make, roving, setAttribute } from "./elements.js";

/** @import {Desk} from "./desk.js" */
/** @import {Figure} from "./figures.js" */
/** @import {Part} from "./fields.js" */

/**
 * One panel: made when it is first opened.
 * @typedef {object} Panel
 * @property {string} name
 * @property {string} title
 * @property {() => (Part & {figure?: Figure})} make
 */

/**
 * @param {Desk} desk
 * @param {Panel[]} panels at least one
 * @returns {Part & {figure: () => Figure | null}}
 */
export function panelsOf(desk, panels) {
  /** @type {Map<string, Part & {figure?: Figure}>} */
  const made = new Map();
  const list = make("div", { role: "tablist", "aria-label": "Views" });
  const room = make("div", { class: "panel", role: "tabpanel", id: desk.id + "-panel", tabindex: 0 });
  const tabs = panels.map(({ name, title }) => {
    const tab = make("button", {
      type: "button", role: "tab", id: desk.id + "-tab-" + name, "aria-controls": desk.id + "-panel", "data-panel": name,
    }, title);
    tab.addEventListener("click", () => desk.open(name));
    return tab;
  });
  list.append(...tabs);
  roving(list, tabs, (place) => desk.open(panels[place].name));
  let shown = "";
  const openName = () => (panels.some((one) => one.name === desk.panel) ? desk.panel : panels[0].name);
  const openPart = () => {
    const name = openName(), panel = /** @type {Panel} */ (panels.find((one) => one.name === name));
    const part = made.get(name) ?? panel.make();
    made.set(name, part);
    return part;
  };
  const element = make("section", { class: "panels", "aria-label": "More views" }, list, room);
  return {
    element,
    figure: () => openPart().figure ?? null,
    update() {
      const name = openName(), part = openPart();
      if (name !== shown) {
        shown = name;
        room.replaceChildren(part.element);
        setAttribute(room, "aria-labelledby", desk.id + "-tab-" + name);
        tabs.forEach((tab, k) => {
          setAttribute(tab, "aria-selected", String(panels[k].name === name));
          tab.tabIndex = panels[k].name === name ? 0 : -1;
        });
      }
      part.update();
    },
  };
}
