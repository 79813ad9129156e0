// @ts-check
// The switches of skips, valves and boxes at one step of a run, on a drawing of another step or of the run's beginning.

import { countInForce, inForce } from "../common/in_force.js";
import { factor } from "../common/numbers.js";
import { partsOf } from "../common/parts.js";

const SWITCHES_SVG = "http://www.w3.org/2000/svg";
// As `skipviz.drawing.marks` and `collapsed_group` have them, px.
const EDGE_LABEL = { height: 18, pitch: 21, least: 26, margin: 10, character: 6.6 };
const RING_GAP = 11;

/**
 * A network with its parts' switches at one step.
 * @param {any} network  as Python tells of it
 * @param {{skip: Map<string, any>, layer: Map<string, any>}} then  on, strength and gain by id
 */
export function withSwitches(network, then) {
  const switched = (part, known) => ({ ...part, ...known.get(part.id) });
  const all = (kind, parts) => parts.map((part) => switched(part, then[kind]));
  const skips = all("skip", network.skips);
  const beside = { branches: all("layer", network.branches), edges: all("skip", network.edges) };
  return { ...network, skips, layers: all("layer", network.layers), ...beside, skips_on: countInForce(skips) };
}

/**
 * A network with the strengths that its skips had learned when a frame was measured, and with the matrices by which streams mixed.
 * @param {any} network  as Python tells of it  @param {any} values  a frame's, of the network
 */
export function withStrengths(network, values) {
  const { strength, share, mixing, edge_strength: edges } = values ?? {};
  let place = 0;
  const mixed = (skip) => (mixing && skip.matrix ? mixing.slice(place, (place += skip.matrix.length)) : skip.matrix);
  const then = (part, learned, index) => ({ ...part, strength: learned?.[index] ?? part.strength });
  const skip = (part, index) => ({ ...then(part, strength, index), share: share?.[index] ?? part.share, matrix: mixed(part) });
  return {
    ...network,
    ...(strength || mixing ? { skips: network.skips.map(skip) } : {}),
    ...(edges ? { edges: network.edges.map((part, index) => then(part, edges, index)) } : {}),
  };
}

/** A matrix's rows as words; of a skip that is off it has none. @param {(number | null)[]} matrix  row by row */
export function matrixRows(matrix) {
  const streams = Math.round(Math.sqrt(matrix.length));
  const said = matrix.map((weight) => (weight === null ? "–" : weight.toFixed(2).replace("-", "−")));
  return Array.from({ length: streams }, (_, row) => said.slice(row * streams, (row + 1) * streams));
}

/**
 * Let a drawing's words say what strengths have been learned.
 * @param {SVGSVGElement} svg @param {any} diagram @param {any} network  with them
 */
export function drawStrengths(svg, diagram, network) {
  const all = partsOf(network, "skip");
  for (const line of diagram.skips) {
    const skips = line.parts.map((index) => all[index]);
    const node = skips.some((skip) => skip.learned) && svg.querySelector(`[data-edge="${line.id}"]`);
    if (node) putEdgeLabels(svg, line, edgeLabels(line, skips, countInForce(skips), node.classList.contains("count")), !node.classList.contains("off"));
  }
}

/**
 * Let a drawing show how the network's parts are switched.
 * @param {SVGSVGElement} svg @param {any} diagram @param {any} network
 */
export function drawSwitches(svg, diagram, network) {
  const all = partsOf(network, "skip");
  for (const line of diagram.skips) {
    const skips = line.parts.map((index) => all[index]);
    const on = countInForce(skips);
    const node = svg.querySelector(`[data-edge="${line.id}"]`);
    if (!node) continue;
    node.classList.toggle("off", !on);
    node.classList.toggle("some", on > 0 && on < skips.length);
    node.setAttribute("aria-pressed", String(on > 0));
    node.setAttribute("aria-label", skipSentence(skips, on));
    putEdgeLabels(svg, line, edgeLabels(line, skips, on, node.classList.contains("count")), on > 0);
    svg.querySelector(`[data-of="${line.id}"]`)?.classList.toggle("off", !on);
  }
  for (const group of diagram.collapsed) if (group.inside) putDashes(svg, group, network.skips);
  const layers = new Map(partsOf(network, "layer").map((layer) => [layer.id, layer]));
  const named = (node, kind) => node.dataset[kind].split(" ").map((id) => layers.get(id));
  for (const node of /** @type {any} */ (svg.querySelectorAll("[data-layer]"))) {
    const own = named(node, "layer");
    node.classList.toggle("killed", own.every((layer) => layer.gain === 0));
    node.classList.toggle("off", !own.some((layer) => layer.on));
  }
  for (const node of /** @type {any} */ (svg.querySelectorAll("[data-valve]"))) {
    const gains = [...new Set(named(node, "valve").map((layer) => layer.gain))];
    const state = gains.length > 1 ? "part" : gains[0] === 1 ? "open" : gains[0] === 0 ? "shut" : "part";
    for (const name of ["open", "part", "shut"]) node.classList.toggle(name, name === state);
    node.querySelector(".factor").textContent = gains.length > 1 ? "mixed" : `×${state === "open" ? 0 : short(gains[0])}`;
    const turn = gains[0] === 0 ? "let the gradient through" : "kill the gradient here";
    node.setAttribute("aria-label", `Gradient gain of f(${named(node, "valve")[0].k}): ${short(gains[0])}. Press Enter to ${turn}.`);
  }
}

/** A number with three digits. @param {number} value */
function short(value) {
  return String(Number(value.toPrecision(3))).replace("-", "−");
}

function skipSentence(skips, on) {
  const [first] = skips;
  if (first.name) return `Edge ${first.name}${strengthWords(first)}, ${on ? "on" : "off"}`;
  if (skips.length > 1) return `${skips.length} skips, ${on} on, ${first.merge}; the first from h(${first.source}) to h(${first.target})`;
  const through = first.via ? `, through ${first.branch}` : "";
  return `Skip from h(${first.source}) to h(${first.target}), ${first.merge}${strengthWords(first)}${through}, ${on ? "on" : "off"}`;
}

function strengthWords({ strength, learned }) {
  return strength === 1 && !learned ? "" : `, strength ${short(strength)}${learned ? ", learned" : ""}`;
}

// The words on a red line, as `skipviz.drawing.words.edge_labels` has them.
function edgeLabels(line, skips, on, crosses) {
  const all = (name) => [...new Set(skips.map((skip) => skip[name]))];
  const [strengths, adapters, gains] = [all("strength"), all("adapter_label"), all("gain")];
  const found = [];
  if (crosses && skips.length > 1) found.push(`${skips.length} skips`);
  if (on > 0 && on < skips.length) found.push(`${on} of ${skips.length} on`);
  if (line.branch) found.push(line.branch);
  if (skips.length === 1 && skips[0].softmax && skips[0].share !== null && on) found.push(`${(100 * skips[0].share).toFixed(0)} %`);
  else if (strengths.length > 1) found.push("× mixed");
  else if (skips.some((skip) => skip.learned)) found.push(factor(strengths[0]));
  else if (strengths[0] !== 1) found.push(`×${short(strengths[0])}`);
  if (adapters.length === 1 && !skips[0].name) found.push(...(adapters[0] || "").split(" · ").filter(Boolean));
  if (gains.length > 1) found.push("▽ mixed");
  else if (gains[0] !== 1) found.push(`▽ ×${short(gains[0])}`);
  return found;
}

function drawnMark(tag, attributes, ...children) {
  const node = document.createElementNS(SWITCHES_SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  node.append(...children);
  return node;
}

function putEdgeLabels(svg, line, words, on) {
  const layer = svg.querySelector(".label-layer");
  const old = layer.querySelectorAll(`[data-edge-label="${line.id}"]`);
  // The label that unfolds a branch stays: it may have the focus.
  const kept = [...old].find((label) => label.hasAttribute("data-branch"));
  for (const label of old) label.classList.toggle("off", !on);
  if ([...old].map((label) => label.textContent).join("\n") === words.join("\n")) return;
  for (const label of old) if (label !== kept) label.remove();
  const [x, middle] = line.label;
  for (const [place, text] of words.entries()) {
    const y = middle + (place - (words.length - 1) / 2) * EDGE_LABEL.pitch;
    const width = Math.max(EDGE_LABEL.least, EDGE_LABEL.margin + EDGE_LABEL.character * text.length);
    if (kept && text === line.branch) {
      kept.querySelector(".face").setAttribute("y", String(y - EDGE_LABEL.height / 2));
      kept.querySelector(".word").setAttribute("y", String(y + 4.2));
      continue;
    }
    const face = drawnMark("rect", { class: "face", x: x - width / 2, y: y - EDGE_LABEL.height / 2, width, height: EDGE_LABEL.height, rx: 4 });
    layer.append(drawnMark("g", { class: on ? "badge" : "badge off", "data-edge-label": line.id }, face, drawnMark("text", { class: "word", x, y: y + 4.2 }, text)));
  }
}

function putDashes(svg, group, skips) {
  const lane = svg.querySelector(`[data-collapsed="${group.id}"] .mini-lane`);
  const state = group.inside.map(([index]) => (inForce(skips[index]) ? 1 : 0)).join("");
  if (!lane || lane.dataset.state === state) return;
  lane.dataset.state = state;
  const path = (dashes) => dashes.map(([, low, high]) => `M${group.x} ${low}V${high}`).join("");
  const [on, off] = [true, false].map((wanted) => group.inside.filter(([index]) => inForce(skips[index]) === wanted));
  const parts = [];
  if (on.length) parts.push(drawnMark("path", { class: "mini", d: path(on) }));
  if (off.length) parts.push(drawnMark("path", { class: "mini off", d: path(off) }));
  /** @type {{y: number, ids: string[]}[]} */
  const rings = [];
  for (const [index, low, high] of off.sort((a, b) => b[1] - a[1])) {
    const y = (low + high) / 2;
    const last = rings.at(-1);
    if (last && last.y - y < RING_GAP) last.ids.push(skips[index].id);
    else rings.push({ y, ids: [skips[index].id] });
  }
  for (const { y, ids } of rings) {
    const label = `${ids.length} folded skip${ids.length > 1 ? "s" : ""} off`;
    parts.push(drawnMark("circle", { class: "ring", cx: group.x, cy: y, r: 4, tabindex: -1, role: "button", "data-skip": ids.join(" "), "aria-label": label }));
  }
  lane.replaceChildren(...parts);
}
