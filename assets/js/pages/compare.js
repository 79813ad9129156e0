// @ts-check
// Side by side: two runs under one time slider, their losses in one plot, and in words what sets them apart.
import { createCompareColumn } from "./compare_column.js";
import { createCompareTime } from "./compare_time.js";
import { element, iconButton } from "../common/dom.js";
import { explain } from "../common/explain.js";
import { createHeaderActions } from "../common/header_actions.js";
import { createToast } from "../common/notice.js";
import { createLossPlot } from "../plots/plot_loss.js";
import { sayNoPlots } from "../plots/no_plots.js";
import { loadPlotly } from "../plots/plotly_loader.js";
import { createReachNote } from "../common/reach_note.js";
import { createLooked } from "../frames/looked.js";
import { createStream } from "../frames/stream.js";
import { themeOf } from "../common/theme.js";
import { showMessage } from "../frames/once.js";

/**
 * @param {HTMLElement} root
 * @param {ReturnType<import("../frames/commands.js").createCommands>} commands
 */
export function createCompare(root, commands) {
  /** @type {any} */
  let data = null;
  /** @type {any} */
  let loss = null;
  /** @type {number | null} the step that both show; null follows what goes on */
  let cursor = null;
  let slowAt = 0;
  let slowTimer = 0;
  let ended = false;
  let asked = false;
  let described = "";
  const page = compareElements();
  root.replaceChildren(page.root);
  const toast = createToast(page.toasts);
  const go = (name) => commands.send({ op: "go", page: name });
  const address = () => new URL(`compare?runs=${data.columns.map((one) => (one.variants.length > 1 ? `${one.run}:${one.variant}` : one.run)).join(",")}`, location.href.replace(/[^/]*$/, "")).href;
  const kinds = () => [{ id: "page", title: "These runs", label: "Link to these runs", note: "Others see the same two side by side.", address: address() }];
  const header = createHeaderActions(page.root, "compare", { kinds, ask: (command) => commands.send(command) });
  const outer = { command: (command) => commands.send(command), loss: page.loss, captions: () => columns.flatMap((column) => column.caption()), problem: (sentence) => toast.show("Only looked at here.", sentence), seek };
  const columns = [0, 1].map((side) => createCompareColumn(side, outer));
  const time = createCompareTime(seek);
  page.columns.append(...columns.map((column) => column.root));
  page.time.append(time.root);
  const swap = iconButton("swap", "Swap left and right", () => commands.send({ op: "swap" }));
  page.tools.append(swap, element("button", { type: "button", class: "sv-button", onclick: () => go("runs") }, "My runs"));
  page.back.onclick = () => go("runs");

  const reached = () => Math.max(0, ...ends());
  /** The last step of all axes and of the slider. */
  function extent() {
    const going = columns.filter((column) => column.store.active());
    const most = Math.max(reached() + 1, ...going.map((column) => column.steps()));
    return going.length ? Math.min(most, roundAbove(1.1 * reached())) : reached() + 1;
  }
  const ends = () => columns.map((column) => column.lastStep()).filter((step) => step !== null);
  /** The step that is shown where nobody has chosen one: as far as both are, or the end. */
  function leading() {
    const going = columns.filter((column) => column.store.active() && column.lastStep() !== null);
    return going.length ? Math.min(...going.map((column) => column.lastStep())) : reached();
  }
  /** @param {number | null} step */
  function seek(step) {
    looked.forget();
    cursor = step === null || step >= reached() ? null : Math.max(0, step);
    draw(true);
  }

  const reach = createReachNote();
  page.root.append(reach.root);
  const looked = createLooked(() => (cursor === null ? null : { runs: columns.map((column) => column.store.id), step: cursor }));
  const stream = createStream(
    (message) => {
      if (!columns.map((column) => column.store.take(message)).some(Boolean)) return;
      const step = looked.at(columns.map((column) => column.store.id), reached());
      if (step !== null) cursor = step;
      soon();
    },
    reach.update,
  );
  function soon() {
    if (!asked) requestAnimationFrame(() => draw(false));
    asked = true;
  }
  /** @param {boolean} now  whether the plots of the whole run are drawn too */
  function draw(now) {
    asked = false;
    if (!data?.columns.length) return;
    const theme = themeOf(page.root);
    page.root.dataset.theme = theme;
    const step = cursor ?? leading();
    const last = extent();
    const slow = now || performance.now() - slowAt > 400;
    for (const column of columns) column.draw(data, theme, step, last, slow);
    time.update({ columns: data.columns, stores: columns.map((column) => column.store), last, total: Math.max(...columns.map((column) => column.steps())), step, following: cursor === null, known: reached() });
    clearTimeout(slowTimer);
    if (!slow) slowTimer = window.setTimeout(() => draw(true), 450);
    if (!slow) return;
    slowAt = performance.now();
    describe();
    const [left, right] = columns.map((column) => ({ frames: column.store.frames, variant: column.variant(), metric: column.metric() }));
    loss?.update({ ...left, others: [right], steps: last, cursor: step, events: [], theme, metric: left.metric });
  }

  return {
    /** @param {any} next */
    update(next) {
      page.root.dataset.theme = themeOf(page.root);
      showMessage(next, toast);
      for (const column of columns) column.take(next.file);
      if (data && commands.waiting()) return;
      const first = !data;
      data = next;
      header.update(next);
      page.problem.hidden = !next.problem;
      page.whole.hidden = Boolean(next.problem);
      page.problemText.textContent = next.problem ?? "";
      page.apart.hidden = swap.hidden = Boolean(next.problem);
      if (next.problem) return;
      for (const [side, column] of columns.entries()) column.update(next.columns[side], next);
      stream.watch([...new Set(next.columns.map((one) => one.run))]);
      if (first && next.compact === false && root.clientWidth > 0 && root.clientWidth < 640) commands.send({ op: "compact" });
      loadPlotly(next.plotly).then(
        (Plotly) => {
          if (ended) return;
          for (const column of columns) column.plotted(Plotly, next);
          loss = loss || createLossPlot(Plotly, page.loss, next.figures.loss, seek);
          draw(true);
        },
        () => {
          sayNoPlots([page.loss]);
          for (const column of columns) column.unplotted();
        },
      );
      draw(true);
    },
    destroy() {
      ended = true;
      clearTimeout(slowTimer);
      looked.destroy();
      stream.destroy();
      reach.destroy();
      header.destroy();
      loss?.destroy();
      for (const column of columns) column.destroy();
    },
  };

  /** Say what set them apart when they began, and what was done to either since. */
  function describe() {
    const done = columns.map((column) => column.done());
    const apart = done[0] === done[1] ? data.differences : [...data.differences, { what: "while training", left: done[0], right: done[1] }];
    const key = JSON.stringify([apart, data.columns.map((one) => one.title)]);
    if (key === described) return;
    described = key;
    const parts = apart.map(({ what, left, right }) => element("span", { class: "sv-apart" }, `${what} `, element("strong", {}, left), " / ", element("strong", {}, right)));
    page.apart.replaceChildren(...(parts.length ? parts : ["The same experiment: equal networks, task, training and seed."]));
    const [left, right] = data.columns.map((one) => one.title);
    page.names[0].textContent = left === right ? `${left}, left` : left;
    page.names[1].textContent = left === right ? `${right}, right` : right;
  }
}

/** The least of 100, 200, 500, 1000, … that is not below `step`: axes of what goes on grow now and then, not always. @param {number} step */
function roundAbove(step) {
  for (let power = 100; ; power *= 10) for (const unit of [1, 2, 5]) if (unit * power >= step) return unit * power;
}

function compareElements() {
  const page = /** @type {Record<string, any>} */ ({});
  const part = (name, tag, attributes, ...children) => (page[name] = element(tag, attributes, ...children));
  page.names = [element("span", {}), element("span", {})];
  part("apart", "p", { class: "sv-aparts", "aria-label": "What sets them apart, left / right" });
  part("tools", "div", { class: "sv-pair-tools" });
  part("time", "section", { class: "sv-card sv-pair-time", "aria-label": "Time" });
  part("loss", "div", { class: "sv-plot-loss" });
  part("columns", "div", { class: "sv-pair" });
  part("problemText", "p", {});
  part("back", "button", { type: "button", class: "sv-main" }, "My runs");
  part("problem", "section", { class: "sv-card sv-runs-empty", hidden: true }, page.problemText, page.back);
  const key = element(
    "div", { class: "sv-title sv-pair-key" },
    element("span", {}, element("strong", {}, "Loss"), explain("loss"), ", smoothed, and ", element("strong", { class: "sv-metric" }, "held-out metric"), explain("metric")),
    element("span", { class: "sv-line left" }, page.names[0]), element("span", { class: "sv-line right" }, page.names[1]),
  );
  part("whole", "div", { class: "sv-pair-whole", hidden: true }, page.time, element("section", { class: "sv-card", "aria-label": "Loss and metric of both" }, key, page.loss), page.columns);
  part("toasts", "div", { class: "sv-toast-host" });
  part(
    "root", "div", { class: "sv-figure sv-compare sv-page" },
    element("div", { class: "sv-intro" }, element("div", {}, element("h1", {}, "Side by side"), page.apart), page.tools),
    page.problem, page.whole, page.toasts,
  );
  return page;
}
