// @ts-check
// The plot beside the diagram: bars, share at fork and update ratio, on the diagram's own pixel rows.
import { formatNumber, formatPower } from "../common/numbers.js";
import { createPlotHost } from "./plot_host.js";
import { gradientDrawing } from "./row_bars.js";
import { markSentences, rowMarks } from "./row_marks.js";
import { columnAreas, forkSentences, guide, shareBars, sideAxes, sideGuides, updateMarks, updateSentences } from "./row_sides.js";
import { attachTip } from "../common/tip.js";
import { barArrays, filled, numberArrays, polylines } from "./trace_arrays.js";

/** @typedef {import("./row_marks.js").RowMark} RowMark */

// px between the labels 10⁻¹² and 10⁻¹⁰ that keeps them apart.
const TICK_DISTANCE = 30;

/**
 * Make the plot. `update` takes any of: diagram (`Diagram.to_data()`); values, baseline, before, share and update, each one
 * variant's part of a frame or null; network, as it stood then (baseline and update are drawn from that frame's own fields, before stands for the last
 * frame ahead of an event); options {quantity: "weight" | "state", measure: "norm" | "rms" | "mean", scale: "absolute" |
 * "relative"}; theory (what is predicted of each state, as a multiple of the last one's gradient); header (the run's), variant (its name), frame (the step), theme ("light" | "dark"), figure, ramps; hollow
 * (words: whose gradient the baseline's is).
 * What is not given stays.
 * @param {any} Plotly
 * @param {HTMLElement} parent
 * @param {any} figure rows_figure's, or one for each theme
 * @param {any} ramps
 */
export function createRowsPlot(Plotly, parent, figure, ramps) {
  /** @type {{marks: RowMark[], areas: any} | null} */
  let drawn = null;
  const host = createPlotHost(Plotly, parent, figure, ramps, (state, look) => {
    if (!state.diagram) return null;
    const areas = columnAreas(look, layerCount(state));
    const marks = rowMarks(state);
    drawn = { marks, areas };
    return { data: rowTraces(state, look, marks, areas), layout: rowLayout(state, look, marks, areas) };
  });
  host.node.setAttribute("role", "img");
  const removeTip = attachTip(host.node, () => host.look().tokens, (x, y) => drawn && rowTip(host.state, drawn, x, y));
  return {
    node: host.node,
    /** @param {any} changes */
    update(changes) {
      host.update(changes);
      if (drawn && "values" in changes) describeRows(host.node, drawn.marks, host.state);
    },
    /**
     * The layers (or states) whose row is at `y` px of the plot; empty between rows.
     * @param {number} y
     */
    partsAt(y) {
      return drawn ? (markAt(drawn.marks, y)?.parts ?? []) : [];
    },
    destroy() {
      removeTip();
      host.destroy();
    },
  };
}

/** @param {any} state */
function layerCount(state) {
  return state.diagram.rows.reduce((most, row) => Math.max(most, ...(row.layers ?? []).map((layer) => layer + 1)), 0);
}

/**
 * @param {any} state
 * @param {import("./plot_host.js").Look} look
 * @param {RowMark[]} marks
 * @param {any} areas
 */
function rowLayout(state, look, marks, areas) {
  const { layout } = look.figure;
  const total = look.width;
  const height = state.diagram.height;
  const every = 2 / areas.unit >= TICK_DISTANCE ? 2 : 4;
  const ticks = [];
  for (let exponent = areas.low + 1; exponent <= 0; exponent += 1) {
    if (exponent % every === 0 && (exponent - areas.low) / areas.unit >= TICK_DISTANCE) ticks.push(exponent);
  }
  const words = [`≤${formatPower(areas.low)}`, ...ticks.map(formatPower)];
  ticks.unshift(areas.low);
  const end = areas.bars + areas.numbers;
  const reach = areas.low + end * areas.unit;
  /** @type {any} */
  const made = {
    height: height + layout.meta.axis,
    yaxis: { ...layout.yaxis, range: [height, 0] },
    xaxis: { ...layout.xaxis, domain: [0, Math.min(1, end / total)], range: [areas.low, reach], tickvals: ticks, ticktext: words },
    shapes: [],
    meta: { ...layout.meta, ...rowWords(state, layout.meta), rows: marks.map(({ name, y }) => ({ name, y })) },
  };
  if (areas.low < -7) made.shapes.push(guide("x", -7, look.tokens.ink3, "1.5px,3px", 1.25));
  made.shapes.push(...sideGuides(look, areas));
  return { ...made, ...sideAxes(look, areas) };
}

/** What an exported picture calls the bars, as the options have them. @param {any} state @param {any} meta */
function rowWords({ options = {} }, meta) {
  const states = options.quantity === "state";
  const of = `∂L/∂${states ? "hₖ" : "θₖ"}`;
  const size = { rms: `RMS of ${of}`, mean: `mean |${of}|` }[options.measure] ?? `‖${of}‖, L2 norm`;
  return {
    title: states ? "Gradient per state" : meta.title,
    axes: { ...meta.axes, x: options.scale === "relative" ? `${size} ÷ the last’s` : size, y: meta.axes.y.replace("layer", states ? "state" : "layer") },
  };
}

/**
 * @param {any} state
 * @param {import("./plot_host.js").Look} look
 * @param {RowMark[]} marks
 * @param {any} areas
 */
function rowTraces(state, look, marks, areas) {
  const drawing = gradientDrawing(state, look, marks, areas);
  const parts = {
    bars: barArrays(drawing.bars),
    envelope: { ...drawing.envelope, fillcolor: drawing.pale },
    whiskers: drawing.whiskers,
    median: drawing.medians,
    "baseline-edge": drawing.baselines,
    baseline: drawing.baselines,
    theory: drawing.theory,
    "before-edge": drawing.before,
    before: drawing.before,
    numbers: numberArrays(drawing.numbers),
    share: barArrays(areas.share ? shareBars(state, look) : []),
    ...(areas.update ? updateMarks(state, look) : { update: { x: [], y: [] }, "update-range": polylines() }),
  };
  return look.figure.data.map((trace) => filled(trace, parts[trace.meta]));
}

/**
 * @param {RowMark[]} marks
 * @param {number} y
 * @returns {RowMark | null}
 */
function markAt(marks, y) {
  return marks.find((mark) => Math.abs(y - mark.y) <= mark.h / 2 + 4) ?? null;
}

/**
 * @param {any} state
 * @param {{marks: RowMark[], areas: any}} drawn
 * @param {number} x
 * @param {number} y
 * @returns {string[] | null}
 */
function rowTip(state, { marks, areas }, x, y) {
  if (y > state.diagram.height) return null;
  if (areas.update && x >= areas.update.x - 8) return updateSentences(state, y);
  if (areas.share && x >= areas.share.x - 8) return forkSentences(state, y);
  const mark = markAt(marks, y);
  return mark && x <= areas.bars + areas.numbers ? markSentences(mark, state, areas.low) : null;
}

/**
 * Say in a sentence what the bars show, for those who cannot see them.
 * @param {HTMLElement} node
 * @param {RowMark[]} marks
 * @param {any} state
 */
function describeRows(node, marks, state) {
  const known = marks.filter((mark) => mark.now);
  const what = state.options?.quantity === "state" ? "state" : "layer";
  if (known.length === 0) {
    node.setAttribute("aria-label", `Gradient per ${what}: not measured yet.`);
    return;
  }
  const first = /** @type {any} */ (known[known.length - 1]);
  const last = /** @type {any} */ (known[0]);
  const ratio = last.now.median > 0 ? ` The first is ${formatNumber(first.now.median / last.now.median)} times the last.` : "";
  const values = `${formatNumber(last.now.median)} at ${last.name}, ${formatNumber(first.now.median)} at ${first.name}`;
  node.setAttribute("aria-label", `Gradient per ${what}, from the loss down: ${values}.${ratio}`);
}
