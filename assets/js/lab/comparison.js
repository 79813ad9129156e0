// @ts-check
// Two to four networks side by side in the lab: a head and a diagram each, their bars on shared rows, curves of all, heatmaps and pictures.
import { withStrengths, withSwitches } from "../diagram/diagram_switches.js";
import { switchedApart } from "../diagram/unlike_rows.js";
import { createDiagramView } from "../diagram/diagram_view.js";
import { comparedSentence } from "../common/compared_sentence.js";
import { element } from "../common/dom.js";
import { explain } from "../common/explain.js";
import { atStep, metricName, metricWord } from "../common/metric_words.js";
import { formatNumber } from "../common/numbers.js";
import { createPicture } from "../pictures/picture.js";
import { createColumnsPlot } from "../plots/plot_columns.js";
import { createHeatmap } from "../plots/plot_heatmap.js";
import { createLossPlot } from "../plots/plot_loss.js";
import { sayNoPlots } from "../plots/no_plots.js";
import { loadPlotly } from "../plots/plotly_loader.js";
import { shareHead, updateHead } from "./lab_elements.js";
import { createVariantHead } from "./variant_head.js";

const LETTERS = ["A", "B", "C", "D"];

/**
 * @param {Record<string, any>} page  the lab's elements
 * @param {{
 *   options: any, store: any, actOf: (variant: string) => any, choose: (variant: string) => void, send: (command: any) => void, seek: (step: number | null) => void,
 *   back: () => boolean, redraw: () => void,
 * }} outer  `actOf` is what a diagram does for one network, `back` whether an earlier step is looked at
 */
export function createComparison(page, outer) {
  const { store, options } = outer;
  /** @type {any} */
  let data = null;
  /** @type {any[]} */
  let columns = [];
  /** @type {any} */
  let plots = null;
  let Plotly = /** @type {any} */ (null);
  let gone = false;
  const parts = comparisonElements(page);

  function makeColumn(name, index) {
    const { heatmap, picture, marked } = parts.slots[index];
    const host = element("div", { class: "sv-diagram-host" });
    const view = createDiagramView(host, outer.actOf(name));
    const head = createVariantHead({ letter: LETTERS[index], choose: () => outer.choose(name), send: (command) => outer.send({ ...command, variant: name }) });
    return { name, letter: LETTERS[index], host, view, head, heatmap, picture, marked, network: null, diagram: null, differs: "", unlike: /** @type {string[]} */ ([]), theory: /** @type {any} */ (null), plots: /** @type {any} */ (null) };
  }

  /** The columns anew where networks came, went or changed places. @param {any[]} next */
  function build(next) {
    if (columns.length === next.length && columns.every((column, index) => column.name === next[index].variant)) return;
    unplot();
    columns = next.map(({ variant }, index) => makeColumn(variant, index));
    const heads = columns.map((column) => column.head.root);
    const hosts = columns.map((column) => column.host);
    const middle = columns.length === 2 ? 1 : columns.length;
    parts.heads.replaceChildren(...heads.slice(0, middle), parts.barsHead, ...heads.slice(middle));
    parts.body.replaceChildren(...hosts.slice(0, middle), parts.bars, ...hosts.slice(middle));
    parts.heatmaps.replaceChildren(...columns.map((column) => column.marked[0]));
    parts.pictures.replaceChildren(...columns.map((column) => column.marked[1]));
    plot();
  }

  function plot() {
    if (!Plotly || !columns.length || gone) return;
    const { figures, ramps } = data;
    plots = plots ?? {
      columns: createColumnsPlot(Plotly, parts.bars, figures.columns, ramps),
      losses: createLossPlot(Plotly, parts.losses, figures.losses, outer.seek),
      metrics: createLossPlot(Plotly, parts.metrics, figures.metrics, outer.seek),
    };
    for (const column of columns) {
      column.plots = column.plots ?? { heatmap: createHeatmap(Plotly, column.heatmap, figures.heatmap, ramps, outer.seek), picture: createPicture(Plotly, column.picture, figures.picture) };
    }
  }

  function unplot() {
    for (const column of columns) if (column.plots) for (const one of Object.values(column.plots)) one.destroy?.();
  }

  /** How the columns share the card: a phone shows one network at a time, the heads being its tabs. */
  function fit() {
    const narrow = page.card.clientWidth > 0 && page.card.clientWidth < 560;
    page.card.dataset.one = String(narrow);
    const chosen = columns.find((column) => column.name === data.variant) ?? columns[0];
    const widths = columns.map((column) => `${column.diagram.width}px`);
    const middle = columns.length === 2 ? 1 : columns.length;
    const template = [...widths.slice(0, middle), "minmax(60px, 1fr)", ...widths.slice(middle)].join(" ");
    parts.heads.style.gridTemplateColumns = narrow ? "" : template;
    parts.body.style.gridTemplateColumns = narrow ? `${chosen.diagram.width}px minmax(60px, 1fr)` : template;
    for (const column of columns) {
      column.host.hidden = narrow && column !== chosen;
      column.head.root.dataset.chosen = column.host.dataset.chosen = String(column === chosen);
    }
    parts.bars.style.height = `${chosen.diagram.height + data.figures.rows.light.layout.meta.axis}px`;
    return narrow;
  }

  /** Of every column the network as it stood at a frame, its numbers there, and its last held-out metric. @param {any} frame @returns {any[]} */
  function shown(frame) {
    const back = outer.back();
    const then = back ? data.history.findLast((/** @type {any} */ one) => one.step <= frame.step)?.differs : null;
    return columns.map((column) => {
      const values = frame?.variants[column.name] ?? null;
      const switched = back ? withSwitches(column.network, store.switchesAt(frame, column.name)) : column.network;
      const measured = store.frames.length ? store.lastWith(frame, column.name, "held_out") : frame;
      const held = measured?.variants[column.name]?.held_out ?? null;
      const broken = store.cursor === null ? store.diverged[column.name] ?? null : null;
      return { column, letter: column.letter, differs: then?.[column.name] ?? column.differs, switched, network: withStrengths(switched, values), values, held, taken: measured?.step, broken, back };
    });
  }
  let marked = false;
  let room = 0;
  const resized = new ResizeObserver(() => {
    const width = page.card.clientWidth;
    if (width === room || columns.length < 2) return;
    room = width;
    fit();
    outer.redraw();
  });
  resized.observe(page.card);

  return {
    on: () => columns.length > 1,
    /** The drawing of a network, by default of the chosen one, if several are shown. @param {string} [name] @returns {ReturnType<typeof createDiagramView> | undefined} */
    view: (name = data?.variant) => columns.find((column) => column.name === name)?.view,
    /** The network of one column, as Python tells of it. @param {string} name */
    network: (name) => columns.find((column) => column.name === name)?.network,
    /** @param {string} name */
    diagram: (name) => columns.find((column) => column.name === name)?.diagram,
    /** @param {any} next  what Python knows; the chosen network's part of it is the lab's own object */
    update(next) {
      data = next;
      const several = next.columns.length > 1;
      page.root.classList.toggle("compared", several);
      page.root.classList.toggle("compared-many", next.columns.length > 2);
      parts.root.hidden = parts.curves.hidden = parts.over.hidden = parts.images.hidden = !several;
      (several ? parts.barsHead : page.heads).append(page.quantity);
      if (!several) {
        unplot();
        columns = [];
        for (const part of [parts.heads, parts.body, parts.heatmaps, parts.pictures, parts.lossTitle, parts.metricTitle]) part.replaceChildren();
        delete parts.lossTitle.dataset.text;
        delete parts.metricTitle.dataset.text;
        return;
      }
      build(next.columns);
      for (const [index, column] of columns.entries()) {
        const one = next.columns[index];
        column.network = one.variant === next.variant ? next.network : one.network;
        column.diagram = one.variant === next.variant ? next.diagram : one.diagram;
        column.differs = one.differs;
        column.unlike = one.unlike;
        column.theory = one.theory;
        column.view.show(column.diagram);
        column.view.watched(Boolean(next.watch));
        column.head.update({ name: one.variant, place: index, count: columns.length, fixed: Boolean(next.watch) });
      }
      fit();
      loadPlotly(next.plotly).then(
        (found) => {
          Plotly = found;
          plot();
        },
        () => sayNoPlots([parts.bars, parts.losses]),
      );
    },
    /** Another network is chosen: its outline, on a phone its diagram. */
    chosen() {
      for (const column of columns) if (column.name !== data.variant) column.view.select(null, []);
      fit();
    },
    /** @param {any} view  {frame, theme, look} */
    fast({ frame, theme, look }) {
      const narrow = page.card.dataset.one === "true";
      const all = shown(frame);
      const apart = switchedApart(all.map(({ switched }) => switched));
      for (const { column, network, values, broken, back } of all) {
        column.view.tint(column.network, new Set([...apart, ...column.unlike]));
        if (back || marked) column.view.showSwitches(back ? network : column.network);
        column.view.paint(values, look.ramps[theme]);
        if (values?.strength || values?.edge_strength) column.view.strengths(network);
        column.view.diverged(broken?.layer ?? (store.frames.length ? null : values?.first_broken ?? null));
      }
      marked = all.some(({ back }) => back);
      const drawn = all.filter(({ column }) => !narrow || column.name === data.variant);
      plots?.columns.update({
        columns: drawn.map(({ column, letter, values }) => ({ letter, name: column.name, diagram: column.diagram, values, variant: column.name, theory: options.theory ? column.theory?.gradients ?? null : null })),
        options, theme, header: store.header || data.probe?.header || null, frame: frame?.step ?? 0,
      });
      placeHeads(parts, plots?.columns.areas());
    },
    /** @param {any} view  {frame, theme} */
    slow({ frame, theme }) {
      const all = shown(frame);
      const header = store.header || data.probe?.header || null;
      const shared = { steps: store.steps ?? data.steps, theme, cursor: store.frames.length ? frame.step : null, events: store.events };
      const [first, ...others] = columns.map((column) => ({ frames: store.frames, variant: column.name, metric: data.metric }));
      const names = columns.map((column) => `${column.letter}, ${column.name}`);
      for (const plot of plots ? [plots.losses, plots.metrics] : []) plot.update({ ...first, others, names, ...shared });
      for (const { column } of all) {
        if (!column.plots) continue;
        column.plots.heatmap.update({ frames: store.frames, variant: column.name, diagram: column.diagram, layerCount: column.network.depth, quantity: options.quantity, ...shared });
        const depicting = store.frames.length ? store.lastWith(frame, column.name, "picture") : frame;
        column.plots.picture.update({ header, picture: depicting?.variants[column.name]?.picture ?? null, step: depicting?.step, theme });
      }
      legendOf(parts.lossTitle, "Losses", "", "loss", all, ({ values }) => formatNumber(values?.loss));
      const taken = all[0]?.taken;
      legendOf(parts.metricTitle, metricName(data.metric), `held out${atStep(taken)}`, "metric", all, ({ held }) => metricWord(held, data.metric));
      for (const { column, values, differs } of all) column.head.values(values, column.network, differs || column.network.note);
    },
    /** What the frame shows of all, in words. @param {any} frame @param {string} metric */
    sentence: (frame, metric) => comparedSentence(shown(frame), frame?.step ?? 0, metric),
    /** Of which networks nothing is predicted, and why. */
    unpredicted: () => columns.filter(({ theory }) => theory?.reason).map(({ letter, theory }) => `${letter}: ${theory.reason}`),
    /** The letter of the chosen network. */
    letter: () => columns.find((column) => column.name === data.variant)?.letter ?? "",
    /** The diagram's place of the chosen network, if several are shown. @returns {HTMLElement | undefined} */
    host: () => columns.find((column) => column.name === data.variant)?.host,
    /** What exports have of it: every plot's name, words, place, and whether it is there. @returns {[string, string, HTMLElement, () => boolean][]} */
    plots: () => {
      const several = () => columns.length > 1;
      const slots = parts.slots.map(({ heatmap }, index) => [`heatmap-${LETTERS[index]}`, `Layer × step, ${LETTERS[index]}`, heatmap, () => several() && index < columns.length]);
      return [["columns", "Gradient bars, side by side", parts.bars, several], ["losses", "Losses of all", parts.losses, several], ["metrics", "Metrics of all", parts.metrics, several], ...slots];
    },
    renewHover() {
      for (const column of columns) column.view.renewHover();
    },
    destroy() {
      gone = true;
      resized.disconnect();
      unplot();
      if (plots) for (const plot of Object.values(plots)) plot.destroy();
    },
  };
}

/** A title with every network's letter and number. @param {HTMLElement} host @param {string} title @param {string} more @param {string} key @param {any[]} all @param {(one: any) => string} value */
function legendOf(host, title, more, key, all, value) {
  const spans = all.map((one) => element("span", { class: "sv-of-letter" }, element("strong", { class: `sv-letter ${one.letter}` }, one.letter), value(one)));
  const text = `${title} ${more} ${spans.map((span) => span.textContent).join(" ")}`;
  if (host.dataset.text === text) return;
  host.dataset.text = text;
  const kept = host.querySelector(".sv-explain") ?? explain(key);
  host.replaceChildren(element("span", {}, element("strong", {}, title), " ", element("span", { class: "sv-held" }, more), kept), element("span", { class: "sv-of-letters" }, ...spans));
}

/** Put the heads of the columns beside the bars over these; one without room is not there. @param {Record<string, any>} parts @param {any} areas */
function placeHeads(parts, areas) {
  for (const name of ["share", "update"]) {
    const head = parts[`${name}Head`];
    head.hidden = !areas?.[name];
    if (areas?.[name]) head.style.left = `${areas[name].x}px`;
  }
  parts.barsHead.style.paddingRight = areas?.share ? `calc(100% - ${areas.bars}px)` : "";
}

/** The comparison's own elements, put into the lab's page. @param {Record<string, any>} page */
function comparisonElements(page) {
  const parts = /** @type {Record<string, any>} */ ({});
  const part = (name, tag, attributes, ...children) => (parts[name] = element(tag, attributes, ...children));
  [parts.shareHead, parts.updateHead] = [shareHead(), updateHead()];
  part("barsHead", "div", { class: "sv-columns-bars-head" }, parts.shareHead, parts.updateHead);
  part("bars", "div", { class: "sv-bars" });
  part("heads", "div", { class: "sv-column-heads" });
  part("body", "div", { class: "sv-column-body" });
  part("root", "div", { class: "sv-columns", hidden: true }, parts.heads, element("div", { class: "sv-column-scroll" }, parts.body));
  page.scroll.after(parts.root);
  part("losses", "div", { class: "sv-plot-loss" });
  part("metrics", "div", { class: "sv-plot-loss" });
  part("lossTitle", "div", { class: "sv-title" });
  part("metricTitle", "div", { class: "sv-title" });
  part("curves", "section", { class: "sv-card sv-curves-card", hidden: true, "aria-label": "Losses and metrics of all" }, parts.lossTitle, parts.losses, parts.metricTitle, parts.metrics);
  parts.slots = LETTERS.map((letter) => {
    const [heatmap, picture] = [element("div", { class: "sv-plot-heatmap" }), element("div", { class: "sv-plot-picture" })];
    const marked = [heatmap, picture].map((node) => element("div", { class: "sv-of-variant" }, element("strong", { class: `sv-letter ${letter}` }, letter), node));
    return { heatmap, picture, marked };
  });
  part("heatmaps", "div", { class: "sv-of-variants" });
  part("pictures", "div", { class: "sv-of-variants" });
  part("over", "section", { class: "sv-card sv-heatmaps-card", hidden: true, "aria-label": "Gradients over time" }, element("div", { class: "sv-title" }, element("span", {}, element("strong", {}, "Gradient"), " layer × step", explain("heatmap")), element("span", { class: "sv-quiet" }, "same colours as the bars")), parts.heatmaps);
  part("images", "section", { class: "sv-card sv-pictures-card", hidden: true, "aria-label": "What the networks do" }, parts.pictures);
  page.transport.after(parts.curves, parts.over, parts.images);
  return parts;
}
