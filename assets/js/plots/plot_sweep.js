// @ts-check
// A sweep's cells as a heatmap with a button over each, and the same quantity as lines; gradients by powers of ten.
import { inkOn } from "../common/contrast.js";
import { element } from "../common/dom.js";
import { formatNumber, formatPower } from "../common/numbers.js";
import { rampColour } from "../diagram/diagram_paint.js";
import { createPlotHost } from "./plot_host.js";

// px that a cell has to be wide so that its number fits, and a letter of a label.
const CELL_NUMBER_ROOM = 46;
const LETTER_WIDTH = 7;

/**
 * @typedef {{axes: {words: string, values: string[]}[], rows: any[], quantity: string, logarithmic: boolean}} Swept
 */

/** A cell's value, where it has one that the scale takes. @param {any} row @param {Swept} swept */
function sweepValue(row, { quantity, logarithmic }) {
  const value = row?.[quantity] ?? null;
  if (value === null || !logarithmic) return value;
  return value > 0 ? Math.log10(value) : null;
}

/** The smallest and largest value there are, apart even where all are one. @param {Swept} swept */
function sweepEnds(swept) {
  const found = swept.rows.map((row) => sweepValue(row, swept)).filter((value) => value !== null);
  const low = Math.min(...found), high = Math.max(...found);
  if (!found.length) return [0, 1];
  return low === high ? [low - 0.5, high + 0.5] : [low, high];
}

/** Ticks at powers of ten, or at round numbers. @param {number[]} range @param {boolean} logarithmic */
function sweepTicks([low, high], logarithmic) {
  const span = high - low;
  const unit = logarithmic ? Math.max(1, Math.ceil(span / 5)) : [1, 2, 5, 10].map((one) => one * 10 ** Math.floor(Math.log10(span / 4))).find((one) => span / one <= 5) ?? span;
  const values = [];
  for (let at = Math.ceil(low / unit) * unit; at <= high + 1e-9 * span; at += unit) values.push(Number(at.toPrecision(12)));
  return { tickvals: values, ticktext: values.map((value) => (logarithmic ? formatPower(value) : formatNumber(value))) };
}

/** The first axis' ticks, of which some are left out where there is no room. @param {string[]} values @param {number} width */
function sweepColumnTicks(values, width) {
  const longest = Math.max(...values.map((value) => value.length));
  const every = Math.max(1, Math.ceil(((longest + 1) * LETTER_WIDTH * values.length) / width));
  const shown = values.map((_, place) => place).filter((place) => place % every === 0);
  return { range: [-0.5, values.length - 0.5], tickvals: shown, ticktext: shown.map((place) => values[place]) };
}

/** The lines' scale, with room above and below. @param {Swept} swept */
function lineScale(swept) {
  const [low, high] = sweepEnds(swept);
  const range = [low - 0.06 * (high - low), high + 0.06 * (high - low)];
  return { range, ...sweepTicks(range, swept.logarithmic) };
}

/** px that labels take at the left, of rows and of the lines' scale: the columns of both stand one above the other. @param {Swept} swept @param {number} width */
function labelRoom(swept, width) {
  const labels = [...(swept.axes[1]?.values ?? []), ...lineScale(swept).ticktext];
  return Math.min(width / 3, 14 + LETTER_WIDTH * Math.max(3, ...labels.map((label) => label.length)));
}

/**
 * @param {any} Plotly @param {HTMLElement} parent @param {any} figure @param {any} ramps
 * @param {{open: (cell: number) => void, point: (cell: number | null, near: Element | null) => void}} act
 */
export function createSweepCells(Plotly, parent, figure, ramps, act) {
  const grid = element("div", { class: "sv-sweep-grid", role: "group", "aria-label": "Cells: arrow keys move, Enter opens one in the lab" });
  /** @type {HTMLButtonElement[]} */
  let buttons = [];
  let columns = 1;
  const host = createPlotHost(Plotly, parent, figure, ramps, (state, look) => {
    if (!state.swept) return null;
    const { axes, rows } = /** @type {Swept} */ (state.swept);
    const [first, second] = [axes[0].values, axes[1]?.values ?? [""]];
    const { meta, margin } = look.figure.layout;
    const left = labelRoom(state.swept, look.width);
    const row = Math.min(meta.row.most, Math.max(meta.row.least, 340 / second.length));
    const size = { width: look.width - left - margin.r, height: row * second.length };
    const [low, high] = sweepEnds(state.swept);
    const { quantity } = state.swept;
    const places = new Map(rows.map((one) => [one.cell, one[quantity] === 0 && state.swept.logarithmic ? 0 : ((sweepValue(one, state.swept) ?? NaN) - low) / (high - low)]));
    const place = (cell) => places.get(cell) ?? NaN;
    const z = second.map((_, y) => first.map((_, x) => finiteOrNull(place(x * second.length + y))));
    lay(state.swept, look, { left, top: margin.t, ...size }, place);
    const data = look.figure.data.map((trace) => ({ ...trace, z, x: first.map((_, x) => x), y: second.map((_, y) => y) }));
    return {
      data,
      layout: {
        height: size.height + margin.t + margin.b, margin: { ...margin, l: left },
        xaxis: { ...look.figure.layout.xaxis, ...sweepColumnTicks(first, size.width) },
        yaxis: { ...look.figure.layout.yaxis, range: [second.length - 0.5, -0.5], tickvals: second.map((_, y) => y), ticktext: second },
      },
    };
  });
  host.node.append(grid);

  /** Lay the buttons over the cells, and write what each is. @param {Swept} swept @param {any} look @param {any} box @param {(cell: number) => number} place */
  function lay(swept, look, box, place) {
    const [first, second] = [swept.axes[0].values, swept.axes[1]?.values ?? [""]];
    columns = first.length;
    const many = first.length * second.length;
    if (buttons.length !== many) {
      buttons = Array.from({ length: many }, (_, at) => element("button", { type: "button", tabindex: at ? "-1" : "0" }));
      grid.replaceChildren(...buttons);
    }
    grid.style.cssText = `left:${box.left}px;top:${box.top}px;width:${box.width}px;height:${box.height}px;grid-template-columns:repeat(${first.length}, minmax(0, 1fr))`;
    const byCell = new Map(swept.rows.map((row) => [row.cell, row]));
    for (const [at, button] of buttons.entries()) {
      const [x, y] = [at % columns, Math.floor(at / columns)];
      const cell = x * second.length + y;
      const row = byCell.get(cell);
      const failed = row && row.state !== "finished";
      button.dataset.cell = String(cell);
      button.className = !row ? "waiting" : failed ? "failed" : "";
      const words = !row ? "" : row.state === "impossible" ? "–" : failed && sweepValue(row, swept) === null ? "✕" : formatNumber(row[swept.quantity]);
      button.textContent = box.width / columns >= CELL_NUMBER_ROOM || words.length < 2 ? words : "";
      button.style.color = Number.isFinite(place(cell)) ? inkOn(rampColour(look.ramps.bars, place(cell))) : look.tokens.ink;
      const where = swept.axes.map((axis, which) => `${axis.words} ${axis.values[which ? y : x]}`).join(", ");
      button.setAttribute("aria-label", `${where}: ${!row ? "not computed yet" : failed ? row.reason : words}`);
    }
  }
  const cellAt = (event) => event.target.closest?.("button");
  grid.onclick = (event) => cellAt(event) && act.open(Number(cellAt(event).dataset.cell));
  grid.onkeydown = (event) => {
    const at = buttons.indexOf(cellAt(event));
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
    if (at < 0 || !step) return;
    event.preventDefault();
    const next = buttons[at + step];
    if (!next || (Math.abs(step) === 1 && Math.floor((at + step) / columns) !== Math.floor(at / columns))) return;
    buttons[at].tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  };
  const point = (event) => act.point(cellAt(event) ? Number(cellAt(event).dataset.cell) : null, cellAt(event) ?? null);
  grid.onpointerover = point;
  grid.addEventListener("focusin", point);
  grid.onpointerleave = () => act.point(null, null);
  grid.addEventListener("focusout", () => act.point(null, null));
  return host;
}

/** @param {number} value */
const finiteOrNull = (value) => (Number.isFinite(value) ? value : null);

/** @param {any} Plotly @param {HTMLElement} parent @param {any} figure @param {any} ramps */
export function createSweepLines(Plotly, parent, figure, ramps) {
  return createPlotHost(Plotly, parent, figure, ramps, (state, look) => {
    if (!state.swept) return null;
    const { axes, rows } = /** @type {Swept} */ (state.swept);
    const [first, second] = [axes[0].values, axes[1]?.values ?? [""]];
    const byCell = new Map(rows.map((row) => [row.cell, row]));
    const [line] = look.figure.data;
    const data = second.map((name, y) => {
      const colour = lineColour(y, second.length, look);
      const values = first.map((_, x) => sweepValue(byCell.get(x * second.length + y), state.swept));
      return { ...line, meta: `line ${y}`, name, x: first.map((_, x) => x), y: values, line: { ...line.line, color: colour }, marker: { ...line.marker, color: colour } };
    });
    const { margin } = look.figure.layout;
    const left = labelRoom(state.swept, look.width);
    return {
      data,
      layout: {
        margin: { ...margin, l: left },
        xaxis: { ...look.figure.layout.xaxis, ...sweepColumnTicks(first, look.width - left - margin.r) },
        yaxis: { ...look.figure.layout.yaxis, ...lineScale(state.swept) },
      },
    };
  });
}

/** The colour of one of several lines: ink and the accent for two, a ramp for more. @param {number} place @param {number} many @param {{ramps: any, tokens: any}} look */
export function lineColour(place, many, { ramps, tokens }) {
  if (many <= 2) return place ? tokens.accent : tokens.ink;
  return rampColour(ramps.bars, 0.3 + (0.7 * place) / (many - 1));
}
