// @ts-check
// Points of two classes over the probability that the network gives them, with the line where both are equally likely.
import { element } from "../common/dom.js";
import { formatNumber } from "../common/numbers.js";
import { bytesOf, legendLines } from "./picture_parts.js";
import { createPlotHost } from "../plots/plot_host.js";

// px: the width below which points are drawn smaller, so that a thousand of them leave the field to see.
const SMALL = 300;
const FIELD_TRACES = ["field", "level"];

/**
 * The field with its line, and the points above it in a plot of their own, which is drawn again only when they change.
 * @param {any} Plotly
 * @param {HTMLElement} stage
 * @param {any} figure
 */
export function createBoundary(Plotly, stage, figure) {
  const frame = element("div", {});
  Object.assign(frame.style, { position: "relative", overflow: "hidden", borderRadius: "4px" });
  stage.append(frame);
  const field = createPlotHost(Plotly, frame, figure, null, (state, look) => {
    const grid = state.picture ? fieldGrid(state.picture) : null;
    const traces = look.figure.data.filter((trace) => FIELD_TRACES.includes(trace.meta));
    return { data: grid ? traces.map((trace) => ({ ...trace, ...grid })) : [], layout: planeAxes(state, look) };
  });
  const dots = createPlotHost(Plotly, frame, figure, null, (state, look) => {
    const points = pointColumns(state.points);
    const traces = look.figure.data.filter((trace) => !FIELD_TRACES.includes(trace.meta));
    return { data: traces.map((trace) => pointTrace(trace, points[trace.meta], look.width)), layout: planeAxes(state, look) };
  });
  Object.assign(dots.node.style, { position: "absolute", inset: "0" });
  let drawn = "";
  return {
    /** @param {any} state @param {any} look */
    update({ picture, header }, look) {
      const points = header?.points;
      const extent = picture?.extent ?? pointExtent(points);
      frame.style.width = `${look.width}px`;
      field.update({ picture, extent, figure: look.figure });
      const key = JSON.stringify([look.width, extent, look.tokens.card, points?.x.length, points?.x[0], points?.y[0]]);
      if (key !== drawn) dots.update({ points, extent, figure: look.figure });
      drawn = key;
      return { sentence: boundarySentence({ picture, header }), legend: boundaryLegend({ header }, look) };
    },
    destroy() {
      field.destroy();
      dots.destroy();
    },
  };
}

/** @param {any} state @param {import("../plots/plot_host.js").Look} look */
function planeAxes({ extent }, { figure, width }) {
  const [left, right, bottom, top] = extent ?? [-1, 1, -1, 1];
  const { xaxis, yaxis, meta } = figure.layout;
  const axes = { x: `x₁, from ${formatNumber(left)} to ${formatNumber(right)}`, y: `x₂, from ${formatNumber(bottom)} to ${formatNumber(top)}` };
  return { meta: { ...meta, axes, legend: [] }, height: width, xaxis: { ...xaxis, range: [left, right] }, yaxis: { ...yaxis, range: [bottom, top] } };
}

/** @param {any} picture */
function fieldGrid(picture) {
  const [rows, columns] = picture.size;
  const [left, right, bottom, top] = picture.extent;
  const bytes = bytesOf(picture.probability);
  const z = Array.from({ length: rows }, (_, row) =>
    Array.from(bytes.subarray((rows - 1 - row) * columns, (rows - row) * columns), (byte) => byte / 255),
  );
  return { z, x0: left + (right - left) / columns / 2, dx: (right - left) / columns, y0: bottom + (top - bottom) / rows / 2, dy: (top - bottom) / rows };
}

/** @param {any} trace @param {{x: number[], y: number[]}} columns @param {number} width */
function pointTrace(trace, columns, width) {
  const size = trace.marker.size * (width < SMALL ? 0.75 : 1);
  return { ...trace, ...columns, marker: { ...trace.marker, size } };
}

/** @param {any} points */
function pointColumns(points) {
  /** @type {Record<string, {x: number[], y: number[]}>} */
  const columns = {};
  for (const label of [0, 1]) for (const kind of ["trained", "held-out"]) columns[`class${label} ${kind}`] = { x: [], y: [] };
  (points?.label ?? []).forEach((/** @type {number} */ label, /** @type {number} */ index) => {
    const column = columns[`class${label} ${points.held_out?.[index] ? "held-out" : "trained"}`];
    column?.x.push(points.x[index]);
    column?.y.push(points.y[index]);
  });
  return columns;
}

/** @param {any} points @returns {number[]} */
function pointExtent(points) {
  if (!points?.x.length) return [-1, 1, -1, 1];
  const reach = 1.1 * Math.max(...points.x.map(Math.abs), ...points.y.map(Math.abs));
  return [-reach, reach, -reach, reach];
}

/** @param {any} state */
function boundarySentence({ picture, header }) {
  const count = header?.points?.x.length ?? 0;
  if (!picture) return `Decision boundary: ${count} points of two classes; the network has not been asked yet.`;
  const bytes = bytesOf(picture.probability);
  const share = bytes.filter((byte) => byte > 127).length / bytes.length;
  return `Decision boundary over ${count} points of two classes: class 1 is likelier on ${Math.round(100 * share)} % of the plane.`;
}

/** @param {any} state @param {any} look */
function boundaryLegend({ header }, { tokens }) {
  const lines = [
    { mark: "●", colour: tokens.class0, text: "class 0" },
    { mark: "◆", colour: tokens.class1, text: "class 1" },
  ];
  if (header?.points?.held_out?.some(Boolean)) lines.push({ mark: "○", colour: tokens.ink2, text: "hollow: held out" });
  return legendLines("Decision boundary", [...lines, { text: "Line: both classes equally likely" }], tokens);
}
