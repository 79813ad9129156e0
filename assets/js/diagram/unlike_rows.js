// @ts-check
// Which rows of a comparison's diagrams hold parts that differ between its networks, and the tint behind them.
import { partsOf } from "../common/parts.js";

const UNLIKE_SVG = "http://www.w3.org/2000/svg";
// px of the tint above and below its row.
const UNLIKE_MARGIN = 2;

/**
 * The parts whose switch, strength or gain is not the same in all networks, by id.
 * @param {any[]} networks  as they stand at one step
 * @returns {Set<string>}
 */
export function switchedApart(networks) {
  const seen = new Map();
  const apart = new Set();
  for (const kind of ["skip", "layer"]) {
    for (const network of networks) {
      for (const { id, on, strength, gain } of partsOf(network, kind)) {
        const state = `${on} ${strength} ${gain}`;
        if (seen.has(id) && seen.get(id) !== state) apart.add(id);
        seen.set(id, state);
      }
    }
  }
  return apart;
}

/**
 * The rows of a drawing that hold one of the parts `unlike`; a skip's is where it lands.
 * @param {any} diagram @param {any} network @param {Set<string>} unlike
 * @returns {{y: number, h: number}[]}
 */
export function unlikeRows(diagram, network, unlike) {
  const joined = new Set(diagram.rows.flatMap((/** @type {any} */ row) => (row.kind === "joint" ? row.skips : [])));
  const landing = network.skips.map((/** @type {any} */ skip, /** @type {number} */ index) => (unlike.has(skip.id) && !joined.has(index) ? skip.target - 1 : -1));
  const holds = (/** @type {any} */ row) => (row.layers ?? []).some((/** @type {number} */ layer) => unlike.has(network.layers[layer].id) || landing.includes(layer))
    || (row.beside ?? []).some((/** @type {number} */ place) => unlike.has(network.branches[place].id))
    || (row.skips ?? []).some((/** @type {number} */ skip) => unlike.has(network.skips[skip].id));
  return diagram.rows.filter(holds);
}

/** Put the tint behind these rows of a drawing, and nowhere else. @param {SVGSVGElement} svg @param {any} diagram @param {{y: number, h: number}[]} rows */
export function tintRows(svg, diagram, rows) {
  const key = rows.map(({ y }) => y).join();
  let layer = /** @type {SVGElement | null} */ (svg.querySelector(".unlike-layer"));
  if ((layer?.dataset.rows ?? "") === key) return;
  layer?.remove();
  if (!rows.length) return;
  layer = document.createElementNS(UNLIKE_SVG, "g");
  layer.setAttribute("class", "unlike-layer");
  layer.dataset.rows = key;
  for (const { y, h } of rows) {
    const rect = document.createElementNS(UNLIKE_SVG, "rect");
    const place = { x: 0, y: y - h / 2 - UNLIKE_MARGIN, width: diagram.width, height: h + 2 * UNLIKE_MARGIN, rx: 4 };
    for (const [name, value] of Object.entries(place)) rect.setAttribute(name, String(value));
    layer.append(rect);
  }
  svg.prepend(layer);
}
