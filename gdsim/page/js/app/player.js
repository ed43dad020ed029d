// The player: walks through the steps of a run.

import { button, make, setAttribute, setText } from "./elements.js";

/** @import {Desk} from "./desk.js" */
/** @import {Part} from "./fields.js" */

const SPEEDS = [1, 2, 5, 10, 30, 100];
const USUAL_SPEED = 5;

/**
 * @typedef {object} Playing
 * @property {() => boolean} on
 * @property {() => void} toggle
 * @property {() => void} stop
 * @property {(speed: number) => void} pace steps in a second
 */

/**
 * The clock that moves the shown step on. At the end it begins again from the start.
 * @param {Desk} desk
 * @param {() => void} changed
 * @returns {Playing}
 */
function clockOf(desk, changed) {
  let speed = USUAL_SPEED, timer = 0, since = 0, from = 0, expected = -1;
  const stop = () => {
    if (!timer) return;
    clearInterval(timer);
    timer = 0;
    changed();
  };
  const tick = () => {
    if (expected >= 0 && desk.state.step !== expected) [since, from] = [performance.now(), desk.state.step];
    const { steps } = desk.outcome.trajectory;
    const step = Math.min(steps, from + Math.floor((performance.now() - since) / 1000 * speed));
    if (step !== desk.state.step) desk.show(step);
    expected = step;
    if (step >= steps) stop();
  };
  const start = () => {
    if (desk.state.step >= desk.outcome.trajectory.steps) desk.show(0);
    [since, from, expected] = [performance.now(), desk.state.step, desk.state.step];
    timer = setInterval(tick, Math.max(16, 1000 / speed / 4));
    changed();
  };
  return {
    on: () => timer !== 0,
    toggle: () => (timer ? stop() : start()),
    stop,
    pace: (value) => {
      const was = timer !== 0;
      clearInterval(timer);
      [speed, timer] = [value, 0];
      if (was) start();
    },
  };
}

/**
 * @param {Desk} desk
 * @param {Playing} clock
 * @param {number} by
 */
function walk(desk, clock, by) {
  clock.stop();
  desk.show(desk.state.step + by);
}

/**
 * The player of a laboratory. Its keys: space plays and pauses, the arrows step, Home and End go to the ends.
 * @param {Desk} desk
 * @returns {Part & {keys: (event: KeyboardEvent) => void}}
 */
export function playerOf(desk) {
  const play = button("", () => clock.toggle(), { class: "play" });
  const speed = make("select", { id: desk.id + "-speed" },
    ...SPEEDS.map((one) => make("option", { value: one, selected: one === USUAL_SPEED }, one + "/s")));
  const slider = make("input", { type: "range", id: desk.id + "-step", min: 0, step: 1, class: "step-slider" });
  const count = make("output", { for: desk.id + "-step", class: "count" });
  const clock = clockOf(desk, () => {
    setText(play, clock.on() ? "Pause" : "Play");
    setAttribute(play, "aria-pressed", String(clock.on()));
  });
  const to = (/** @type {number} */ by) => () => walk(desk, clock, by);
  const buttons = [
    button("|◀", to(-Infinity), { "aria-label": "To the start", title: "To the start (Home)" }),
    button("◀", to(-1), { "aria-label": "One step back", title: "One step back (←)" }),
    play,
    button("▶", to(1), { "aria-label": "One step on", title: "One step on (→)" }),
    button("▶|", to(Infinity), { "aria-label": "To the end", title: "To the end (End)" }),
  ];
  setText(play, "Play");
  play.title = "Play or pause (space)";
  speed.addEventListener("change", () => clock.pace(Number(speed.value)));
  slider.addEventListener("input", () => walk(desk, clock, Number(slider.value) - desk.state.step));
  const element = make("section", { class: "player", "aria-label": "Steps" },
    make("div", { class: "buttons" }, ...buttons),
    make("label", { for: desk.id + "-step", class: "hidden" }, "Step shown"), slider, count,
    make("label", { for: desk.id + "-speed", class: "hidden" }, "Speed, steps in a second"), speed);
  return {
    element,
    keys: (event) => playerKey(event, desk, clock),
    update() {
      const { steps } = desk.outcome.trajectory, { step } = desk.state;
      setAttribute(slider, "max", String(steps));
      slider.value = String(step);
      setAttribute(slider, "aria-valuetext", "step " + step + " of " + steps);
      setText(count, "Step " + step + " of " + steps);
      setAttribute(buttons[0], "aria-disabled", step === 0 ? "true" : null);
      setAttribute(buttons[1], "aria-disabled", step === 0 ? "true" : null);
      setAttribute(buttons[3], "aria-disabled", step >= steps ? "true" : null);
      setAttribute(buttons[4], "aria-disabled", step >= steps ? "true" : null);
    },
  };
}

/**
 * @param {KeyboardEvent} event
 * @param {Desk} desk
 * @param {Playing} clock
 */
function playerKey(event, desk, clock) {
  if (event.altKey || event.ctrlKey || event.metaKey || event.defaultPrevented) return;
  const target = /** @type {Element} */ (event.target);
  if (target.closest("input, select, textarea, button, a, summary, [role=tab]")) return;
  /** @type {Record<string, () => void>} */
  const keys = {
    " ": () => clock.toggle(), ArrowRight: () => walk(desk, clock, 1), ArrowLeft: () => walk(desk, clock, -1),
    Home: () => walk(desk, clock, -Infinity), End: () => walk(desk, clock, Infinity),
  };
  const act = keys[event.key];
  if (!act) return;
  event.preventDefault();
  act();
}
