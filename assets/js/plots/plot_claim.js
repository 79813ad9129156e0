// @ts-check
// A claim's picture: what was measured, what is predicted dashed, the band shaded; as lines, bars or heights.
import { formatNumber } from "../common/numbers.js";
import { createPlotHost } from "./plot_host.js";

// Points of a series up to which each has its sign.
const MOST_SIGNS = 64;
// px that a surface has to have so that several stand side by side.
const SURFACE_WIDTH = 280;
// Share of its place that the bars of one x take.
const BARS_WIDE = 0.76;

/**
 * @typedef {{kind: string, x: string, y: string, z: string, log_x: boolean, log_y: boolean}} Chart
 */

/** The rows of each series, in their order. @param {any[]} rows @returns {Map<string, any[]>} */
export function claimSeries(rows) {
  /** @type {Map<string, any[]>} */
  const found = new Map();
  for (const row of rows) {
    if (!("series" in row)) continue;
    const name = String(row.series);
    found.set(name, [...(found.get(name) ?? []), row]);
  }
  return found;
}

/** Make the plot; `update` takes rows, chart, theme. @param {any} Plotly @param {HTMLElement} parent @param {any} figure */
export function createClaimPlot(Plotly, parent, figure) {
  return createPlotHost(Plotly, parent, figure, null, (state, look) => {
    if (!state.chart) return null;
    const series = claimSeries(state.rows ?? []);
    const compose = { line: claimLines, bars: claimBars, surface: claimHeights }[/** @type {"line"} */ (state.chart.kind)];
    return compose(series, state.chart, look);
  });
}

/** A sign of the template for a series. @param {any} look @param {string} role @param {number} place @param {any} changes */
function sign(look, role, place, changes) {
  const { series, symbols } = look.figure.layout.meta;
  const colour = series[place % series.length];
  const trace = look.figure.data.find((one) => one.meta === role);
  return {
    ...trace, ...changes, uid: `${role}${place}`,
    ...(trace.line ? { line: { ...trace.line, color: colour } } : {}),
    ...(trace.marker ? { marker: { ...trace.marker, color: colour, symbol: symbols[place % symbols.length] } } : {}),
    ...(trace.fill ? { fillcolor: colour } : {}),
  };
}

/** An axis with its title. @param {any} axis @param {string} words @param {boolean} logarithmic */
const titled = (axis, words, logarithmic) => ({ ...axis, type: logarithmic ? "log" : "linear", title: { ...axis.title, text: words }, autorange: true });

/** The ends of what is drawn, to which an open band reaches. @param {any[]} rows @param {Chart} chart */
function claimEnds(rows, chart) {
  const known = rows.flatMap((row) => [row.measured, row.predicted, row.low, row.high]).filter((value) => typeof value === "number" && (!chart.log_y || value > 0));
  return known.length ? [Math.min(...known), Math.max(...known)] : [0, 1];
}

/** @param {Map<string, any[]>} series @param {Chart} chart @param {any} look */
function claimLines(series, chart, look) {
  const { xaxis, yaxis } = look.figure.layout;
  const [low, high] = claimEnds([...series.values()].flat(), chart);
  const data = [...series].flatMap(([name, rows], place) => {
    const banded = rows.filter((row) => typeof row.low === "number" || typeof row.high === "number");
    const edge = [...banded.map((row) => row.high ?? high), ...banded.map((row) => row.low ?? low).reverse()];
    const x = banded.map((row) => row.x);
    const of = (part) => ({ name, x: rows.map((row) => row.x), y: rows.map((row) => row[part] ?? null) });
    return [
      ...(banded.length ? [sign(look, "band", place, { name, x: [...x, ...x.toReversed()], y: edge })] : []),
      ...(rows.some((row) => typeof row.predicted === "number") ? [sign(look, "predicted", place, of("predicted"))] : []),
      sign(look, "measured", place, { ...of("measured"), mode: rows.length > MOST_SIGNS ? "lines" : "lines+markers" }),
    ];
  });
  return { data, layout: { xaxis: titled(xaxis, chart.x, chart.log_x), yaxis: titled(yaxis, chart.y, chart.log_y) } };
}

/** @param {Map<string, any[]>} series @param {Chart} chart @param {any} look */
function claimBars(series, chart, look) {
  const { xaxis, yaxis } = look.figure.layout;
  const all = [...series.values()].flat();
  const places = [...new Set(all.map((row) => row.x))];
  const [low, high] = claimEnds(all, chart);
  const wide = BARS_WIDE / Math.max(1, series.size);
  const middle = (row, place) => places.indexOf(row.x) - BARS_WIDE / 2 + wide * (place + 0.5);
  const data = [...series].flatMap(([name, rows], place) => {
    const x = rows.map((row) => middle(row, place));
    const across = (part) => rows.flatMap((row, at) => (typeof row[part] === "number" ? [[x[at] - wide / 2, row[part]], [x[at] + wide / 2, row[part]], [null, null]] : []));
    const predicted = across("predicted");
    const bands = rows.flatMap((row, at) => {
      if (typeof row.low !== "number" && typeof row.high !== "number") return [];
      const [left, right] = [x[at] - wide / 2 - 0.04, x[at] + wide / 2 + 0.04];
      const [least, most] = [row.low ?? low, row.high ?? high];
      return [[left, least], [left, most], [right, most], [right, least], [null, null]];
    });
    const points = (pairs) => ({ name, x: pairs.map((pair) => pair[0]), y: pairs.map((pair) => pair[1]) });
    return [
      ...(bands.length ? [sign(look, "band", place, points(bands))] : []),
      sign(look, "bars", place, { name, x, y: rows.map((row) => row.measured ?? null), text: rows.map((row) => formatNumber(row.measured)), width: wide * 0.92, customdata: rows.map((row) => row.x), hovertemplate: "%{customdata}: %{y:.3g}<extra></extra>" }),
      ...(predicted.length ? [sign(look, "predicted", place, points(predicted))] : []),
    ];
  });
  const ticks = { tickvals: places.map((_, at) => at), ticktext: places.map(String), range: [-0.6, places.length - 0.4], autorange: false, showgrid: false };
  return { data, layout: { xaxis: { ...titled(xaxis, chart.x, false), ...ticks }, yaxis: { ...titled(yaxis, chart.y, chart.log_y), rangemode: "tozero" } } };
}

/** Each series as a surface of its own, beside the others, or where there is no room below them. @param {Map<string, any[]>} series @param {Chart} chart @param {any} look */
function claimHeights(series, chart, look) {
  const { meta } = look.figure.layout;
  const many = Math.max(1, series.size);
  const beside = look.width >= many * SURFACE_WIDTH;
  const layout = /** @type {Record<string, any>} */ ({ height: meta.surface_height * (beside ? 1 : many), margin: { l: 0, r: 0, t: 24, b: 0 }, dragmode: "orbit", annotations: [] });
  const axis = (words) => ({ title: { text: words }, gridcolor: look.tokens.line, color: look.tokens.ink2, showbackground: false, zeroline: false });
  const data = [...series].map(([name, rows], place) => {
    const scene = place ? `scene${place + 1}` : "scene";
    const [x, y] = ["x", "y"].map((part) => [...new Set(rows.map((row) => row[part]))].sort((a, b) => a - b));
    const heights = new Map(rows.map((row) => [`${row.x} ${row.y}`, row.measured]));
    const share = [place / many, (place + 1) / many];
    const [left, top] = beside ? [(place + 0.5) / many, 1] : [0.5, 1 - share[0]];
    const domain = beside ? { x: share, y: [0, 1] } : { x: [0, 1], y: [1 - share[1], 1 - share[0]] };
    layout[scene] = { domain, camera: { eye: { x: 1.6, y: 1.6, z: 1.1 } }, xaxis: axis(chart.x), yaxis: axis(chart.y), zaxis: { ...axis(chart.z), type: chart.log_y ? "log" : "linear" } };
    layout.annotations.push({ text: name, showarrow: false, x: left, y: top, yanchor: "bottom", xref: "paper", yref: "paper", font: { size: 13, color: look.tokens.ink } });
    const trace = look.figure.data.find((one) => one.meta === "surface");
    const z = y.map((line) => x.map((column) => heights.get(`${column} ${line}`) ?? null));
    const colours = [[0, look.tokens["accent-tint"]], [1, meta.series[place % meta.series.length]]];
    const surfacecolor = chart.log_y ? z.map((line) => line.map((height) => (height > 0 ? Math.log10(height) : null))) : z;
    return { ...trace, uid: `surface${place}`, name, x, y, z, surfacecolor, scene, colorscale: colours, contours: { z: { show: true, project: { z: true }, color: look.tokens.ink3 } } };
  });
  return { data, layout };
}
