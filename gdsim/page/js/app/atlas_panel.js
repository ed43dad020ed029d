// The atlas: asked of a worker, painted as its parts come in.

import { atlasSpecOf, emptyAtlas, fillAtlas } from "../engine/atlas_grid.js";
import { atlasRequest } from "../engine/worker.js";
import { atlasView } from "../views/atlas.js";
import { make, setText } from "./elements.js";
import { figureOf } from "./figures.js";
import { startWorker } from "./start.js";

/** @import {Atlas} from "../engine/atlas_grid.js" */
/** @import {AtlasAnswer} from "../engine/worker.js" */
/** @import {Desk} from "./desk.js" */
/** @import {Part} from "./fields.js" */
/** @import {Figure} from "./figures.js" */

const ATLAS_COLUMNS = 120;
const ATLAS_ROWS = 80;
const ATLAS_WAIT = 200; // milliseconds without a change before one is asked for

/**
 * @param {Desk} desk
 * @returns {Part & {figure: Figure}}
 */
export function atlasPanel(desk) {
  /** @type {Atlas | null} */
  let atlas = null;
  /** @type {Worker | null} */
  let worker = null;
  let asked = "", id = 0, timer = 0;
  const figure = figureOf(desk, "atlas", "Atlas", (box) => atlasView(desk.outcome, desk.state, box, atlas), true);
  const note = make("p", { class: "help" }, "Each point is a run with that learning rate and start. Click to take both.");
  const take = (/** @type {MessageEvent<AtlasAnswer>} */ { data }) => {
    if (data.id !== id || !atlas) return;
    data.parts.forEach((part) => fillAtlas(/** @type {Atlas} */ (atlas), part));
    atlas.done = data.done;
    if (data.error) setText(note, "The atlas could not be computed: " + data.error);
    figure.redraw();
  };
  const ask = () => {
    const { outcome, lab, state } = desk;
    if (!worker) {
      worker = startWorker();
      worker?.addEventListener("message", take);
    }
    if (!worker) {
      setText(note, "This browser starts no worker for a page from a file; there is no atlas.");
      return;
    }
    const spec = atlasSpecOf(outcome, ATLAS_COLUMNS, ATLAS_ROWS);
    atlas = emptyAtlas(spec);
    worker.postMessage(atlasRequest(++id, outcome, lab, state, spec));
  };
  return {
    element: make("div", {}, figure.element, note),
    figure,
    update() {
      const { outcome, state } = desk;
      if (state.rate > 0) {
        const { loss, rate, start, ...problem } = outcome.problem;
        const key = JSON.stringify([state.formula, loss.weights, start.slice(1), rate.schedule, problem,
          atlasSpecOf(outcome, ATLAS_COLUMNS, ATLAS_ROWS)]);
        if (key !== asked) {
          asked = key;
          clearTimeout(timer);
          timer = setTimeout(ask, atlas ? ATLAS_WAIT : 0);
        }
      }
      figure.update();
    },
  };
}
