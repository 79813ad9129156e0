// @ts-check
// Loss and metric by step, under the heatmap and on the same columns.
import { atStep, heldOutLossWords, metricName, metricScaleWords, metricWord } from "../common/metric_words.js";
import { lossHistory } from "./loss_history.js";
import { formatNumber } from "../common/numbers.js";
import { bandWords } from "../common/seed_words.js";
import { frameAt } from "./plot_heatmap.js";
import { createPlotHost } from "./plot_host.js";
import { timePlot, stepAt, timeParts } from "./time_axis.js";
import { filled, polylines } from "./trace_arrays.js";

// A loss that leaps past this many times its first value is marked at the top edge; the axis does not follow it.
const FOLLOWED = 4;

/**
 * Make the plot. `update` takes any of: frames, variant, steps, cursor, events, theme, metric (its name), figure; others
 * ({frames, variant, metric} of each further network on the same axes, for a figure that has its lines), names (what all are called).
 * The loss axis begins as 0…1 and grows in steps, for one run only. A press or drag calls `seek(step)`.
 * @param {any} Plotly
 * @param {HTMLElement} parent
 * @param {any} figure loss_figure's, or one for each theme
 * @param {(step: number) => void} [seek]
 */
export function createLossPlot(Plotly, parent, figure, seek) {
  let ceiling = 1;
  /** @type {any} */
  let run = null;

  const host = createPlotHost(Plotly, parent, figure, null, (state, look) => {
    if (!state.frames) return null;
    const { layout } = look.figure;
    const { ceilings, half_life: halfLife } = layout.meta;
    const columns = look.width - layout.margin.l - layout.margin.r;
    const history = lossHistory(state.frames, state.variant, halfLife, columns);
    const others = (state.others ?? []).map(({ frames, variant }) => lossHistory(frames, variant, halfLife, columns));
    if (run !== state.frames[0]) ceiling = 1;
    run = state.frames[0];
    const lines = [history.smooth, ...others.map((other) => other.smooth)];
    const most = Math.max(...lines.map((line) => Math.min(Math.max(0, ...line.y), FOLLOWED * (line.y[0] ?? 1))));
    ceiling = Math.max(ceiling, ceilings.find((step) => step >= most) ?? ceilings[ceilings.length - 1]);
    const time = timeParts(state, look, [0, ceiling]);
    const above = lines.map((line) => line.x.filter((_, index) => line.y[index] > ceiling)).flatMap((steps) => steps.slice(-1));
    const parts = {
      loss: history.loss,
      smooth: history.smooth,
      metric: stretched(history.metric, ceiling),
      "held-out": stretched(history.heldOut, ceiling),
      "held-out loss": under(history.heldOutLoss, ceiling),
      "smooth band": under(history.smoothBand, ceiling),
      "held-out band": stretched(history.heldOutBand, ceiling),
      ...(state.metric === "" ? {} : { scale: metricScale(state.steps, ceiling, state.metric ?? layout.meta.metric) }),
      ...Object.fromEntries(others.flatMap((other, index) => [
        [`smooth ${index + 1}`, other.smooth], [`held-out loss ${index + 1}`, under(other.heldOutLoss, ceiling)], [`held-out ${index + 1}`, stretched(other.heldOut, ceiling)],
        [`smooth ${index + 1} band`, under(other.smoothBand, ceiling)], [`held-out ${index + 1} band`, stretched(other.heldOutBand, ceiling)],
      ])),
      over: { x: above, y: above.map(() => ceiling) },
      events: time.events,
      cursor: time.cursor,
    };
    return {
      data: look.figure.data.map((trace) => filled(trace, parts[trace.meta] ?? polylines())),
      layout: { xaxis: time.xaxis, yaxis: { ...layout.yaxis, range: [0, ceiling], ...lossTicks(ceiling) }, meta: lossWords(state, layout.meta) },
    };
  });
  return timePlot(host, seek, (frame, x) => lossSentences(host, frame, x), "Loss and metric by step.");
}

/** What an exported picture calls the lines: the metric by its own name, where all have the same. @param {any} state @param {any} meta */
function lossWords({ metric, others = [] }, meta) {
  const name = others.every((/** @type {any} */ other) => other.metric === metric) ? metricName(metric ?? meta.metric) : "metric";
  return { ...meta, legend: meta.legend.map(([role, sign, text]) => [role, sign, text.replace(new RegExp(`^(${meta.metric}|metric)\\b`), name)]) };
}

/** @param {number} ceiling */
function lossTicks(ceiling) {
  const ticks = [0, ceiling / 2, ceiling];
  return { tickvals: ticks, ticktext: ticks.map(String) };
}

/** A band or line of losses cut off at the axis' end. @param {import("./loss_history.js").Line} band @param {number} ceiling */
function under(band, ceiling) {
  return { x: band.x, y: band.y.map((value) => Math.min(value, ceiling)) };
}

/**
 * A metric 0..1 over the loss's axis.
 * @param {import("./loss_history.js").Line} line
 * @param {number} ceiling
 */
function stretched(line, ceiling) {
  return ceiling === 1 ? line : { x: line.x, y: line.y.map((value) => value * ceiling) };
}

/**
 * The metric's own scale, written at the right only while the loss's numbers do not fit it.
 * @param {number} steps
 * @param {number} ceiling
 * @param {string} metric
 */
function metricScale(steps, ceiling, metric) {
  if (ceiling === 1) return { x: [], y: [] };
  return { x: [steps, steps], y: [ceiling / 2, ceiling], text: metricScaleWords(metric) };
}

/**
 * @param {ReturnType<typeof createPlotHost>} host
 * @param {{left: number, right: number, steps: number}} frame
 * @param {number} x
 */
function lossSentences({ node, state, look }, frame, x) {
  if (!state.frames?.length || x < frame.left || x > node.clientWidth - frame.right) return null;
  const step = stepAt(x, node.clientWidth, frame);
  if (state.others?.length) return severalSentences([state, ...state.others], step, state.names);
  const shown = frameAt(state.frames, step);
  const variant = state.variant ?? Object.keys(shown?.variants ?? {})[0];
  const values = shown?.variants[variant];
  if (!values) return null;
  const { half_life: halfLife, metric } = look().figure.layout.meta;
  const earlier = state.frames.slice(Math.max(0, state.frames.indexOf(shown) - 12 * halfLife), state.frames.indexOf(shown) + 1);
  const smooth = lossHistory(earlier, variant, halfLife, earlier.length).smooth.y.at(-1);
  const lost = earlier.findLast((one) => typeof one.variants[variant]?.held_out_loss === "number");
  const lines = [
    `Step ${shown.step}: loss ${formatNumber(values.loss)} on the batch${heldOutLossWords(lost, variant)}`,
    `smoothed ${formatNumber(smooth)}: exponential average, half-life ${halfLife} recorded steps`,
  ];
  const spread = bandWords(values, values.bands?.loss);
  if (spread) lines.splice(1, 0, spread);
  const measured = earlier.findLast((one) => typeof one.variants[variant]?.held_out === "number");
  const held = measured ? `, held out ${metricWord(measured.variants[variant].held_out, state.metric ?? metric)}${atStep(measured.step)}` : "";
  if (typeof values.metric === "number") lines.push(`${state.metric ?? metric}: batch ${metricWord(values.metric, state.metric ?? metric)}${held}`);
  return lines;
}

/**
 * @param {{frames: any[], variant: string, metric: string}[]} runs
 * @param {number} step
 * @param {string[]} [names]  what each is called
 */
function severalSentences(runs, step, names = ["left", "right"]) {
  const lines = runs.map(({ frames, variant, metric }, side) => {
    const shown = frameAt(frames, step);
    const values = shown?.variants[variant];
    if (!values) return `${names[side]}: nothing recorded here`;
    const measured = frames.findLast((one) => one.step <= shown.step && typeof one.variants[variant]?.held_out === "number");
    const held = measured ? `, held out ${metricWord(measured.variants[variant].held_out, metric)}${atStep(measured.step)}` : "";
    const lost = frames.findLast((one) => one.step <= shown.step && typeof one.variants[variant]?.held_out_loss === "number");
    const spread = bandWords(values, values.bands?.loss);
    const loss = `loss ${formatNumber(values.loss)} on the batch${heldOutLossWords(lost, variant)}`;
    return `${names[side]}: ${loss}${spread && ` (${spread})`}${lost && held ? `; ${metricName(metric)}${held}` : held}`;
  });
  return [`Step ${step}`, ...lines];
}
