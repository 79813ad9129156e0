// @ts-check
// Norm of the whole gradient by step, before it is clipped, on a logarithmic axis; where it is clipped, at what norm.
import { formatNumber, formatPower } from "../common/numbers.js";
import { bandWords } from "../common/seed_words.js";
import { bandOutline } from "./loss_history.js";
import { createPlotHost } from "./plot_host.js";
import { frameAt } from "./plot_heatmap.js";
import { timePlot, stepAt, timeParts } from "./time_axis.js";
import { filled } from "./trace_arrays.js";

/**
 * Make the plot. `update` takes any of: frames, variant, steps, cursor, events, theme, training (as the run began), figure.
 * A press or drag calls `seek(step)`.
 * @param {any} Plotly
 * @param {HTMLElement} parent
 * @param {any} figure total_figure's, or one for each theme
 * @param {(step: number) => void} [seek]
 */
export function createTotalPlot(Plotly, parent, figure, seek) {
  const host = createPlotHost(Plotly, parent, figure, null, (state, look) => {
    if (!state.frames) return null;
    const total = totalLine(state.frames, state.variant);
    const threshold = thresholdLine(state);
    const known = [...total.y, ...threshold.y].filter((value) => value !== null);
    const low = Math.floor(Math.min(0, ...known));
    const high = Math.max(low + 1, Math.ceil(Math.max(...(known.length ? known : [0]))));
    const time = timeParts(state, look, [low, high]);
    const parts = { total, "total band": totalBand(state.frames, state.variant, low), threshold, events: time.events, cursor: time.cursor };
    return {
      data: look.figure.data.map((trace) => filled(trace, parts[trace.meta])),
      layout: { xaxis: time.xaxis, yaxis: { ...look.figure.layout.yaxis, range: [low, high], tickvals: [low, high], ticktext: [low, high].map(formatPower) } },
    };
  });
  return timePlot(host, seek, (frame, x) => totalSentences(host, frame, x), "Norm of the whole gradient by step, before it is clipped.");
}

/**
 * The norms at which gradients were clipped from each step on; null: they were not.
 * @param {any} training  as the run began
 * @param {{step: number, event: any}[]} events
 * @returns {{step: number, norm: number | null}[]}
 */
export function clipNorms(training, events) {
  const clips = (events ?? []).filter(({ event }) => event.kind === "clip").map(({ step, event }) => ({ step, norm: event.clip_norm ?? null }));
  return [{ step: 0, norm: training?.clip_norm ?? null }, ...clips];
}

/** @param {any[]} frames @param {string} variant */
function totalLine(frames, variant) {
  const line = { x: /** @type {number[]} */ ([]), y: /** @type {(number | null)[]} */ ([]) };
  for (const frame of frames) {
    const total = frame.variants[variant]?.total_grad;
    if (total === undefined) continue;
    line.x.push(frame.step);
    line.y.push(total > 0 ? Math.log10(total) : null);
  }
  return line;
}

/** @param {any[]} frames @param {string} variant @param {number} low  where the axis ends */
function totalBand(frames, variant, low) {
  const found = frames.filter((frame) => frame.variants[variant]?.bands?.total_grad);
  return bandOutline([0, 1].map((end) => ({
    x: found.map(({ step }) => step),
    y: found.map((frame) => Math.max(low, Math.log10(frame.variants[variant].bands.total_grad[end]))),
  })));
}

/** @param {any} state */
function thresholdLine({ training, events, steps }) {
  const norms = clipNorms(training, events);
  const line = { x: /** @type {(number | null)[]} */ ([]), y: /** @type {(number | null)[]} */ ([]) };
  for (const [index, { step, norm }] of norms.entries()) {
    if (norm === null) continue;
    const height = Math.log10(norm);
    line.x.push(step, norms[index + 1]?.step ?? steps, null);
    line.y.push(height, height, null);
  }
  return line;
}

/**
 * @param {ReturnType<typeof createPlotHost>} host
 * @param {{left: number, right: number, steps: number}} frame
 * @param {number} x
 */
function totalSentences({ node, state }, frame, x) {
  if (!state.frames?.length || x < frame.left || x > node.clientWidth - frame.right) return null;
  const shown = frameAt(state.frames, stepAt(x, node.clientWidth, frame));
  const values = shown?.variants[state.variant];
  if (values?.total_grad === undefined) return null;
  const norm = clipNorms(state.training, state.events).findLast(({ step }) => step <= shown.step)?.norm ?? null;
  const lines = [`Step ${shown.step}: the whole gradient's norm is ${formatNumber(values.total_grad)}`];
  const spread = bandWords(values, values.bands?.total_grad);
  if (spread) lines.push(spread);
  if (norm !== null) lines.push(values.total_grad > norm ? `clipped to ${formatNumber(norm)} for the update` : `below ${formatNumber(norm)}, from which it is clipped`);
  if (values.learning_rate !== undefined) lines.push(`learning rate ${formatNumber(values.learning_rate)}`);
  return lines;
}
