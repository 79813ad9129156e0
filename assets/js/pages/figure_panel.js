// @ts-check
// One panel of Figure 4.9: its drawing, its gradient and its twin's beside it, both losses, its run.
import { turnValves, valvesToTurn } from "../common/tour_valves.js";
import { createDiagramView } from "../diagram/diagram_view.js";
import { element, icon } from "../common/dom.js";
import { explain } from "../common/explain.js";
import { createExportPanel } from "../sharing/export_panel.js";
import { inForce, toggled } from "../common/in_force.js";
import { createHints } from "../lab/hints.js";
import { partsOf } from "../common/parts.js";
import { pressWords } from "../common/press_words.js";
import { createTooltip } from "../common/notice.js";
import { atStep, metricName, metricWord } from "../common/metric_words.js";
import { formatNumber } from "../common/numbers.js";
import { createSpeech, sentenceOf } from "../lab/sentence_line.js";
import { createHistoryView } from "../lab/history_view.js";
import { createLossPlot } from "../plots/plot_loss.js";
import { panelStateWords, twinWords } from "./panel_words.js";
import { createQueueNotice } from "../lab/queue_notice.js";
import { sayNoPlots } from "../plots/no_plots.js";
import { createRowsPlot } from "../plots/plot_rows.js";
import { createRunStore } from "../frames/store.js";
import { buttonWords } from "../common/run_words.js";
import { createLabCommands } from "../frames/lab_commands.js";

/**
 * @param {string} id  left, center or right
 * @param {{commands: ReturnType<import("../frames/commands.js").createCommands>, answered: (id: string, run: string | null) => void, problem: (sentence: string, title?: string) => void, main: () => void, repeat: (change: number) => void}} outer
 */
export function createFigurePanel(id, outer) {
  const store = createRunStore();
  const hints = createHints(true);
  const speech = createSpeech();
  const title = element("h2", {});
  const main = element("button", { type: "button", class: "sv-main sv-panel-main", onclick: () => outer.main() });
  const whose = element("span", { class: "sv-whose" });
  const twinText = element("p", { class: "sv-twin" });
  const text = element("p", {});
  const note = element("div", { class: "sv-quiet" });
  const diagramHost = element("div", { class: "sv-diagram-host" });
  const bars = element("div", { class: "sv-bars" });
  const losses = element("div", { class: "sv-panel-loss" });
  const rows = element("div", { class: "sv-rows" }, diagramHost, bars);
  const count = element("output", { "aria-live": "polite" });
  const numbers = element("div", { class: "sv-numbers" });
  const spoken = element("p", { class: "sv-spoken", "aria-live": "polite" });
  const less = element("button", { type: "button", "aria-label": "Repeat fewer times", onclick: () => outer.repeat(-1) }, "−");
  const more = element("button", { type: "button", "aria-label": "Repeat more times", onclick: () => outer.repeat(1) }, "+");
  const fold = element("button", { type: "button", class: "sv-link sv-fold", onclick: () => outer.commands.send({ op: "open", panel: id, layer: null }) });
  const inLab = element("button", { type: "button", class: "sv-link", title: "Compare this network and its twin in the lab", "aria-label": `Open figure 4.9, ${id}, in the lab`, onclick: () => outer.commands.send({ op: "open_lab", panel: id }) }, "Lab ›");
  const exporting = createExportPanel({
    name: `Export the ${id} network`, title: () => `Figure 4.9, ${id}: ${data.title}`, wedges: () => wedge, diagram: () => diagramHost, plots: [["bars", "Gradient bars", bars], ["loss", "Losses", losses]], panel: id, quiet: true,
    shown: () => ({ data, store, frame: shown(), values: values() }), ask: outer.commands.send,
  });
  const root = element(
    "section", { class: "sv-card sv-panel", "aria-label": `Figure 4.9, ${id}` },
    element("div", { class: "sv-panel-title" }, title, element("span", { class: "sv-panel-tools" }, inLab, exporting.button)), text,
    element("div", { class: "sv-panel-run" }, main, whose),
    element("div", { class: "sv-heads" }, element("span", { class: "sv-head-gain" }, explain("gain", "gain")), element("div", { class: "sv-head-bars" }, element("strong", {}, "Gradient per layer"), explain("layer_gradient"), note)),
    element("div", { class: "sv-scroll" }, rows),
    element("div", { class: "sv-panel-losses" }, element("p", { class: "sv-quiet" }, element("strong", {}, "Loss"), ", smoothed; thin: the twin’s", explain("loss")), losses, twinText),
    element("div", { class: "sv-foot" }, element("span", {}, "Repeat"), element("div", { class: "sv-stepper" }, less, count, more), fold, numbers),
    spoken, exporting.root,
  );
  const tooltip = createTooltip(root);
  /** @type {any} */
  let data = null;
  let wedge = "";
  /** @type {any} */
  let plot = null;
  /** @type {any} */
  let lossPlot = null;

  const press = createLabCommands({
    commands: { ...outer.commands, send: (command) => outer.commands.send({ ...command, panel: id }) },
    refuse: (heading, sentence) => {
      if (store.id === "?") adopt(null, false);
      outer.problem(sentence, heading);
    },
    show: (heading, sentence) => outer.problem(sentence, heading),
    answered: (answer) => outer.answered(id, answer.run),
  });
  function edit(kind, names, changes) {
    for (const part of partsOf(data.network, kind)) if (names.includes(part.id)) Object.assign(part, changes);
    view.mark(kind === "skip" ? "skip" : "valve", names, data.network);
    press.send({ op: kind === "skip" ? "skips" : "layers", ids: names, changes }, store.hears() && !store.shared);
  }
  const historyView = createHistoryView(store, { data: () => data, showSwitches: (network) => view.showSwitches(network) });
  const act = historyView.guard({
    toggleSkip: (names) => edit("skip", names, toggled(data.network.skips, names)),
    toggleValve: (names) => edit("layer", names, { gain: data.network.layers.some((layer) => names.includes(layer.id) && layer.gain > 0) ? 0 : 1 }),
    selectSkip: () => {},
    selectLayer: (names) => act.toggleValve(names),
    addSkip: () => outer.problem(pressWords("Skips are added in the Lab; here a click switches those of the figure.")),
    remove: () => outer.problem("Nothing is removed from the figure; switch a skip off, or open it in the Lab."),
    open: (layer) => outer.commands.send({ op: "open", panel: id, layer }),
    hover(node, sentence) {
      if (sentence) tooltip.show(node || rows, [sentence]);
      else tooltip.show(node, hints.lines(node, { ...data, network: historyView.network() ?? data.network }, values()));
    },
  }, (title, sentence) => outer.problem(sentence, title));
  const view = createDiagramView(diagramHost, act);
  const queueNotice = createQueueNotice(rows);
  // Until the first frame of one's own run comes, what the shared one showed stays.
  /** @type {any} */
  let lingering = null;
  function adopt(run, shared) {
    lingering = store.shared && !shared ? store.frame() : null;
    store.reset(run);
    store.shared = shared;
  }
  const last = () => (store.state === "starting" || store.state === "running" ? lingering : null);
  const shown = () => store.frame() || last() || data?.probe?.frame || null;
  const values = () => shown()?.variants[data.variant] || null;
  const twin = () => (data?.twin && shown()?.variants[data.twin.name]) || null;
  const hollow = () => twin()?.weight_grad && { ghost: twin().weight_grad };

  function drawLosses(shared, theme) {
    const metric = data.metric;
    lossPlot?.update({
      frames: store.frames, variant: data.variant, metric, names: ["with skips", "twin without"], steps: data.steps, theme, events: store.events,
      others: [{ frames: store.frames, variant: data.twin?.name ?? "", metric }], cursor: store.frames.length ? shown().step : null,
    });
    twinText.textContent = twinWords(data, store, values(), twin());
  }
  function drawRun(shared) {
    const [words, name] = buttonWords(store);
    if (main.dataset.words !== words) {
      main.replaceChildren(icon(/** @type {any} */ (name)), words);
      main.dataset.words = words;
      main.setAttribute("aria-label", `${words}: ${title.textContent}`);
    }
    main.disabled = !store.mine;
    main.title = store.shared ? "Start a run of your own of this panel" : "";
    whose.textContent = panelStateWords({ ...data, speed: shared.speed }, store, shown()?.step ?? 0);
    whose.title = store.shared ? "Everybody sees this run. Change something here, and one of your own starts." : "";
  }

  return {
    id, root, store, press,
    /** Whether hollow bars of the twin are drawn. */
    twinned: () => Boolean(hollow()),
    /** @param {string} run  one that this browser has just started for the panel, or "?" while it is asked for */
    own: (run) => adopt(run, false),
    /** @param {any} next */
    update(next) {
      if (!press.take(next.lab) && data) return;
      const same = data?.network.depth === next.network.depth;
      data = next;
      const run = next.run ?? next.shared;
      if (run !== store.id) adopt(run, !next.run && Boolean(next.shared));
      if (!same) lingering = null;
      store.mine = next.mine;
      view.diverged(store.diverged[next.variant]?.layer ?? null);
      title.textContent = next.title;
      text.textContent = next.text;
      note.textContent = next.network.note.replace("-default", "");
      count.textContent = `×${next.repeat}`;
      less.disabled = next.repeat <= 1;
      more.disabled = next.repeat >= next.most;
      fold.textContent = next.repeat > 1 ? (next.folded ? "unfold" : "fold") : "";
      fold.hidden = next.repeat <= 1;
      view.show(next.diagram);
      rows.style.height = `${next.diagram.height + 24}px`;
      root.style.setProperty("--sv-gain-x", `${next.diagram.gain_x}px`);
      root.style.setProperty("--sv-diagram-width", `${next.diagram.width}px`);
    },
    /** @param {any} Plotly @param {any} shared */
    plotted(Plotly, shared) {
      plot = plot || createRowsPlot(Plotly, bars, shared.figures.rows, shared.ramps);
      lossPlot = lossPlot || createLossPlot(Plotly, losses, shared.figures.loss);
    },
    /** Come to the state of a tour's step: switch what it switches, each once; says what is waited for. @param {any} step @param {(name: string, does: () => void) => void} once */
    reach(step, once) {
      const valves = valvesToTurn(data.network.layers, step);
      const other = step.skips === null ? [] : data.network.skips.filter((skip) => inForce(skip) !== step.skips).map((skip) => skip.id);
      if (valves.any || other.length) store.cursor = null;
      turnValves(valves, once, act.toggleValve);
      if (other.length) once("skips", () => edit("skip", other, { on: step.skips }));
      return valves.any || other.length ? "Switching …" : "";
    },
    unplotted: () => sayNoPlots([bars]),
    /** @param {any} shared @param {"light" | "dark"} theme @param {boolean} slow */
    draw(shared, theme, slow) {
      if (!data) return;
      wedge = shared.legend[theme];
      drawRun(shared);
      queueNotice(store, data.unmeasured);
      const now = values();
      historyView.mark();
      view.paint(now, shared.ramps[theme]);
      if (plot) {
        const before = shown() && store.frames.length ? store.before(shown())?.variants[data.variant] : null;
        plot.update({ diagram: data.diagram, network: historyView.network() ?? data.network, values: now, baseline: hollow(), hollow: `in the twin ${data.twin?.lacks}`, before, share: null, update: null, theme, header: store.header || data.probe?.header, options: { quantity: "weight", measure: "norm", scale: "absolute", baseline: true }, frame: shown()?.step ?? 0, variant: data.variant });
      }
      if (!slow) return;
      view.renewHover();
      drawLosses(shared, theme);
      const measured = store.frames.length ? store.lastWith(shown(), data.variant, "held_out") : shown();
      const metric = data.metric === "accuracy" ? "accuracy" : metricName(data.metric);
      numbers.replaceChildren(
        element("span", {}, data.task), element("span", {}, "loss ", element("strong", {}, formatNumber(now?.loss))),
        element("span", { class: "sv-metric" }, `${metric} `, element("strong", {}, metricWord(measured?.variants[data.variant]?.held_out, data.metric)), atStep(measured?.step)),
      );
      const bad = store.state === "diverged" || store.state === "failed";
      if (bad) numbers.replaceChildren(element("span", { class: "sv-warn" }, store.reason || store.state));
      const looked = { data, store, frame: shown(), variant: data.variant };
      spoken.textContent = looked.frame ? speech.words(looked, sentenceOf(looked), data.steps) : "";
    },
    take: exporting.take,
    destroy() {
      exporting.destroy();
      plot?.destroy?.();
      lossPlot?.destroy?.();
    },
  };
}
