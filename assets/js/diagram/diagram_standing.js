// @ts-check
// How skips, valves and boxes stand at one moment of a run: on a drawing of another moment, or of the run's beginning.

import { countInForce, inForce } from "../common/in_force.js";
import { factor } from "../common/numbers.js";

const STANDING_SVG = "http://www.w3.org/2000/svg";
// As `skipviz.drawing.marks` and `plate` have them, px.
const CHIP = { height: 18, pitch: 21, least: 26, margin: 10, character: 6.6 };
const RING_GAP = 11;

/**
 * A network's parts as they stood.
 * @param {any} network  as Python tells of it
 * @param {{skip: Map<string, any>, layer: Map<string, any>}} then  on, strength and gain by id
 */
export function networkThen(network, then) {
  const stood = (part, known) => ({ ...part, ...known.get(part.id) });
  const skips = network.skips.map((skip) => stood(skip, then.skip));
  return { ...network, skips, layers: network.layers.map((layer) => stood(layer, then.layer)), skips_on: countInForce(skips) };
}

/**
 * A network with the strengths that its skips had learned when a frame was measured, and with the matrices by which streams mixed.
 * @param {any} network  as Python tells of it  @param {any} values  a frame's, of the network
 */
export function withStrengths(network, values) {
  const { strength: learned, mixing } = values ?? {};
  let place = 0;
  const mixed = (skip) => (mixing && skip.matrix ? mixing.slice(place, (place += skip.matrix.length)) : skip.matrix);
  const then = (skip, index) => ({ ...skip, strength: learned?.[index] ?? skip.strength, share: values.share?.[index] ?? skip.share, matrix: mixed(skip) });
  return learned || mixing ? { ...network, skips: network.skips.map(then) } : network;
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
  for (const line of diagram.skips) {
    const skips = line.parts.map((index) => network.skips[index]);
    const node = skips.some((skip) => skip.learned) && svg.querySelector(`[data-edge="${line.id}"]`);
    if (node) putChips(svg, line, chipWords(skips, countInForce(skips), node.classList.contains("count")), !node.classList.contains("off"));
  }
}

/**
 * Let a drawing show how the network's parts stand.
 * @param {SVGSVGElement} svg @param {any} diagram @param {any} network
 */
export function drawStanding(svg, diagram, network) {
  for (const line of diagram.skips) {
    const skips = line.parts.map((index) => network.skips[index]);
    const on = countInForce(skips);
    const node = svg.querySelector(`[data-edge="${line.id}"]`);
    if (!node) continue;
    node.classList.toggle("off", !on);
    node.classList.toggle("some", on > 0 && on < skips.length);
    node.setAttribute("aria-pressed", String(on > 0));
    node.setAttribute("aria-label", skipSentence(skips, on));
    putChips(svg, line, chipWords(skips, on, node.classList.contains("count")), on > 0);
    svg.querySelector(`[data-of="${line.id}"]`)?.classList.toggle("off", !on);
  }
  for (const plate of diagram.plates) if (plate.inside) putDashes(svg, plate, network.skips);
  const layers = new Map(network.layers.map((layer) => [layer.id, layer]));
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
  if (skips.length > 1) return `${skips.length} skips, ${on} on, ${first.merge}; the first from h(${first.source}) to h(${first.target})`;
  const strength = first.strength === 1 && !first.learned ? "" : `, strength ${short(first.strength)}${first.learned ? ", learned" : ""}`;
  const through = first.via ? `, through ${first.branch}` : "";
  return `Skip from h(${first.source}) to h(${first.target}), ${first.merge}${strength}${through}, ${on ? "on" : "off"}`;
}

// The words on a red line, as `skipviz.drawing.words.chips` has them.
function chipWords(skips, on, crosses) {
  const all = (name) => [...new Set(skips.map((skip) => skip[name]))];
  const [strengths, adapters, gains] = [all("strength"), all("adapter_label"), all("gain")];
  const found = [];
  if (crosses && skips.length > 1) found.push(`${skips.length} skips`);
  if (on > 0 && on < skips.length) found.push(`${on} of ${skips.length} on`);
  if (all("via").length === 1 && skips[0].via) found.push(skips[0].branch);
  if (skips.length === 1 && skips[0].softmax && skips[0].share !== null && on) found.push(`${(100 * skips[0].share).toFixed(0)} %`);
  else if (strengths.length > 1) found.push("× mixed");
  else if (skips.some((skip) => skip.learned)) found.push(factor(strengths[0]));
  else if (strengths[0] !== 1) found.push(`×${short(strengths[0])}`);
  if (adapters.length === 1) found.push(...(adapters[0] || "").split(" · ").filter(Boolean));
  if (gains.length > 1) found.push("▽ mixed");
  else if (gains[0] !== 1) found.push(`▽ ×${short(gains[0])}`);
  return found;
}

function drawnMark(tag, attributes, ...children) {
  const node = document.createElementNS(STANDING_SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  node.append(...children);
  return node;
}

function putChips(svg, line, words, on) {
  const layer = svg.querySelector(".chip-layer");
  const old = layer.querySelectorAll(`[data-chip="${line.id}"]`);
  const css = on ? "chip" : "chip off";
  if ([...old].map((chip) => chip.textContent).join("\n") === words.join("\n")) {
    for (const chip of old) chip.setAttribute("class", css);
    return;
  }
  for (const chip of old) chip.remove();
  const [x, middle] = line.chip;
  for (const [place, text] of words.entries()) {
    const y = middle + (place - (words.length - 1) / 2) * CHIP.pitch;
    const width = Math.max(CHIP.least, CHIP.margin + CHIP.character * text.length);
    const face = drawnMark("rect", { class: "face", x: x - width / 2, y: y - CHIP.height / 2, width, height: CHIP.height, rx: 4 });
    layer.append(drawnMark("g", { class: css, "data-chip": line.id }, face, drawnMark("text", { class: "word", x, y: y + 4.2 }, text)));
  }
}

function putDashes(svg, plate, skips) {
  const lane = svg.querySelector(`[data-plate="${plate.id}"] .mini-lane`);
  const state = plate.inside.map(([index]) => (inForce(skips[index]) ? 1 : 0)).join("");
  if (!lane || lane.dataset.state === state) return;
  lane.dataset.state = state;
  const path = (dashes) => dashes.map(([, low, high]) => `M${plate.x} ${low}V${high}`).join("");
  const [on, off] = [true, false].map((wanted) => plate.inside.filter(([index]) => inForce(skips[index]) === wanted));
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
    parts.push(drawnMark("circle", { class: "ring", cx: plate.x, cy: y, r: 4, tabindex: -1, role: "button", "data-skip": ids.join(" "), "aria-label": label }));
  }
  lane.replaceChildren(...parts);
}
