// @ts-check
// Start, pause, step, stop, reset; speed and learning rate; the time slider with its event marks.
import { pressWords } from "../common/press_words.js";
import { element, icon, iconButton, writeText } from "../common/dom.js";
import { formatNumber } from "../common/numbers.js";
import { estimateWords } from "./estimate.js";
import { seedsWords } from "../common/seed_words.js";
import { eventMark, eventSign, eventWords } from "../common/event_words.js";
import { buttonWords, reasonWords, stateWords, stepCount } from "../common/run_words.js";

/** Steps a second the speed slider offers; null is as fast as it goes. */
export const SPEEDS = [1, 2, 5, 10, 20, 50, 100, 200, 500, null];

/** Power of ten of the smallest learning rate on its slider; one place below it is 0, which measures only. */
const LEAST_RATE = -5;

/** @param {string} place  of the slider */
const rateAt = (place) => (Number(place) < LEAST_RATE ? 0 : 10 ** Number(place));

/** @param {number} rate */
const rateWords = (rate) => (rate ? formatNumber(rate) : "0, measure only");

/**
 * Build the transport.
 * @param {{main: Function, step: Function, stop: Function, reset: Function, speed: Function, rate: Function, seek: Function, play?: Function, compare?: Function}} act
 * @param {{small?: boolean}} [options]  small: no sliders
 */
export function createTransport(act, options = {}) {
  const main = element("button", { type: "button", class: "sv-main", onclick: () => act.main() });
  const play = iconButton("play", "Play the recording", () => act.play?.());
  play.dataset.name = "play";
  const step = iconButton("step", "One step", () => act.step());
  const stop = iconButton("stop", "Stop", () => act.stop());
  const reset = iconButton("reset", "Back to step 0, same seed", () => act.reset());
  const count = element("span", { class: "sv-step", title: "Step of the numbers shown, counted from 0" });
  const total = element("span", { class: "sv-total" });
  const state = element("button", { type: "button", class: "sv-state", onclick: () => act.seek(null) });
  const speedValue = element("output", {});
  const speed = element("input", { type: "range", min: 0, max: SPEEDS.length - 1, step: 1, "aria-label": "Speed, steps a second" });
  const rateValue = element("output", {});
  const rate = element("input", { type: "range", min: LEAST_RATE - 0.05, max: 0, step: 0.05, "aria-label": "Learning rate" });
  // What a schedule makes of the rate at the step shown.
  const scheduled = element("span", { class: "sv-quiet sv-scheduled", hidden: true });
  const reason = element("p", { class: "sv-reason", role: "status", hidden: true });
  const marks = element("div", { class: "sv-marks" });
  const slider = element("input", { type: "range", min: 0, step: 1, class: "sv-time", "aria-label": "Step shown" });
  speed.oninput = () => {
    const value = SPEEDS[Number(speed.value)];
    speedValue.textContent = value ? `${value} steps/s` : "fastest";
    act.speed(value);
  };
  rate.oninput = () => {
    rateValue.textContent = rateWords(rateAt(rate.value));
    act.rate(rateAt(rate.value), false);
  };
  rate.onchange = () => act.rate(rateAt(rate.value), true);
  slider.oninput = () => act.seek(Number(slider.value));
  const more = iconButton("more", "Speed and learning rate", () => more.setAttribute("aria-expanded", String(root.classList.toggle("open"))), "sv-square sv-more");
  const hint = element("p", { class: "sv-try" });
  const compare = element("button", { type: "button", class: "sv-button sv-compare-start", hidden: true, onclick: () => act.compare?.() });
  const warning = element("p", { class: "sv-reason sv-warning", role: "status", hidden: true });
  const estimate = element("p", { class: "sv-quiet sv-estimate" });
  const sliders = element(
    "div",
    { class: "sv-sliders" },
    element("label", {}, element("span", {}, "Speed", speedValue), speed),
    element("label", {}, element("span", {}, "Learning rate", rateValue), rate, scheduled),
  );
  const root = element(
    "section",
    { class: "sv-transport", "aria-label": "Training" },
    element(
      "div",
      { class: "sv-buttons" },
      main, options.small ? play : null, step, options.small ? null : stop, reset, options.small ? null : more,
      element("div", { class: "sv-count" }, element("div", {}, count, total), state),
    ),
    reason,
    warning,
    options.small ? null : compare,
    options.small ? null : hint,
    options.small ? null : sliders,
    options.small ? null : estimate,
    element("div", { class: "sv-timeline" }, marks, slider),
  );
  /** The button that plays and stops the recording of a shared run. */
  function showPlay(shared, moving, empty) {
    play.hidden = !shared;
    play.disabled = empty;
    const name = moving ? "pause" : "play";
    if (play.dataset.name === name) return;
    play.dataset.name = name;
    play.replaceChildren(icon(name));
    play.title = moving ? "Pause" : "Play the recording";
    play.setAttribute("aria-label", play.title);
  }
  let marked = "";
  return {
    root,
    /** @param {any} view  {store, steps, shown, live, learningRate, schedule, rate (in force), speed, mine, network, hint, compare (words of the button that compares)}, and for a replay its own words: main, said */
    update(view) {
      const { store } = view;
      const over = ["finished", "stopped", "diverged", "failed", "interrupted"].includes(store.state);
      const [words, name] = view.main || buttonWords(store);
      if (main.dataset.words !== words) {
        main.replaceChildren(icon(/** @type {any} */ (name)), words);
        main.dataset.words = words;
      }
      main.disabled = speed.disabled = rate.disabled = !view.mine;
      main.title = !view.mine ? "You are watching: make it mine to train it" : store.shared ? "Start a run of your own of every panel" : "";
      step.hidden = reset.hidden = store.shared;
      showPlay(store.shared, view.playing || (store.active() && view.live), !store.frames.length);
      step.disabled = !view.mine || over || store.state === "queued";
      stop.disabled = !view.mine || !["running", "paused"].includes(store.state);
      reset.disabled = !view.mine || store.state === "ready";
      const at = stepCount(store.state, view.live, view.shown, view.steps);
      writeText(count, at);
      writeText(total, view.network?.watched && !over ? "" : ` /\u00a0${view.steps}`);
      const [kind, sentence] = view.said || stateWords(store, view.live, view.network);
      writeText(state, sentence);
      state.title = store.reason || sentence;
      state.dataset.kind = kind;
      state.disabled = kind !== "back";
      writeText(hint, pressWords(view.hint ?? ""));
      compare.hidden = !view.compare || store.state !== "ready";
      writeText(compare, view.compare ?? "");
      writeText(estimate, view.estimate ? lengthWords(view) : "");
      writeText(reason, reasonWords(store));
      reason.hidden = !reason.textContent;
      writeText(warning, (view.warnings ?? []).join(" "));
      warning.hidden = !warning.textContent;
      const position = SPEEDS.indexOf(view.speed);
      if (document.activeElement !== speed) speed.value = String(position < 0 ? SPEEDS.length - 1 : position);
      writeText(speedValue, view.speed ? `${view.speed} steps/s` : "fastest");
      if (document.activeElement !== rate) rate.value = String(view.learningRate ? Math.log10(view.learningRate) : rate.min);
      writeText(rateValue, rateWords(view.learningRate));
      scheduled.hidden = !view.schedule;
      writeText(scheduled, view.schedule ? `${view.schedule}: ${view.rate === undefined ? "up to this" : `${view.live ? "now" : "then"} ${formatNumber(view.rate)}`}` : "");
      slider.max = String(view.steps);
      slider.disabled = !store.frames.length;
      if (document.activeElement !== slider || view.live) slider.value = String(at);
      slider.style.setProperty("--played", `${(100 * at) / Math.max(1, view.steps)}%`);
      slider.style.setProperty("--known", `${(100 * (store.frames.at(-1)?.step ?? 0)) / Math.max(1, view.steps)}%`);
      const key = `${store.id}:${store.events.length}:${store.moved}:${view.steps}:${view.variant ?? ""}`;
      if (key !== marked) {
        marked = key;
        drawEventMarks(marks, store.marks(), view, act.seek);
      }
    },
  };
}

/** How long it will take, and of a run under way what is left, as measured once a step was taken. @param {any} view */
function lengthWords({ store, estimate, steps, speed, header }) {
  if (store.state === "ready") return estimateWords(estimate, steps, speed) + seedsWords(header);
  if (!["starting", "running", "paused"].includes(store.state)) return "";
  const known = store.took ? { ...estimate, seconds: store.took, measured: true } : estimate;
  return estimateWords(known, steps - (store.frames.at(-1)?.step ?? 0), speed, true) + seedsWords(header);
}

/** The marks of what was done, over the steps. @param {HTMLElement} host @param {any[]} events @param {any} view @param {Function} seek */
export function drawEventMarks(host, events, { steps, network }, seek) {
  host.replaceChildren();
  for (const [index, { step, event }] of events.entries()) {
    const at = (100 * step) / Math.max(1, steps);
    const words = eventWords(event, network);
    const mark = element(
      "button",
      { type: "button", class: `sv-mark ${eventMark(event)}`, style: `left:${at}%`, title: `Step ${step}: ${words}`, "aria-label": `Step ${step}: ${words}`, onclick: () => seek(step) },
    );
    const sign = eventSign(event);
    if (sign) mark.dataset.sign = sign;
    const next = index + 1 < events.length ? (100 * events[index + 1].step) / Math.max(1, steps) : 100;
    if (next - at > 6 + words.length * 2.1) mark.append(element("span", {}, words));
    host.append(mark);
  }
}
