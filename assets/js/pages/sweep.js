// @ts-check
// Sweeps: what is varied, a heatmap and lines that fill while the cells are computed, a table, each cell one press from the lab.
import { element } from "../common/dom.js";
import { createHeaderActions } from "../common/header_actions.js";
import { createToast, createTooltip } from "../common/notice.js";
import { formatNumber, formatPercent } from "../common/numbers.js";
import { createReachNote } from "../common/reach_note.js";
import { themeOf } from "../common/theme.js";
import { createJob, underWay } from "../frames/job.js";
import { showMessage } from "../frames/once.js";
import { routeTo } from "../frames/reach.js";
import { createStream } from "../frames/stream.js";
import { createSweepCells, createSweepLines, lineColour } from "../plots/plot_sweep.js";
import { sayNoPlots } from "../plots/no_plots.js";
import { loadPlotly } from "../plots/plotly_loader.js";
import { fetchFile } from "../sharing/export_files.js";
import { createSweepSetup } from "./sweep_setup.js";

/**
 * @param {HTMLElement} root
 * @param {ReturnType<import("../frames/commands.js").createCommands>} commands
 */
export function createSweep(root, commands) {
  const page = sweepElements();
  root.replaceChildren(page.root);
  const toast = createToast(page.toasts);
  const tip = createTooltip(page.cellsHost);
  const reach = createReachNote(false);
  page.root.append(reach.root);
  const stream = createStream((message) => job.hear(message), reach.update, () => "", () => job.wanted());
  const kinds = () => [{ id: "page", title: "This sweep", label: "Link to this sweep", note: "Others see it as it stands, and can open each cell in a lab of their own.", address: location.href }];
  const header = createHeaderActions(page.root, "sweep", { kinds, ask: (command) => commands.send(command) });
  const setup = createSweepSetup({
    base: (name) => commands.send({ op: "base", name }),
    start: (axes, steps) => commands.send({ op: "start", axes, steps }),
  });
  page.setup.append(setup.root);
  const job = createJob(draw, () => commands.waiting() || commands.send({ op: "look" }), () => stream.again());
  /** @type {any} what Python knows of the page, and of the sweep that is shown */
  let data = null;
  /** @type {any} */
  let cells = null;
  /** @type {any} */
  let lines = null;
  let ended = false;
  const open = (cell) => commands.send({ op: "open_lab", job: data.job.id, cell });
  const shown = () => data.job.quantities.find(([name]) => name === page.quantity.value) ?? data.job.quantities[0];

  page.quantity.onchange = draw;
  page.stop.onclick = () => commands.send({ op: "stop", job: data.job.id });
  page.resume.onclick = () => commands.send({ op: "resume", job: data.job.id });
  page.take.onclick = () => fetchFile(routeTo(`skipviz/jobs/${data.job.id}.csv`), (words) => words && toast.show("Table.", words));

  /** Show the sweep as far as it is. */
  function draw() {
    const now = job.now();
    page.whole.hidden = !now || !data?.job;
    page.empty.hidden = !page.whole.hidden;
    if (page.whole.hidden || !now) return;
    const [quantity, words, always] = shown();
    const logarithmic = always || spreads(now.rows.map((row) => row[quantity]));
    const swept = { axes: data.job.axes, rows: now.rows, quantity, logarithmic };
    const theme = themeOf(page.root);
    page.title.textContent = `${data.job.title}: ${data.job.axes.map((axis) => axis.words).join(" × ")}`;
    page.state.textContent = sweepStateWords(now, data.job.cells);
    page.bar.style.width = `${100 * now.progress}%`;
    page.progress.setAttribute("aria-valuenow", String(Math.round(100 * now.progress)));
    page.stop.hidden = !underWay(now) || !now.mine;
    page.resume.hidden = !["stopped", "failed"].includes(now.state) || !now.mine;
    page.take.disabled = !now.rows.length;
    page.across.textContent = data.job.axes[0].words;
    page.scale.textContent = sweepScaleWords(words, swept);
    cells?.update({ swept, theme });
    lines?.update({ swept, theme });
    if (lines) page.legend.replaceChildren(...sweepLegend(data.job.axes[1], lines.look()));
    page.table.replaceChildren(...sweepTable(data.job, now.rows, open));
  }

  /** Say what a cell is, beside the pointer. @param {number | null} cell @param {Element | null} near */
  function point(cell, near) {
    const row = job.now()?.rows.find((one) => one.cell === cell);
    if (cell === null || !near) return tip.show(null, []);
    const second = data.job.axes[1]?.values.length ?? 1;
    const places = [Math.floor(cell / second), cell % second];
    const where = data.job.axes.map((axis, which) => `${axis.words} ${axis.values[places[which]]}`).join(", ");
    const numbers = row ? data.job.quantities.map(([name, words]) => `${words}: ${formatNumber(row[name])}`) : [];
    const reason = row?.reason ? [`${row.reason[0].toUpperCase()}${row.reason.slice(1)}.`] : [];
    const last = !row ? "Not computed yet." : row.state === "impossible" ? "There is no such network." : "A press opens it in the lab.";
    tip.show(near, [where, ...(row?.state === "impossible" ? [] : numbers), ...reason, last]);
  }

  return {
    /** @param {any} next */
    update(next) {
      page.root.dataset.theme = themeOf(page.root);
      showMessage(next, toast);
      data = next;
      header.update(next);
      setup.update(next);
      if (next.job && page.quantity.dataset.job !== next.job.id) {
        page.quantity.dataset.job = next.job.id;
        const chosen = page.quantity.value || "final_loss";
        page.quantity.replaceChildren(...next.job.quantities.map(([name, words]) => element("option", { value: name, selected: name === chosen }, words)));
      }
      job.follow(next.job);
      draw();
      loadPlotly(next.plotly).then(
        (Plotly) => {
          if (ended || page.whole.hidden) return;
          cells = cells || createSweepCells(Plotly, page.cells, next.figures.cells, next.ramps, { open, point });
          lines = lines || createSweepLines(Plotly, page.lines, next.figures.lines, next.ramps);
          draw();
        },
        () => sayNoPlots([page.cells, page.lines]),
      );
    },
    destroy() {
      ended = true;
      job.destroy();
      stream.destroy();
      reach.destroy();
      header.destroy();
      cells?.destroy();
      lines?.destroy();
    },
  };
}

// From how many times the smallest on the largest of several values leaves no difference to be seen between the others.
const SPREAD = 1000;

/** Whether values, none below 0, are so far apart that powers of ten show them. @param {(number | null)[]} values */
function spreads(values) {
  const found = values.filter((value) => value !== null && value !== 0);
  return found.length > 1 && Math.min(...found) > 0 && Math.max(...found) > SPREAD * Math.min(...found);
}

/** Where a sweep stands, in a sentence. @param {import("../frames/job.js").Job} job @param {number} cells */
function sweepStateWords(job, cells) {
  const done = `${job.rows.length} of ${cells} cells`;
  const lost = job.kept ? "" : " The server has no room to keep it.";
  const failed = job.rows.filter((row) => row.state !== "finished").length;
  const marked = failed ? `, ${failed} of them marked` : "";
  const reason = job.reason ? `: ${job.reason}` : "";
  const words = {
    queued: job.ahead ? `Waits for ${job.ahead} before it.` : "Begins.",
    running: `Computes: ${done}${marked}, ${formatPercent(job.progress)}.`,
    finished: `Finished: ${done}${marked}, in ${formatNumber(job.seconds)} s.`,
    stopped: `Stopped at ${done}${reason}.`,
    failed: `Failed at ${done}${reason}.`,
  };
  return (words[job.state] ?? "") + lost;
}

/** What the colours mean, with the ends of the scale. @param {string} words @param {any} swept */
function sweepScaleWords(words, { rows, quantity, logarithmic }) {
  const found = rows.map((row) => row[quantity]).filter((value) => value !== null && value !== undefined && (!logarithmic || value > 0));
  if (!found.length) return words;
  return `${words}, from ${formatNumber(Math.min(...found))} (faint) to ${formatNumber(Math.max(...found))} (strong)${logarithmic ? ", by powers of ten" : ""}`;
}

/** What each line is. @param {{words: string, values: string[]} | undefined} axis @param {any} look */
function sweepLegend(axis, look) {
  if (!axis) return [];
  return [element("span", {}, `${axis.words}:`), ...axis.values.map((value, place) => {
    const mark = element("i", {});
    mark.style.background = lineColour(place, axis.values.length, look);
    return element("span", { class: "sv-sweep-key" }, mark, value);
  })];
}

/** The rows as a table. @param {any} job @param {any[]} rows @param {(cell: number) => void} open */
function sweepTable(job, rows, open) {
  const second = job.axes[1]?.values.length ?? 1;
  const head = element("tr", {}, ...job.axes.map((axis) => element("th", { scope: "col" }, axis.words)), ...job.quantities.map(([, words]) => element("th", { scope: "col" }, words)), element("th", { scope: "col" }, "State"), element("th", {}));
  const lines = [...rows].sort((a, b) => a.cell - b.cell).map((row) => {
    const places = [Math.floor(row.cell / second), row.cell % second];
    const button = row.state === "impossible" ? "" : element("button", { type: "button", class: "sv-link", onclick: () => open(row.cell) }, "Open");
    return element(
      "tr", { class: row.state },
      ...job.axes.map((axis, which) => element("th", { scope: "row" }, axis.values[places[which]])),
      ...job.quantities.map(([name]) => element("td", {}, formatNumber(row[name]))),
      element("td", {}, row.state === "finished" ? "finished" : row.reason), element("td", {}, button),
    );
  });
  return [element("thead", {}, head), element("tbody", {}, ...lines)];
}

function sweepElements() {
  const page = /** @type {Record<string, any>} */ ({});
  const part = (name, tag, attributes, ...children) => (page[name] = element(tag, attributes, ...children));
  part("setup", "div", { class: "sv-sweep-side" });
  part("title", "h2", {});
  part("state", "p", { class: "sv-quiet", role: "status" });
  part("bar", "div", {});
  part("progress", "div", { class: "sv-sweep-progress", role: "progressbar", "aria-label": "Progress", "aria-valuemin": "0", "aria-valuemax": "100" }, page.bar);
  part("stop", "button", { type: "button", class: "sv-button" }, "Stop");
  part("resume", "button", { type: "button", class: "sv-button" }, "Resume");
  part("take", "button", { type: "button", class: "sv-button" }, "CSV");
  part("quantity", "select", { "aria-label": "Quantity" });
  part("scale", "p", { class: "sv-quiet" });
  part("cells", "div", { class: "sv-sweep-cells" });
  part("cellsHost", "div", { class: "sv-sweep-host" }, page.cells);
  part("across", "p", { class: "sv-quiet sv-sweep-across" });
  part("legend", "p", { class: "sv-sweep-legend" });
  part("lines", "div", { class: "sv-sweep-lines" });
  part("table", "table", { class: "sv-sweep-table" });
  part(
    "whole", "div", { class: "sv-sweep-whole", hidden: true },
    element(
      "section", { class: "sv-card", "aria-label": "The sweep" },
      element("div", { class: "sv-sweep-head" }, element("div", {}, page.title, page.state), element("div", { class: "sv-sweep-tools" }, page.quantity, page.stop, page.resume, page.take)),
      page.progress, page.scale, page.cellsHost, page.across, page.legend, page.lines,
    ),
    element("section", { class: "sv-card sv-sweep-rows", "aria-label": "Table", tabindex: "0" }, page.table),
  );
  part("empty", "section", { class: "sv-card sv-runs-empty" }, element("p", {}, "No sweep yet. Choose one field or two and press Start: every cell is trained in the background, also when this page is closed."));
  part("toasts", "div", { class: "sv-toast-host" });
  part(
    "root", "div", { class: "sv-figure sv-sweep sv-page" },
    element("div", { class: "sv-intro" }, element("div", {}, element("h1", {}, "Sweep"), element("p", {}, "One network with other values of one field or two: where the gradient still arrives, and what is learned."))),
    element("div", { class: "sv-sweep-columns" }, page.setup, element("div", {}, page.whole, page.empty)), page.toasts,
  );
  return page;
}
