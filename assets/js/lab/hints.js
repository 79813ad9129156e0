// @ts-check
// What a part is and what its number means, in a few lines.
import { activationWords } from "../common/activations.js";
import { hasMouse, pressWords } from "../common/press_words.js";
import { inForce } from "../common/in_force.js";
import { gradientAt, markSentence } from "../common/gradient_words.js";
import { formatNumber } from "../common/numbers.js";
import { signalLines, stateOwner } from "../common/signal_words.js";
import { matrixRows, withStrengths } from "../diagram/diagram_switches.js";

/** @param {boolean} [figure]  whether the parts are the figure's, which are switched only */
export function createHints(figure = false) {
  return {
    /** @param {any} node @param {any} data @param {any} values @returns {string[]} */
    lines(node, data, values) {
      const lines = node && data ? partLines(node.dataset, data, values, figure).map(pressWords) : [];
      if (lines.length < 2) return lines;
      if (data.network.opened && !data.watch) return [...lines.slice(0, -1), ...switchedOnly(lines[lines.length - 1])];
      if (!(data.watch || data.network.watched)) return lines;
      return [...lines.slice(0, -1), ...(data.network.watched ? [] : ["Watching: make it mine to change it"])];
    },
  };
}

/** Whether a hint's line says what a part is, not what can be done to it. @param {string} line */
export const isFact = (line) => !/^(Click|Tap|Drag)/.test(line);

/** What can be done to a part of a module that the lab was opened on, of what can be done to any. @param {string} line */
const switchedOnly = (line) => (line.startsWith("Drag") ? [] : [line.replace(/ · .*$/, "").replace(/: edit$/, ": switch it, or its gradient’s gain")]);

function partLines(set, data, values, figure) {
  if (set.skip) return skipLines(set.skip.split(" "), data, values, figure);
  if (set.layer || set.valve) return layerLines((set.layer || set.valve).split(" "), Boolean(set.valve), data, values, figure);
  if (set.state !== undefined) {
    const k = Number(set.state);
    return [`State h(${k})`, `gradient ‖∂L/∂h‖ ${gradientAt(values, "state_grad", k)}, RMS ${formatNumber(values?.state_rms[k])}`, ...marked(values, "state_grad", k, true), ...signalLines(values, k, "its elements"), "Drag to another state: a new skip"];
  }
  if (set.collapsed) return ["Folded layers", "Click to open two blocks here"];
  if (set.branch) return ["A branch beside the trunk", "Click: unfold its boxes, or fold them again"];
  return [];
}

/** What misleads of a number, and where a line's width stands for less. @param {any} values @param {string} field @param {number} index @param {boolean} line @param {any} [part] */
function marked(values, field, index, line, part) {
  const value = values?.[field]?.[index];
  return [markSentence(values, field, index, part), line && value > 0 && value < 1e-7 ? "The line’s width ends there: ≤ 10⁻⁷" : ""].filter(Boolean);
}

/** What keys do, where there are some. @param {string} text */
const keys = (text) => (hasMouse() ? ` · ${text}` : "");

function skipLines(ids, data, values, figure) {
  const index = data.network.skips.findIndex((skip) => skip.id === ids[0]);
  const skip = data.network.skips[index];
  if (!skip) return edgeLines(ids[0], data, values);
  const gradient = values?.skip_grad[index];
  const trunk = skip.boxes.length ? null : values?.trunk_grad[skip.source];
  const opening = values?.gate_opening?.[index] ?? null;
  const share = gradient && trunk !== null && trunk !== undefined ? gradient ** 2 / (gradient ** 2 + trunk ** 2) : null;
  return [
    `Skip h(${skip.source}) → h(${skip.target}), ${skip.merge}${ids.length > 1 ? `, ×${ids.length}` : ""}`,
    `gradient back through it ${gradientAt(values, "skip_grad", index)}${share === null ? "" : `, ${Math.round(100 * share)} % of the energy at h(${skip.source})`}`,
    ...marked(values, "skip_grad", index, true, skip),
    ...learnedLine(skip, values?.strength?.[index]),
    ...skip.boxes.map((/** @type {number} */ place) => boxLine(data.network.branches[place], place, values)),
    ...(opening === null ? [] : [`gate open ${formatNumber(opening)} on average: f through, the rest is h(${skip.source})`]),
    ...mixedLines(skip, index, data.network, values),
    `Click: ${inForce(skip) ? "off" : "on"}${figure ? "" : keys("Del: remove")}`,
  ];
}

/** How streams mix: what each of few is made of. @param {any} skip @param {number} index @param {any} network @param {any} values */
function mixedLines(skip, index, network, values) {
  if (!skip.matrix) return [];
  const rows = matrixRows(withStrengths(network, values).skips[index].matrix);
  if (rows.length > 4) return [`${rows.length} streams; the inspector has the numbers of how they mix`];
  return rows.map((row, stream) => `stream ${stream + 1} ← ${row.join("  ")}`);
}

/** @param {any} part  a skip or an edge @param {number | null | undefined} value  that it has learned */
function learnedLine(part, value) {
  return part.learned ? [`strength ${formatNumber(value ?? part.strength)}, learned at ×${formatNumber(part.rate)} the run’s rate`] : [];
}

/** What an edge of a branch carries back. @param {string} id @param {any} data @param {any} values */
function edgeLines(id, data, values) {
  const index = data.network.edges.findIndex((edge) => edge.id === id);
  const edge = data.network.edges[index];
  if (!edge) return [];
  return [
    `Edge ${edge.name}${edge.adapter_label ? `, ${edge.adapter_label}` : ""}`,
    `gradient back through it ${gradientAt(values, "edge_grad", index)}`,
    ...marked(values, "edge_grad", index, true, edge),
    ...learnedLine(edge, values?.edge_strength?.[index]),
    `Click: ${inForce(edge) ? "off" : "on"}`,
  ];
}

/** The gradient of a branch's box: of its weights, or else of its output. @param {any} box @param {number} place @param {any} values */
export function boxGradient(box, place, values) {
  const [field, name] = box.parameters ? ["branch_grad", "‖∂L/∂θ‖"] : ["branch_state_grad", "‖∂L/∂h‖"];
  return `${name} ${gradientAt(values, field, place)}`;
}

/** One box of a branch: what it does, its gradient, what it gives. @param {any} box @param {number} place @param {any} values */
function boxLine(box, place, values) {
  return `${box.says}: ${boxGradient(box, place, values)}, output ${box.shape}`;
}

/** A box beside the trunk. @param {string} id @param {any} data @param {any} values */
function branchLines(id, data, values) {
  const place = data.network.branches.findIndex((box) => box.id === id);
  const box = data.network.branches[place];
  if (!box) return [];
  const count = box.parameters ? `${boxGradient(box, place, values)} over ${box.parameters.toLocaleString("en")} parameters` : `no weights, ${boxGradient(box, place, values)}`;
  return [`Beside the trunk: ${box.says}${pathWords(box)}`, `${count}, output ${box.shape}`, ...marked(values, box.parameters ? "branch_grad" : "branch_state_grad", place, false, box), "Click: edit"];
}

/** Where in a module of somebody's own a box is, where its words do not say it. @param {any} box */
const pathWords = (box) => (box.path && box.path !== box.label ? `, ${box.path}` : "");

function layerLines(ids, valve, data, values, figure) {
  const index = data.network.layers.findIndex((layer) => layer.id === ids[0]);
  const layer = data.network.layers[index];
  if (!layer) return branchLines(ids[0], data, values);
  const turn = `Click: ${layer.gain > 0 ? "kill the gradient here" : "let it through again"}`;
  if (valve) return [`Gradient gain of f(${layer.k}): ×${layer.gain}`, "The forward pass stays as it is", turn];
  return [
    `f(${layer.k}): ${layer.label}${"path" in layer ? pathWords(layer) : `, ${activationWords(layer.activation)}`}${layer.dropout ? `, dropout ${layer.dropout}` : ""}`,
    layer.parameters
      ? `‖∂L/∂θ‖ ${gradientAt(values, "weight_grad", index)}, mean |∂L/∂w| ${gradientAt(values, "weight_grad_mean", index)} over ${layer.parameters.toLocaleString("en")} parameters, output ${layer.shape}`
      : `no weights, output ${layer.shape}`,
    ...marked(values, "weight_grad", index, false, layer),
    ...signalLines(values, layer.k, stateOwner(data.network, layer)),
    figure ? turn : `Click: edit${keys("S: start a skip · Del: remove")}`,
  ];
}
