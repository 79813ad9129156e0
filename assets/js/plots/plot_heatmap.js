// @ts-check
// The whole run at a glance: every layer's gradient at every step, in the bars' colours.
import { gradientAt, markSentence } from "../common/gradient_words.js";
import { createPlotHost } from "./plot_host.js";
import { partName } from "./row_marks.js";
import { createStepColumns } from "./step_columns.js";
import { timePlot, stepAt, timeParts } from "./time_axis.js";
import { filled } from "./trace_arrays.js";

const ROW_UNITS = [1, 2, 3, 4, 6, 10, 20, 25, 50, 100, 200, 500];

/**
 * Make the heatmap. `update` takes any of: frames (grows at its end), variant (name), layerCount, steps (the run's last), cursor
 * (the step shown, null for none), events ({step}), quantity ("weight" | "state"), networkAt (the network as a frame measured it),
 * theme, figure. A press or drag calls
 * `seek(step)`.
 * @param {any} Plotly
 * @param {HTMLElement} parent
 * @param {any} figure heatmap_figure's, or one for each theme
 * @param {any} ramps
 * @param {(step: number) => void} [seek]
 */
export function createHeatmap(Plotly, parent, figure, ramps, seek) {
  /** @type {ReturnType<typeof createStepColumns> | null} */
  let store = null;
  let key = "";

  /** @param {any} state @param {import("./plot_host.js").Look} look */
  function columnsFor(state, look) {
    const { margin, height } = look.figure.layout;
    const steps = Math.max(1, state.steps);
    const layers = partCount(state);
    const width = look.width - margin.l - margin.r;
    const size = { steps, layers, columns: Math.max(1, Math.min(steps + 1, Math.floor(width / 1.5))) };
    const rows = Math.ceil(layers / Math.ceil(layers / ((height - margin.t - margin.b) / 1.5)));
    const wanted = `${JSON.stringify(size)} ${rows} ${state.variant} ${state.quantity}`;
    if (!store || wanted !== key || !store.continues(state.frames)) {
      store = createStepColumns({ ...size, rows, valuesOf: (frame) => heatmapValues(frame, state) });
      key = wanted;
    }
    return store;
  }

  const host = createPlotHost(Plotly, parent, figure, ramps, (state, look) => {
    if (!state.frames || !partCount(state)) return null;
    const cells = columnsFor(state, look);
    const z = cells.take(state.frames);
    const low = state.quantity === "state" ? 0 : 1;
    const range = [low - 0.5, low + cells.layers - 0.5];
    const time = timeParts(state, look, /** @type {[number, number]} */ (range));
    const dx = (cells.steps + 1) / cells.columns;
    const dy = cells.layers / cells.rows;
    const grid = state.frames.length ? { z, x0: dx / 2, dx, y0: range[0] + dy / 2, dy } : { z: [] };
    const parts = { events: time.events, cursor: time.cursor };
    return {
      data: look.figure.data.map((trace) => (trace.meta === "cells" ? { ...trace, ...grid } : filled(trace, parts[trace.meta]))),
      layout: { xaxis: time.xaxis, yaxis: { ...look.figure.layout.yaxis, range, ...layerTicks(low, cells.layers, state.quantity, look) }, meta: cellWords(state, look.figure.layout.meta) },
    };
  });
  return timePlot(host, seek, (frame, x, y) => cellSentences(host, frame, x, y), "Gradient of every layer over the whole run, in the colours of the bars.");
}

/** What an exported picture says of the cells. @param {any} state @param {any} meta */
function cellWords({ quantity }, meta) {
  if (quantity !== "state") return meta;
  const legend = meta.legend.map(([role, sign, text]) => [role, sign, text.replace("θ", "h")]);
  return { ...meta, title: meta.title.replace("layer", "state"), axes: { ...meta.axes, y: "state" }, legend };
}

/** @param {any} state */
function partCount(state) {
  const layers = state.layerCount ?? 0;
  return layers && state.quantity === "state" ? layers + 1 : layers;
}

/**
 * @param {any} frame
 * @param {any} state
 */
function heatmapValues(frame, state) {
  const variant = frame.variants[state.variant ?? Object.keys(frame.variants)[0]];
  return state.quantity === "state" ? variant?.state_grad : variant?.weight_grad;
}

/**
 * @param {number} low
 * @param {number} count
 * @param {string} quantity
 * @param {import("./plot_host.js").Look} look
 */
function layerTicks(low, count, quantity, look) {
  const { meta, margin, height } = look.figure.layout;
  const room = height - margin.t - margin.b;
  const every = ROW_UNITS.find((unit) => (unit * room) / count >= meta.tick_distance) ?? 1000;
  const ticks = [low];
  for (let k = every; k < low + count; k += every) {
    if (((k - low) * room) / count >= meta.tick_distance / 2) ticks.push(k);
  }
  return { tickvals: ticks, ticktext: ticks.map((k) => `${quantity === "state" ? "h" : "f"}(${k})`) };
}

/**
 * @param {ReturnType<typeof createPlotHost>} host
 * @param {{left: number, right: number, steps: number}} frame
 * @param {number} x
 * @param {number} y
 */
function cellSentences({ node, state, look }, frame, x, y) {
  const { margin, height } = look().figure.layout;
  const parts = partCount(state);
  const room = height - margin.t - margin.b;
  const index = parts - 1 - Math.floor(((y - margin.t) / room) * parts);
  if (!state.frames?.length || index < 0 || index >= parts || x < frame.left || x > node.clientWidth - frame.right) return null;
  const shown = frameAt(state.frames, stepAt(x, node.clientWidth, frame));
  if (!shown) return null;
  const quantity = state.quantity ?? "weight";
  const values = shown.variants[state.variant ?? Object.keys(shown.variants)[0]];
  const field = quantity === "state" ? "state_grad" : "weight_grad";
  const value = values?.[field]?.[index];
  const part = quantity === "state" ? null : state.networkAt?.(shown).layers[index];
  const said = [markSentence(values, field, index, part), value > 0 && value < 1e-7 ? "The colours end there: ≤ 10⁻⁷" : ""].filter(Boolean);
  return [`${partName(index, quantity)} at step ${shown.step}: ${gradientAt(values, field, index)}`, ...said, `‖∂L/∂${quantity === "state" ? "h" : "θ"}‖, L2 norm on that step’s batch`];
}

/**
 * The last recorded frame at or before `step`; null beyond the last one.
 * @param {any[]} frames
 * @param {number} step
 */
export function frameAt(frames, step) {
  let low = 0;
  let high = frames.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (frames[middle].step <= step) low = middle + 1;
    else high = middle;
  }
  const last = frames[frames.length - 1];
  const spacing = frames.length > 1 ? last.step / (frames.length - 1) : 1;
  return low === 0 || step > last.step + spacing + 1 ? null : frames[low - 1];
}
