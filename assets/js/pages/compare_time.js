// @ts-check
// The one time slider of two runs: what was done to the left one is marked above it, to the right one below.
import { element } from "../common/dom.js";
import { stateWords } from "../common/run_words.js";
import { drawEventMarks } from "../lab/transport.js";

/** @param {(step: number | null) => void} seek */
export function createCompareTime(seek) {
  const count = element("span", { class: "sv-step" });
  const total = element("span", { class: "sv-total" });
  const state = element("button", { type: "button", class: "sv-state", onclick: () => seek(null) });
  const marks = [element("div", { class: "sv-marks" }), element("div", { class: "sv-marks below" })];
  const slider = element("input", { type: "range", min: 0, step: 1, class: "sv-time", "aria-label": "Step shown" });
  slider.oninput = () => seek(Number(slider.value));
  const root = element(
    "div", { class: "sv-pair-slider" },
    element("div", { class: "sv-count" }, element("div", {}, count, total), state),
    element("div", { class: "sv-timeline" }, marks[0], slider, marks[1]),
  );
  let marked = "";
  return {
    root,
    /** `last` is the slider's end, `total` how many steps are wanted. @param {{columns: any[], stores: any[], last: number, total: number, step: number, following: boolean, known: number}} view */
    update({ columns, stores, last, total: wanted, step, following, known }) {
      count.textContent = String(step);
      total.textContent = ` / ${wanted}`;
      const going = stores.find((store) => store.active() && store.frames.length);
      const [kind, words] = following ? (going ? stateWords(going, true, null) : ["finished", "The end"]) : ["back", going ? `Live is at ${known}\u00a0›` : "To the end\u00a0›"];
      state.dataset.kind = kind;
      state.textContent = words;
      state.disabled = kind !== "back";
      slider.max = String(last);
      slider.disabled = !stores.some((store) => store.frames.length);
      if (document.activeElement !== slider || following) slider.value = String(step);
      slider.style.setProperty("--played", `${(100 * step) / last}%`);
      slider.style.setProperty("--known", `${(100 * known) / last}%`);
      const key = stores.map((store) => `${store.id}:${store.events.length}:${store.moved}`).join() + last;
      if (key === marked) return;
      marked = key;
      for (const [side, store] of stores.entries()) drawEventMarks(marks[side], store.marks(), { steps: last, network: columns[side].network }, seek);
    },
  };
}
