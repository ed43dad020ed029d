// The page's own script, run once more as a worker: it answers requests for an atlas and nothing else.

import { atlasParts } from "./atlas_grid.js";
import { lossOf } from "./jets.js";

/** @import {AtlasPart, AtlasSpec} from "./atlas_grid.js" */
/** @import {Emitted, LabData, Loss, Outcome, Problem, State} from "../types.js" */

/**
 * A problem without its functions, which cannot be posted: its loss by key, or by the text the reader typed.
 * @typedef {object} AtlasRequest
 * @property {"atlas"} kind
 * @property {number} id of requests that follow each other, the newest alone is answered to its end
 * @property {string} loss
 * @property {string} formula
 * @property {Omit<Problem, "loss">} problem
 * @property {AtlasSpec} spec
 */

/**
 * @typedef {object} AtlasAnswer
 * @property {"atlas"} kind
 * @property {number} id
 * @property {AtlasPart[]} parts
 * @property {boolean} done
 * @property {string} [error]
 */

const ATLAS_SLICE = 25; // milliseconds of work between looks at the post

/**
 * @param {number} id
 * @param {Outcome} outcome
 * @param {LabData} lab
 * @param {State} state
 * @param {AtlasSpec} spec
 * @returns {AtlasRequest}
 */
export function atlasRequest(id, outcome, lab, state, spec) {
  /** @type {Omit<Problem, "loss"> & {loss?: Loss}} */
  const problem = { ...outcome.problem };
  delete problem.loss;
  return { kind: "atlas", id, loss: lab.loss, formula: state.formula, problem, spec };
}

/**
 * Returns what a worker does with a message.
 * @param {Emitted} emitted
 * @param {(answer: AtlasAnswer) => void} post
 * @returns {(request: AtlasRequest) => void}
 */
export function atlasServer(emitted, post) {
  let newest = -Infinity;
  return (request) => {
    if (request.kind !== "atlas") return;
    const { id } = request;
    newest = id;
    /** @type {Generator<AtlasPart, void, void>} */
    let all;
    const work = () => {
      if (id !== newest) return;
      const parts = [];
      const until = Date.now() + ATLAS_SLICE;
      let done = false;
      while (!done && Date.now() < until) {
        const next = all.next();
        if (next.value) parts.push(next.value);
        done = next.done === true;
      }
      post({ kind: "atlas", id, parts, done });
      if (!done) setTimeout(work, 0);
    };
    try {
      all = atlasParts({ ...request.problem, loss: requestedLoss(request, emitted) }, emitted, request.spec);
      work();
    } catch (error) {
      post({ kind: "atlas", id, parts: [], done: true, error: String(error) });
    }
  };
}

/**
 * @param {AtlasRequest} request
 * @param {Emitted} emitted
 * @returns {Loss}
 */
function requestedLoss(request, emitted) {
  const own = emitted.losses[request.loss];
  if (request.formula === "") return own;
  return lossOf(request.formula, own.parameters, own.columns);
}
