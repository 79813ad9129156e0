// @ts-check
// Puts a frame's gradients on the diagram: the width and colour of every band, the stripes of every collapsed group.
import { createAlikeMarks } from "../common/alike_marks.js";
import { medianOf } from "./aggregate.js";

const FIELDS = { state: "state_grad", trunk: "trunk_grad", skip: "skip_grad", edge: "edge_grad" };
const WIRE = 1.25;
const SVG_SPACE = "http://www.w3.org/2000/svg";

/**
 * Where a gradient stands on the diagram's fixed scale 1e-7…10, from 0 to 1.
 * @param {number | null} gradient
 */
export function scaleOf(gradient) {
  if (!gradient || gradient <= 0) return 0;
  return Math.min(1, Math.max(0, (Math.log10(gradient) + 7) / 8));
}

/**
 * The colour of a ramp (a list of colours) at `t` from 0 to 1.
 * @param {string[]} ramp
 * @param {number} t
 */
export function rampColour(ramp, t) {
  return ramp[Math.round(Math.min(1, Math.max(0, t)) * (ramp.length - 1))];
}

/**
 * Prepare a diagram for painting; the returned function paints one frame's values (or none).
 * @param {SVGSVGElement} svg
 * @param {any} diagram
 */
export function createDiagramPainter(svg, diagram) {
  const edges = diagram.edges.map((edge) => {
    const group = svg.querySelector(`[data-edge="${edge.id}"]`);
    return { ...edge, group, bands: group ? [...group.querySelectorAll(".band")] : [] };
  });
  const grids = [...svg.querySelectorAll("[data-mixing]")].map((node) => ({ start: Number(node.getAttribute("data-mixing")), cells: [...node.querySelectorAll(".cell")] }));
  const stripes = [...svg.querySelectorAll(".stripes")].map(createStripes);
  return (values, ramps) => {
    svg.classList.toggle("rest", !values);
    for (const edge of edges) {
      if (!edge.bands.length) continue;
      const list = values?.[FIELDS[edge.kind]] ?? null;
      const gradient = list ? medianOf(edge.parts, list) : null;
      const t = scaleOf(gradient);
      const width = list ? WIRE + ((edge.band ?? diagram.band_max) - WIRE) * t : 0;
      const over = gradient !== null && gradient > 10;
      const colour = rampColour(["skip", "edge"].includes(edge.kind) ? ramps.skip : ramps.trunk, t);
      for (const band of edge.bands) {
        band.style.strokeWidth = `${width.toFixed(2)}px`;
        band.style.stroke = over ? "" : colour;
      }
      edge.group.classList.toggle("over", over);
    }
    for (const { start, cells } of values?.mixing ? grids : []) {
      for (const [place, cell] of cells.entries()) {
        const weight = values.mixing[start + place];
        cell.setAttribute("fill-opacity", Math.sqrt(Math.min(1, Math.abs(weight ?? 0))).toFixed(3));
        cell.classList.toggle("below", weight < 0);
      }
    }
    for (const paintStripes of stripes) paintStripes(values?.weight_grad ?? null, ramps.bars);
  };
}

/**
 * The stripes of one collapsed group: as drawn while nothing is measured, then those of one colour as one path.
 * @param {Element} group
 * @returns {(gradients: (number | null)[] | null, ramp: string[]) => void}
 */
function createStripes(group) {
  const drawn = [...group.children];
  const layers = drawn.map((node) => Number(node.getAttribute("data-stripe")));
  const boxes = drawn.map((node) => ["x", "y", "width", "height"].map((name) => Number(node.getAttribute(name))));
  // From below upwards, each down to the one before: what is written of both is rounded, and a gap would show what lies behind.
  const outlines = boxes.map(([x, y, width, height], index) => `M${x} ${y}h${width}V${index ? boxes[index - 1][1] : y + height}h${-width}z`);
  const measured = document.createElementNS(SVG_SPACE, "g");
  const paintAlike = createAlikeMarks(() => {
    const path = document.createElementNS(SVG_SPACE, "path");
    path.setAttribute("class", "stripe");
    path.setAttribute("shape-rendering", "crispEdges");
    return measured.appendChild(path);
  });
  return (gradients, ramp) => {
    if (gradients) {
      const colours = layers.map((layer) => gradients[layer]).map((gradient) => (typeof gradient === "number" ? rampColour(ramp, 0.22 + 0.78 * scaleOf(gradient)) : ""));
      paintAlike(colours, (index) => outlines[index]);
    }
    if (Boolean(gradients) !== Boolean(measured.parentNode)) group.replaceChildren(...(gradients ? [measured] : drawn));
  };
}
