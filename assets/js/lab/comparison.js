// @ts-check
// Two to four networks side by side, of one run or of several: a head and a diagram each, their bars on shared rows, curves of all,
// heatmaps and pictures.
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
import { LEAST_BARS, sayTight, shareHead, updateHead } from "./lab_elements.js";
import { rowNames } from "./network_shape.js";
import { createVariantHead } from "./variant_head.js";

/** px on both sides of the columns. */
const MARGIN = 16;
// px of two networks' bars, which stand on both sides of a spine and have numbers at both ends.
const LEAST_MIRRORED = 200;
// How small columns are drawn that do not fit beside each other, before they are scrolled.
const LEAST_SHARE = 0.85;
export const LETTERS = ["A", "B", "C", "D"];

/**
 * @param {Record<string, any>} page  the lab's elements, or those of them that are needed: root, card, scroll, transport, quantity
 * @param {{
 *   options: any, actOf: (name: string) => any, choose: (name: string) => void, send: (command: any) => void, seek: (step: number | null) => void,
 *   seen: (name: string) => {store: any, frame: any}, curves: () => {steps: number, cursor: number | null, events: any[]}, back: () => boolean, redraw: () => void,
 * }} outer  `actOf` is what a diagram does for one network, `seen` the run of a network and its frame that is looked at, `curves` what the
 *   plots over the steps have in common, `back` whether an earlier step is looked at
 */
export function createComparison(page, outer) {
  const { options } = outer;
  /** @type {any} */
  let data = null;
  /** @type {any[]} */
  let columns = [];
  /** @type {any} */
  let plots = null;
  let Plotly = /** @type {any} */ (null);
  let gone = false;
  let placed = "";
  /** The name of a network that was being written when the heads were moved, and of which. @type {{column: string, text: string, at: number} | null} */
  let written = null;
  const parts = comparisonElements(page);

  function makeColumn(name, index) {
    const { heatmap, picture, marked } = parts.slots[index];
    const host = element("div", { class: "sv-diagram-host" });
    const view = createDiagramView(host, outer.actOf(name));
    const head = createVariantHead({ letter: LETTERS[index], choose: () => outer.choose(name), send: (command) => outer.send({ ...command, variant: name }) });
    return { name, letter: LETTERS[index], host, view, head, heatmap, picture, marked, variant: "", title: "", metric: "", network: null, diagram: null, drawn: null, differs: "", unlike: /** @type {string[]} */ ([]), theory: /** @type {any} */ (null), plots: /** @type {any} */ (null) };
  }

  /** The columns anew where networks came, went or changed places. @param {any[]} next */
  function build(next) {
    if (columns.length === next.length && columns.every((column, index) => column.name === columnName(next[index]))) return;
    unplot();
    lift();
    columns = next.map((one, index) => makeColumn(columnName(one), index));
    placed = "";
    parts.heatmaps.replaceChildren(...columns.map((column) => column.marked[0]));
    parts.pictures.replaceChildren(...columns.map((column) => column.marked[1]));
    plot();
  }

  function lift() {
    for (const { name, head } of columns) {
      const found = head.lift();
      if (found) written = { column: name, ...found };
    }
  }

  /** Heads over diagrams with the bars among them; of Us two in a row, each under its head, the bars with their rows' names below. @param {boolean} apart @param {boolean} narrow */
  function place(apart, narrow) {
    const now = apart ? (narrow ? "tabs" : "cells") : "columns";
    parts.names.replaceChildren(...(apart ? [rowNames((columns.find((column) => column.name === data.variant) ?? columns[0]).diagram)] : []));
    if (now === placed) return;
    placed = now;
    lift();
    parts.root.dataset.u = now;
    const heads = columns.map((column) => column.head.root);
    const hosts = columns.map((column) => column.host);
    const middle = columns.length === 2 && !apart ? 1 : columns.length;
    const cells = now === "cells" ? hosts.map((host, index) => element("div", {}, heads[index], host)) : hosts;
    parts.heads.replaceChildren(...(now === "cells" ? [] : apart ? heads : [...heads.slice(0, middle), parts.barsHead, ...heads.slice(middle)]));
    parts.body.replaceChildren(...cells.slice(0, middle), ...(apart ? [parts.barsHead] : []), parts.beside, ...cells.slice(middle));
    if (written) columns.find((column) => column.name === written?.column)?.head.write(written);
    written = null;
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

  const leastBars = () => (columns.length === 2 ? LEAST_MIRRORED : LEAST_BARS);
  const wholeWidth = () => columns.reduce((sum, column) => sum + column.diagram.width, leastBars() + 2 * MARGIN);

  /** How the columns share the card: a phone shows one network at a time, the heads being its tabs. */
  function fit() {
    const narrow = page.card.clientWidth > 0 && page.card.clientWidth < 560;
    page.card.dataset.one = String(narrow);
    sayTight(page.card);
    const chosen = columns.find((column) => column.name === data.variant) ?? columns[0];
    const apart = columns.some((column) => column.drawn !== column.diagram);
    place(apart, narrow);
    const widths = columns.map((column) => `${column.diagram.width}px`);
    const middle = columns.length === 2 ? 1 : columns.length;
    const template = [...widths.slice(0, middle), `minmax(${leastBars()}px, 1fr)`, ...widths.slice(middle)].join(" ");
    parts.heads.style.gridTemplateColumns = narrow || apart ? "" : template;
    parts.body.style.gridTemplateColumns = apart ? "" : narrow ? `${chosen.diagram.width}px minmax(60px, 1fr)` : template;
    const share = narrow || apart ? 1 : Math.min(1, Math.max(LEAST_SHARE, page.card.clientWidth / wholeWidth()));
    parts.root.style.setProperty("--sv-fit", share.toFixed(3));
    for (const column of columns) {
      column.host.hidden = narrow && column !== chosen;
      column.head.root.dataset.chosen = column.host.dataset.chosen = String(column === chosen);
    }
    parts.bars.style.height = `${chosen.diagram.height + data.figures.rows.light.layout.meta.axis}px`;
    return narrow;
  }

  /** A column's network with its switches as they stood when a frame was measured. @param {any} column @param {any} store @param {any} frame */
  const switchedAt = ({ network, variant }, store, frame) => withSwitches(network, store.switchesAt(frame, variant));

  /** Of every column its run, the frame looked at, the network as it stood there, its numbers, and its last held-out metric. @returns {any[]} */
  function shown() {
    const back = outer.back();
    return columns.map((column) => {
      const { store, frame } = outer.seen(column.name);
      const then = back && frame ? data.history?.findLast((/** @type {any} */ one) => one.step <= frame.step)?.differs : null;
      const values = frame?.variants[column.variant] ?? null;
      const switched = back ? switchedAt(column, store, frame) : column.network;
      const measured = store.frames.length && frame ? store.lastWith(frame, column.variant, "held_out") : frame;
      const held = measured?.variants[column.variant]?.held_out ?? null;
      const broken = store.cursor === null ? store.diverged[column.variant] ?? null : null;
      const header = store.header || data.probe?.header || null;
      const differs = then?.[column.name] ?? column.differs;
      return { column, letter: column.letter, differs, store, frame, header, switched, network: withStrengths(switched, values), values, held, taken: measured?.step, broken, back };
    });
  }
  /** The held-out metric that all have in common, or "". */
  const sharedMetric = () => (columns.every(({ metric }) => metric === columns[0].metric) ? columns[0].metric : "");
  let marked = false;
  let room = "";
  const resized = new ResizeObserver(() => {
    const widths = `${page.card.clientWidth} ${parts.bars.clientWidth}`;
    if (widths === room || columns.length < 2) return;
    room = widths;
    fit();
    requestAnimationFrame(() => gone || outer.redraw()); // the plots have heard of their widths by then
  });
  for (const node of [page.card, parts.bars]) resized.observe(node);

  return {
    on: () => columns.length > 1,
    /** px of all columns with the least bars beside them; 0 where they share no rows. */
    width: () => (placed === "columns" ? wholeWidth() : 0),
    /** The drawing of a network, by default of the chosen one, if several are shown. @param {string} [name] @returns {ReturnType<typeof createDiagramView> | undefined} */
    view: (name = data?.variant) => columns.find((column) => column.name === name)?.view,
    /** The network of one column as it stands at the step looked at. @param {string} name */
    networkThen: (name) => shown().find(({ column }) => column.name === name)?.network,
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
      parts.metrics.hidden = parts.metricTitle.hidden = !next.columns.some(({ metric = next.metric }) => metric);
      parts.images.hidden ||= next.columns.every(({ network }) => network.opened || network.watched);
      (several ? parts.barsHead : page.heads).append(page.quantity);
      if (page.head) (several ? parts.root : page.heads).prepend(page.head);
      if (!several) {
        unplot();
        columns = [];
        placed = "";
        for (const part of [parts.heads, parts.body, parts.heatmaps, parts.pictures, parts.lossTitle, parts.metricTitle]) part.replaceChildren();
        delete parts.lossTitle.dataset.text;
        delete parts.metricTitle.dataset.text;
        return;
      }
      build(next.columns);
      for (const [index, column] of columns.entries()) {
        const one = next.columns[index];
        const { network, diagram } = column.name === next.variant && next.network ? next : one;
        const { variant, title = variant, metric = next.metric, differs, unlike, theory } = one;
        Object.assign(column, { variant, title, metric, network, diagram, drawn: one.u || diagram, differs, unlike, theory });
        column.view.show(column.drawn);
        column.view.watched(Boolean(next.watch), false);
        column.head.update({ name: column.title, place: index, count: columns.length, fixed: Boolean(next.watch) });
      }
      fit();
      loadPlotly(next.plotly).then(
        (found) => {
          if (Plotly) return plot();
          Plotly = found;
          plot();
          outer.redraw();
        },
        () => sayNoPlots([parts.bars, parts.losses]),
      );
    },
    /** Another network is chosen: its outline, on a phone its diagram. */
    chosen() {
      for (const column of columns) if (column.name !== data.variant) column.view.select(null, []);
      fit();
    },
    /** @param {any} view  {theme, look} */
    fast({ theme, look }) {
      const narrow = page.card.dataset.one === "true";
      const all = shown();
      const apart = switchedApart(all.map(({ switched }) => switched));
      for (const { column, store, network, values, broken, back } of all) {
        column.view.tint(column.network, new Set([...apart, ...column.unlike]));
        if (back || marked) column.view.showSwitches(back ? network : column.network);
        column.view.paint(values, look.ramps[theme]);
        if (values?.strength || values?.edge_strength) column.view.strengths(network);
        column.view.diverged(broken?.layer ?? (store.frames.length ? null : values?.first_broken ?? null));
      }
      marked = all.some(({ back }) => back);
      const drawn = all.filter(({ column }) => !narrow || column.name === data.variant);
      plots?.columns.update({
        columns: drawn.map(({ column, letter, network, values, header, frame }) => ({ letter, name: column.title, diagram: column.diagram, network, values, variant: column.variant, header, frame: frame?.step ?? 0, theory: options.theory ? column.theory?.gradients ?? null : null })),
        options, theme, bare: narrow, figure: look.figures.columns, ramps: look.ramps,
      });
      placeHeads(parts, plots?.columns.areas());
    },
    /** @param {any} view  {theme, look} */
    slow({ theme, look }) {
      const all = shown();
      const shared = { ...outer.curves(), theme };
      const [first, ...others] = all.map(({ column, store }) => ({ frames: store.frames, variant: column.variant, metric: column.metric }));
      const names = columns.map((column) => `${column.letter}, ${column.title}`);
      for (const name of plots ? ["losses", "metrics"] : []) plots[name].update({ ...first, others, names, ...shared, figure: look.figures[name] });
      for (const { column, store, frame, header } of all) {
        if (!column.plots) continue;
        column.plots.heatmap.update({ frames: store.frames, variant: column.variant, diagram: column.diagram, layerCount: column.network.depth, networkAt: (/** @type {any} */ one) => switchedAt(column, store, one), quantity: options.quantity, ...shared, events: store.events });
        const depicting = store.frames.length && frame ? store.lastWith(frame, column.variant, "picture") : frame;
        column.plots.picture.update({ header, picture: depicting?.variants[column.variant]?.picture ?? null, step: depicting?.step, theme });
      }
      legendOf(parts.lossTitle, "Losses", "", "loss", all, ({ values }) => formatNumber(values?.loss));
      const taken = all[0]?.taken;
      legendOf(parts.metricTitle, metricName(sharedMetric()) || "Metric", `held out${all.every((one) => one.taken === taken) ? atStep(taken) : ""}`, "metric", all, ({ column, held }) => metricWord(held, column.metric));
      for (const { column, values, differs } of all) column.head.values(values, column.network, differs || column.network.note);
    },
    /** What the frames show of all, in words. @param {number} step */
    sentence: (step) => comparedSentence(shown(), step, sharedMetric()),
    /** Of which networks nothing is predicted, and why. */
    unpredicted: () => columns.filter(({ theory }) => theory?.reason).map(({ letter, theory }) => `${letter}: ${theory.reason}`),
    /** The letter of the chosen network. */
    letter: () => columns.find((column) => column.name === data.variant)?.letter ?? "",
    /** The place of a network's diagram, by default of the chosen one, if several are shown. @param {string} [name] @returns {HTMLElement | undefined} */
    host: (name = data?.variant) => columns.find((column) => column.name === name)?.host,
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
  const end = more.lastIndexOf(" ") + 1;
  const held = element("span", { class: "sv-held" }, more.slice(0, end), element("span", {}, more.slice(end), kept));
  host.replaceChildren(element("span", {}, element("strong", {}, title), " ", held), element("span", { class: "sv-of-letters" }, ...spans));
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
  part("names", "div", { class: "sv-names" });
  part("beside", "div", { class: "sv-columns-bars" }, parts.names, parts.bars);
  part("heads", "div", { class: "sv-column-heads" });
  part("body", "div", { class: "sv-column-body" });
  part("root", "div", { class: "sv-columns", hidden: true }, element("div", { class: "sv-column-scroll" }, parts.heads, parts.body));
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

/** What a column is found by: by default its variant, as names of one run's differ. @param {any} one */
function columnName(one) {
  return one.name ?? one.variant;
}
