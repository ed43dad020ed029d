// Where the script of a scenario's page begins; the same script, started as a worker, computes atlases.

import { atlasServer } from "../engine/worker.js";
import { emitted } from "../emitted.js";
import { startWorkerOr } from "./start.js";
import { themeSwitch } from "./appearance.js";
import { titleOf } from "./desk.js";
import { setText } from "./elements.js";
import { mountLab } from "./laboratory.js";

/** @import {LabData} from "../types.js" */

/**
 * What Python writes into the page of a scenario.
 * @typedef {{kind: "scenario", lab: LabData, hide: string[]}} ScenarioPage
 */

function startScenarioPage() {
  /** @type {ScenarioPage} */
  const page = JSON.parse(document.getElementById("gdsim-data")?.textContent ?? "");
  const main = /** @type {HTMLElement} */ (document.querySelector("main"));
  const { desk } = mountLab(main, page.lab, emitted, { hide: page.hide, address: true });
  const heading = /** @type {HTMLElement} */ (document.querySelector("h1"));
  const name = () => setText(heading, document.title = titleOf(desk));
  desk.listen(name);
  name();
  if (!page.hide.includes("theme")) document.querySelector("header")?.append(themeSwitch());
}

startWorkerOr((post) => atlasServer(emitted, post), startScenarioPage);
