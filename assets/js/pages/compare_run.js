// @ts-check
// One of two runs side by side: its name, its state, its numbers at the step that both show, what can be done with it.
import { withSwitches } from "../diagram/diagram_switches.js";
import { element } from "../common/dom.js";
import { eventWords } from "../common/event_words.js";
import { captionLines } from "../sharing/export_caption.js";
import { createExportPanel } from "../sharing/export_panel.js";
import { atStep, balancedWords, heldOutLossWords, metricName, metricWord } from "../common/metric_words.js";
import { formatNumber } from "../common/numbers.js";
import { LETTERS } from "../lab/comparison.js";
import { networkWords } from "./run_facts.js";
import { stateWords } from "../common/run_words.js";
import { createRunStore } from "../frames/store.js";

// Events that the summary names; a person who plays makes dozens.
const MOST_EVENTS = 2;

/**
 * @param {number} side  0 left, 1 right
 * @param {{command: (command: any) => number, captions: () => string[], diagram: () => HTMLElement, plots: [string, string, HTMLElement, (() => boolean)?][], wedges: () => string}} outer
 *   `captions` is what pictures of both say
 */
export function createCompareRun(side, outer) {
  const store = createRunStore();
  const title = element("h2", {});
  const words = element("p", { class: "sv-quiet" });
  const state = element("span", { class: "sv-state" });
  const open = element("button", { type: "button", class: "sv-button", onclick: () => outer.command({ op: "open_run", run: data.run }) }, "Open in the lab");
  const variants = element("select", { "aria-label": "Network of this run", hidden: true, onchange: () => outer.command({ op: "variant", side, variant: variants.value }) });
  const numbers = element("div", { class: "sv-pair-numbers" });
  const exporting = createExportPanel({
    name: `Export the ${side ? "right" : "left"} run`, title: () => data.title, wedges: outer.wedges, diagram: outer.diagram, quiet: true, ask: outer.command,
    captions: { columns: outer.captions, losses: outer.captions, metrics: outer.captions }, shown: () => ({ data, store, frame: store.frame(), values: values() }), plots: outer.plots,
  });
  const root = element(
    "section", { class: "sv-card sv-panel sv-pair-column", "aria-label": side ? "Right run" : "Left run" },
    element("div", { class: "sv-pair-head" }, element("strong", { class: `sv-letter ${LETTERS[side]}` }, LETTERS[side]), element("div", {}, title, words), element("div", { class: "sv-pair-actions" }, variants, open, exporting.button)),
    element("div", { class: "sv-pair-now" }, state, numbers),
    exporting.root,
  );
  /** @type {any} */
  let data = null;
  const values = () => store.frame()?.variants[data.variant] ?? null;

  return {
    root, store,
    /** What a picture of both says of this one. */
    caption: () => [`${side ? "Right" : "Left"}: ${data.title}.`, ...captionLines({ data, store, frame: store.frame() })],
    values,
    data: () => data,
    steps: () => store.steps ?? data.steps,
    /** What was done to it while it trained, in a few words. */
    done() {
      const words = store.events.slice(0, MOST_EVENTS).map(({ step, event }) => `${eventWords(event, data.network)} at ${step}`);
      const more = store.events.length - words.length;
      return words.length ? words.join(", ") + (more ? ` and ${more} more` : "") : "nothing";
    },
    /** @returns {number | null} the last step recorded */
    lastStep: () => store.passing?.step ?? store.frames.at(-1)?.step ?? null,
    /** @param {any} next */
    update(next) {
      if (next.run !== store.id) store.reset(next.run);
      data = next;
      title.textContent = title.title = next.title;
      variants.replaceChildren(...Object.entries(next.variants).map(([name, label]) => element("option", { value: name, selected: name === next.variant }, label)));
      variants.hidden = Object.keys(next.variants).length < 2;
    },
    /** Say how it stood at a step. @param {number} step */
    draw(step) {
      store.seek(step);
      const frame = store.frame();
      const network = withSwitches(data.network, store.switchesAt(frame, data.variant));
      const said = networkWords({ ...network, task: data.task, variants: [] });
      if (words.textContent !== said) words.textContent = said;
      const [kind, sentence] = stateWords({ ...store, frames: [] }, true, data.network);
      state.dataset.kind = kind;
      state.textContent = state.title = sentence;
      if (!frame) return numbers.replaceChildren();
      const measured = store.lastWith(frame, data.variant, "held_out");
      const taken = measured?.variants[data.variant];
      const apart = frame.step === step ? `step ${frame.step}` : store.cursor === null && store.frames.at(-1)?.step === frame.step ? `step ${frame.step}, its last` : `step ${frame.step}, the nearest`;
      numbers.replaceChildren(
        element("span", { class: "sv-pair-step" }, apart),
        element("span", {}, "loss ", element("strong", {}, formatNumber(values()?.loss)), heldOutLossWords(store.lastWith(frame, data.variant, "held_out_loss"), data.variant, !data.metric)),
        data.metric ? element("span", { class: "sv-metric" }, `${metricName(data.metric)} `, element("strong", {}, metricWord(taken?.held_out, data.metric)), atStep(measured?.step), balancedWords(store.header, taken)) : "",
      );
    },
    take: exporting.take,
    destroy: exporting.destroy,
  };
}
