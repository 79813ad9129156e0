// @ts-check
// One of two runs side by side: its diagram, its gradient beside it, its heatmap, all at the step that both show.
import { withSwitches, withStrengths } from "../diagram/diagram_switches.js";
import { createDiagramView } from "../diagram/diagram_view.js";
import { element } from "../common/dom.js";
import { explain } from "../common/explain.js";
import { eventWords } from "../common/event_words.js";
import { captionLines } from "../sharing/export_caption.js";
import { createExportPanel } from "../sharing/export_panel.js";
import { createHints } from "../lab/hints.js";
import { createTooltip } from "../common/notice.js";
import { atStep, balancedWords, metricName, metricWord } from "../common/metric_words.js";
import { formatNumber } from "../common/numbers.js";
import { createHeatmap } from "../plots/plot_heatmap.js";
import { sayNoPlots } from "../plots/no_plots.js";
import { createRowsPlot } from "../plots/plot_rows.js";
import { networkWords } from "./run_facts.js";
import { createSpeech, sentenceOf } from "../lab/sentence_line.js";
import { stateWords } from "../common/run_words.js";
import { createRunStore } from "../frames/store.js";

const BARS = { quantity: "weight", measure: "norm", scale: "absolute", baseline: false };
// Events that the summary names; a person who plays makes dozens.
const MOST_EVENTS = 2;
const LOOKED_AT = "Open the run in the lab to change it; side by side it is only looked at.";

/**
 * @param {number} side  0 left, 1 right
 * @param {{command: (command: any) => number, loss: HTMLElement, captions: () => string[], problem: (sentence: string) => void, seek: (step: number | null) => void}} outer
 */
export function createCompareColumn(side, outer) {
  const store = createRunStore();
  const hints = createHints();
  const speech = createSpeech();
  const title = element("h2", {});
  const words = element("p", { class: "sv-quiet" });
  const state = element("span", { class: "sv-state" });
  const open = element("button", { type: "button", class: "sv-button", onclick: () => outer.command({ op: "open_run", run: data.run }) }, "Open in the lab");
  const variants = element("select", { "aria-label": "Network of this run", hidden: true, onchange: () => outer.command({ op: "variant", side, variant: variants.value }) });
  const numbers = element("div", { class: "sv-pair-numbers" });
  const note = element("span", { class: "sv-quiet" });
  const diagramHost = element("div", { class: "sv-diagram-host" });
  const bars = element("div", { class: "sv-bars" });
  const rows = element("div", { class: "sv-rows" }, diagramHost, bars);
  const heatmap = element("div", { class: "sv-plot-heatmap" });
  const spoken = element("p", { class: "sv-spoken" });
  const exporting = createExportPanel({
    name: `Export the ${side ? "right" : "left"} run`, title: () => data.title, wedges: () => wedge, captions: { losses: outer.captions }, diagram: () => diagramHost, quiet: true, shown: () => ({ data, store, frame: store.frame(), values: values() }), ask: outer.command,
    plots: [["bars", "Gradient bars", bars], ["heatmap", "Layer × step", heatmap], ["losses", "Both losses", outer.loss]],
  });
  const root = element(
    "section", { class: "sv-card sv-panel sv-pair-column", "aria-label": side ? "Right run" : "Left run" },
    element("div", { class: "sv-pair-head" }, element("div", {}, element("span", { class: `sv-line sv-pair-side ${side ? "right" : "left"}` }, side ? "Right" : "Left"), title, words), element("div", { class: "sv-pair-actions" }, variants, open, exporting.button)),
    element("div", { class: "sv-pair-now" }, state, numbers),
    element("div", { class: "sv-heads" }, element("span", { class: "sv-head-gain" }, explain("gain", "gain")), element("div", { class: "sv-head-bars" }, element("strong", {}, "Gradient per layer"), explain("layer_gradient"), " · ", note)),
    element("div", { class: "sv-scroll" }, rows),
    element("div", { class: "sv-title" }, element("span", {}, element("strong", {}, "Gradient"), " layer × step", explain("heatmap")), element("span", { class: "sv-quiet" }, "same colours as the bars")),
    heatmap, spoken, exporting.root,
  );
  const tooltip = createTooltip(root);
  let wedge = "";
  /** @type {any} */
  let data = null;
  /** @type {any} */
  let plots = null;
  const problem = () => outer.problem(LOOKED_AT);
  const view = createDiagramView(diagramHost, {
    toggleSkip: problem, toggleValve: problem, addSkip: problem, remove: problem, selectSkip: () => {}, selectLayer: () => {},
    open: (layer) => outer.command({ op: "open", side, layer }),
    unfold: (parts) => outer.command({ op: "open", side, parts }),
    hover(node, sentence) {
      if (sentence) tooltip.show(node || rows, [sentence]);
      else tooltip.show(node, hints.lines(node, data, values()).slice(0, -1));
    },
  });
  const values = () => store.frame()?.variants[data.variant] ?? null;

  /** Draw skips and valves as they were at the frame shown. @param {any} frame */
  function showSwitches(frame) {
    data.network = withStrengths(withSwitches(data.network, store.switchesAt(frame, data.variant)), values());
    view.showSwitches(data.network);
    say();
  }
  /** Say what the network is, its skips as they stand. */
  function say() {
    const said = networkWords({ ...data.network, task: data.task, variants: [] });
    if (words.textContent !== said) words.textContent = said;
  }
  return {
    root, store,
    variant: () => data.variant,
    /** What a picture of both says of this one. */
    caption: () => [`${side ? "Right" : "Left"}: ${data.title}.`, ...captionLines({ data, store, frame: store.frame() })],
    metric: () => data.metric,
    steps: () => store.steps ?? data.steps,
    /** What was done to it while it trained, in a few words. */
    done() {
      const words = store.events.slice(0, MOST_EVENTS).map(({ step, event }) => `${eventWords(event, data.network)} at ${step}`);
      const more = store.events.length - words.length;
      return words.length ? words.join(", ") + (more ? ` and ${more} more` : "") : "nothing";
    },
    /** @returns {number | null} the last step recorded */
    lastStep: () => store.passing?.step ?? store.frames.at(-1)?.step ?? null,
    /** @param {any} next @param {any} shared */
    update(next, shared) {
      if (next.run !== store.id) store.reset(next.run);
      data = next;
      title.textContent = title.title = next.title;
      say();
      variants.replaceChildren(...next.variants.map((name) => element("option", { value: name, selected: name === next.variant }, name)));
      variants.hidden = next.variants.length < 2;
      note.textContent = next.network.note.replace("-default", "");
      view.show(next.diagram);
      rows.style.height = `${next.diagram.height + shared.figures.rows.light.layout.meta.axis}px`;
      root.style.setProperty("--sv-gain-x", `${next.diagram.gain_x}px`);
      root.style.setProperty("--sv-diagram-width", `${next.diagram.width}px`);
    },
    unplotted: () => sayNoPlots([bars, heatmap]),
    /** @param {any} Plotly @param {any} shared */
    plotted(Plotly, shared) {
      plots = plots || { rows: createRowsPlot(Plotly, bars, shared.figures.rows, shared.ramps), heatmap: createHeatmap(Plotly, heatmap, shared.figures.heatmap, shared.ramps, outer.seek) };
    },
    /** @param {any} shared @param {"light" | "dark"} theme @param {number} step @param {number} steps @param {boolean} slow */
    draw(shared, theme, step, steps, slow) {
      store.seek(step);
      wedge = shared.legend[theme];
      const frame = store.frame();
      const now = values();
      view.paint(now, shared.ramps[theme]);
      if (frame) showSwitches(frame);
      view.diverged(store.cursor === null ? store.diverged[data.variant]?.layer ?? null : null);
      plots?.rows.update({ diagram: data.diagram, values: now, baseline: null, before: null, share: null, update: null, theme, header: store.header, options: BARS, frame: frame?.step ?? 0, variant: data.variant });
      write(frame, now, step);
      if (!slow) return;
      view.renewHover();
      plots?.heatmap.update({ frames: store.frames, variant: data.variant, layerCount: data.network.depth, steps, theme, cursor: frame ? step : null, events: store.events, quantity: "weight" });
      const looked = { data, store, frame, variant: data.variant };
      spoken.textContent = frame ? speech.words(looked, sentenceOf(looked), steps) : "";
    },
    take: exporting.take,
    destroy() {
      exporting.destroy();
      for (const plot of Object.values(plots ?? {})) plot.destroy();
    },
  };

  /** @param {any} frame @param {any} now @param {number} step */
  function write(frame, now, step) {
    const [kind, sentence] = stateWords({ ...store, frames: [] }, true, data.network);
    state.dataset.kind = kind;
    state.textContent = state.title = sentence;
    if (!frame) return numbers.replaceChildren();
    const measured = store.lastWith(frame, data.variant, "held_out");
    const taken = measured?.variants[data.variant];
    const apart = frame.step === step ? `step ${frame.step}` : store.cursor === null && store.frames.at(-1)?.step === frame.step ? `step ${frame.step}, its last` : `step ${frame.step}, the nearest`;
    numbers.replaceChildren(
      element("span", { class: "sv-pair-step" }, apart),
      element("span", {}, "loss ", element("strong", {}, formatNumber(now?.loss))),
      data.metric ? element("span", { class: "sv-metric" }, `${metricName(data.metric)} `, element("strong", {}, metricWord(taken?.held_out, data.metric)), atStep(measured?.step), balancedWords(store.header, taken)) : "",
    );
  }
}
