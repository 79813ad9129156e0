// @ts-check
// What happened in a run as a small picture: the loss as a line, and every layer's gradient as a strip under it.
import { element } from "../common/dom.js";
import { bytesOf } from "../pictures/picture_parts.js";

const NAMESPACE = "http://www.w3.org/2000/svg";
const NO_CELL = 255;

/**
 * @param {any} history  the server's, or null while nothing was measured
 * @param {string[]} ramp  colours of the bars, `#RRGGBB`
 * @returns {HTMLElement}
 */
export function runPicture(history, ramp) {
  const root = element("div", { class: "sv-history", "aria-hidden": "true" });
  if (!history) return root;
  const svg = document.createElementNS(NAMESPACE, "svg");
  svg.setAttribute("viewBox", `0 0 ${history.width} ${history.height}`);
  svg.setAttribute("preserveAspectRatio", "none");
  for (const line of history.lines) {
    const path = document.createElementNS(NAMESPACE, "path");
    path.setAttribute("d", line);
    svg.append(path);
  }
  root.append(svg, gradientStrip(history, ramp));
  return root;
}

/**
 * @param {{rows: number, columns: number, strip: string}} history
 * @param {string[]} ramp
 */
function gradientStrip({ rows, columns, strip }, ramp) {
  const canvas = /** @type {HTMLCanvasElement} */ (element("canvas", { width: columns, height: rows }));
  const context = canvas.getContext("2d");
  if (!context || !rows) return canvas;
  const image = context.createImageData(columns, rows);
  for (const [cell, place] of bytesOf(strip).entries()) {
    if (place === NO_CELL) continue;
    const colour = ramp[Math.min(place, ramp.length - 1)];
    for (let channel = 0; channel < 3; channel += 1) image.data[4 * cell + channel] = parseInt(colour.slice(1 + 2 * channel, 3 + 2 * channel), 16);
    image.data[4 * cell + 3] = 255;
  }
  context.putImageData(image, 0, 0);
  return canvas;
}
