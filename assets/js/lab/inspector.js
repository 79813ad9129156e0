// @ts-check
// The bar over the diagram: the network in a line; what is selected, with its controls, takes its place (on phones, a sheet).
import { element, iconButton } from "../common/dom.js";
import { explain } from "../common/explain.js";
import { ACTIVATIONS } from "../common/activations.js";
import { gradientAt } from "../common/gradient_words.js";
import { factor, formatNumber } from "../common/numbers.js";
import { partsOf } from "../common/parts.js";
import { signalLines, stateOwner } from "../common/signal_words.js";
import { matrixRows } from "../diagram/diagram_switches.js";
import { readAs, typedNumber } from "../common/typed_number.js";
import { boxGradient } from "./hints.js";

/* global KINDS */
const NORMS = [["none", "no norm"], ...KINDS.norm];
const ORDERS = [["op-norm-act", "op – norm – act"], ["norm-act-op", "norm – act – op"]];
const MERGES = KINDS.merge;

function choice(label, options, value, onchange) {
  const says = options.find(([name]) => name === value)?.[2];
  const select = element("select", { "aria-label": label, title: says ? `${label}: ${says}` : label, onchange: () => onchange(select.value) });
  for (const [name, words] of options) select.append(element("option", { value: name, selected: name === value }, words));
  return select;
}

function switchButton(label, on, onclick, red = false) {
  return element("button", { type: "button", role: "switch", "aria-checked": String(on), "aria-label": label, title: label, class: `sv-switch${red ? " red" : ""}`, onclick });
}

function range(label, value, limits, changed, word = "") {
  const shown = element("output", {}, `${word}${factor(Number(value))}`);
  const input = element("input", { type: "range", "aria-label": label, ...limits, value });
  input.oninput = () => {
    shown.textContent = `${word}${factor(Number(input.value))}`;
    changed(Number(input.value), false);
  };
  input.onchange = () => changed(Number(input.value), true);
  return element("label", { class: "sv-range", title: label }, input, shown);
}

/** Move a slider that nobody holds. @param {any} input @param {number} value */
function follow(input, value) {
  if (!input || input === document.activeElement) return;
  input.value = value;
  input.nextSibling.textContent = factor(Number(value));
}

/** Where the caret stands in a text, or what is marked of it; null elsewhere. @param {any} input */
function caretOf(input) {
  return input?.selectionStart == null ? null : { text: input.value, from: input.selectionStart, to: input.selectionEnd };
}

/** Focus a control that was made anew as the one before it was; of another text all is marked where all was. @param {any} control @param {any} caret */
function takeFocus(control, caret) {
  control?.focus();
  if (!caret || control?.selectionStart == null) return;
  if (control.value === caret.text) control.setSelectionRange(caret.from, caret.to);
  else if (caret.to - caret.from === caret.text.length) control.select();
}

/** What stands in fields that could not take it, and the sentence beneath. @param {HTMLElement} controls */
function refusedFields(controls) {
  return [...controls.querySelectorAll("input[aria-invalid='true']")].map((/** @type {any} */ input) => ({
    label: input.getAttribute("aria-label"),
    holds: input.defaultValue,
    typed: input.value,
    words: input.nextSibling.textContent,
  }));
}

/** Let a field that was made anew keep what it could not take, where it still holds what it did. @param {HTMLElement} controls @param {any} field */
function keepRefused(controls, { label, holds, typed, words }) {
  const input = /** @type {any} */ (controls.querySelector(`input[aria-label="${CSS.escape(label)}"]`));
  if (input?.defaultValue !== holds) return;
  input.value = typed;
  input.setAttribute("aria-invalid", "true");
  input.nextSibling.textContent = words;
  input.nextSibling.hidden = false;
}

/**
 * @param {HTMLElement} host
 * @param {{skips: Function, layers: Function, selectLayer: Function, insert: Function, remove: Function, deselect: Function, refuse: Function}} act
 */
export function createInspector(host, act) {
  let key = "";
  let summed = "";
  let shown = "";
  // A learned strength moves on by itself: the controls stay, and its slider follows.
  const still = (parts) => parts.map((part) => (part.learned || part.matrix ? { ...part, strength: part.learned ? null : part.strength, share: null, matrix: null } : part));
  const same = (parts) => parts.map((part) => part.id).join() === shown;
  const line = element("div", { class: "sv-summary" });
  const controls = element("div", { class: "sv-controls", hidden: true });
  // Whether something is typed, a slider held or a list opened, and not entered yet: a control made anew would lose it.
  let entering = false;
  // Whether a control is just telling what was entered into it, which it shows already.
  let telling = false;
  /** What was to be shown last. @type {any[] | null} */
  let latest = null;
  // Show what came while something was entered; not under a pointer that is pressed, which would miss what it presses.
  const catchUp = () => {
    if (latest && !key && !entering && !controls.querySelector(":active")) inspector.update(.../** @type {Parameters<typeof inspector.update>} */ (latest));
  };
  for (const kind of ["input", "change"]) {
    controls.addEventListener(kind, () => (telling = true), true);
    controls.addEventListener(kind, () => {
      telling = false;
      entering = kind === "input";
      if (!entering) setTimeout(catchUp);
    });
  }
  controls.addEventListener("focusout", () => {
    entering = false;
    setTimeout(catchUp);
  });
  for (const kind of ["pointerdown", "pointerup", "pointercancel"]) {
    controls.addEventListener(kind, (/** @type {any} */ event) => {
      if (event.target.type === "range") entering = kind === "pointerdown";
      if (event.target.type === "select-one") entering ||= kind === "pointerdown";
    });
  }
  controls.addEventListener("keydown", (/** @type {any} */ event) => {
    if (event.target.type === "select-one") entering = false;
  });
  host.append(line, controls);
  const inspector = {
    /**
     * @param {any} data @param {{kind: string, ids: string[]} | null} selected
     * @param {{on: number, step: number | null}} then  skips that are on; the earlier step looked at, where nothing is changed
     * @param {string[]} [warnings]  what is wrong whatever is trained
     * @param {any} [values]  a frame's, of the network
     */
    update(data, selected, then, warnings = [], values = null) {
      latest = [data, selected, then, warnings, values];
      const parts = selected ? partsOf(data.network, selected.kind).filter((part) => selected.ids.includes(part.id)) : [];
      const [skips, layers] = selected?.kind === "skip" ? [parts, []] : [[], parts];
      const now = () => {
        const shown = controls.querySelector(".sv-now");
        if (shown && parts.length) shown.textContent = measuredNow(data.network, selected?.kind ?? "", parts[0], values);
      };
      const said = JSON.stringify([data.network.depth, data.network.weighted, data.network.skips_total, then, warnings]);
      if (said !== summed) line.replaceChildren(...summary(data, then, warnings));
      summed = said;
      const into = data.network.edges.filter((edge) => layers.some((box) => box.id === edge.to)).map((edge) => edge.on);
      const next = JSON.stringify([still(parts), into, data.network.depth, then.step !== null]);
      if (skips[0]?.learned && same(parts)) follow(controls.querySelector("[aria-label='Strength']"), skips[0].strength);
      if (skips[0]?.matrix && same(parts)) controls.querySelector(".sv-matrix")?.replaceChildren(...matrixLines(skips[0].matrix));
      now();
      if (next === key) return;
      if ((telling || entering) && parts.length && same(parts)) {
        key &&= telling ? next : "";
        return;
      }
      entering = false;
      const opened = same(parts) && controls.querySelector("details")?.open;
      const refused = same(parts) ? refusedFields(controls) : [];
      shown = parts.map((part) => part.id).join();
      key = next;
      const had = host.contains(document.activeElement) ? document.activeElement : null;
      const focusLabel = had?.getAttribute("aria-label");
      const caret = caretOf(had);
      if (parts.length && data.network.opened) controls.replaceChildren(...openedControls(parts, skips.length > 0, act));
      else if (parts.length && data.network.watched) controls.replaceChildren(...ownFacts(parts, skips.length > 0, act));
      else if (skips.length) controls.replaceChildren(...skipControls(skips, data.network, act));
      else if (layers.length) controls.replaceChildren(...layerControls(layers, data.network, act));
      now();
      for (const control of controls.querySelectorAll("button:not([aria-label='Close'], .sv-explain), input, select")) control.disabled = then.step !== null;
      if (opened) controls.querySelector("details").open = true;
      for (const field of refused) keepRefused(controls, field);
      controls.hidden = parts.length === 0;
      if (focusLabel) takeFocus(host.querySelector(`[aria-label="${CSS.escape(focusLabel)}"]`), caret);
      host.classList.toggle("busy", parts.length > 0);
      document.documentElement.toggleAttribute("data-sv-inspects", parts.length > 0);
    },
    /** Show again what holds, where a change was refused; what could not be a change stays as it was typed. */
    renew() {
      key = "";
      for (const input of /** @type {any} */ (controls.querySelectorAll("input[data-before][aria-invalid='false']"))) {
        if (!entering || input !== document.activeElement) input.value = input.dataset.before;
      }
    },
  };
  return inspector;
}

/** What was measured of what is selected, as the page shows it elsewhere. @param {any} network @param {string} kind @param {any} part @param {any} values */
function measuredNow(network, kind, part, values) {
  const place = (list) => network[list].findIndex((one) => one.id === part.id);
  if (kind === "skip") return `gradient through it ${part.name ? gradientAt(values, "edge_grad", place("edges")) : gradientAt(values, "skip_grad", place("skips"))}`;
  if (part.name) return boxGradient(part, place("branches"), values);
  const at = (field) => gradientAt(values, field, place("layers"));
  return [`‖∂L/∂θ‖ ${at("weight_grad")}, mean |∂L/∂w| ${at("weight_grad_mean")}`, ...signalLines(values, part.k, stateOwner(network, part))].join("\n");
}

function summary(data, then, warnings) {
  return [
    element("strong", { title: `${data.network.weighted} with weights, and the head` }, `${data.network.depth} layer${data.network.depth === 1 ? "" : "s"}`),
    element("span", { class: "sv-quiet" }, data.network.skips_total ? `${then.on} of ${data.network.skips_total} skips on${then.step === null ? "" : ` at step ${then.step}`}` : "no skips"),
    ...(warnings.length ? [element("span", { class: "sv-badge warn", title: warnings.join(" ") }, warnings[0].split(/, so|, which|: nothing|: a step/)[0])] : []),
  ];
}

/** What a part of somebody's own module is, which its script alone changes. @param {any[]} parts @param {boolean} skips @param {any} act */
function ownFacts(parts, skips, act) {
  const [part] = parts;
  const count = `${part.parameters.toLocaleString("en")} parameter${part.parameters === 1 ? "" : "s"}`;
  const said = skips ? skipTitle(parts) : boxTitle(parts);
  const what = skips ? (part.merge ?? "") : `${part.label}, ${count}, output ${part.shape}`;
  return [
    said,
    ...(part.path ? [element("code", { class: "sv-path", title: part.path }, part.path)] : []),
    menu("What it is and what was measured of it", element("span", { class: "sv-quiet" }, what), element("span", { class: "sv-quiet sv-now" })),
    iconButton("close", "Close", () => act.deselect(), "sv-bare"),
  ];
}

/** Controls of a part of a module that the lab was opened on: what can be done to it where it is read. @param {any[]} parts @param {boolean} skips @param {any} act */
function openedControls(parts, skips, act) {
  const [part] = parts;
  const ids = parts.map((one) => one.id);
  const [title, ...facts] = ownFacts(parts, skips, act);
  const close = facts.pop();
  const change = (changes, final = true) => (skips ? act.skips(ids, changes, final) : act.layers(ids, changes, final));
  return [
    title,
    switchButton(!skips ? "Layer on" : part.name ? "Edge on" : "Skip on", part.on, () => change({ on: !part.on }), true),
    ...(skips ? [range("Strength", part.strength, { min: -4, max: 4, step: 0.05 }, (value, final) => change({ strength: value }, final))] : []),
    range("Gradient gain", part.gain, { min: 0, max: 1, step: 0.05 }, (value, final) => change({ gain: value }, final), "gain "),
    menu("What this is", ...facts),
    close,
  ];
}

function menu(label, ...rows) {
  const box = element("div", { class: "sv-menu" }, ...rows);
  const details = element("details", { class: "sv-drop" }, element("summary", { "aria-label": label, title: label }, "more ▾"), box);
  details.onkeydown = (event) => {
    if (event.key !== "Escape") return;
    details.open = false;
    details.querySelector("summary")?.focus();
    event.stopPropagation();
  };
  return details;
}

function row(words, control, key) {
  return element("div", { class: "sv-row-explained" }, element("label", { class: "sv-row" }, element("span", {}, words), control), explain(key));
}

/** Title of a skip, or of an edge of a branch. @param {any[]} skips */
function skipTitle(skips) {
  const [{ name, source, target }] = skips;
  return element("span", { class: "sv-what" }, element("strong", {}, name ? "Edge " : "Skip "), name || `h(${source}) → h(${target})${skips.length > 1 ? `, ×${skips.length}` : ""}`, name ? explain("branch") : explain("skip"));
}

/** Controls of a skip, or of an edge of a branch, which has a name. */
function skipControls(skips, network, act) {
  const skip = skips[0];
  const edge = skip.name;
  const boxes = (skip.boxes ?? []).map((/** @type {number} */ place) => network.branches[place]);
  const ids = skips.map((one) => one.id);
  const gains = [["1", "×1"], ["0.5", "×0.5"], ["0.1", "×0.1"], ["0", "×0, killed"]];
  if (!gains.some(([value]) => Number(value) === skip.gain)) gains.push([String(skip.gain), `×${formatNumber(skip.gain)}`]);
  return [
    skipTitle(skips),
    switchButton(edge ? "Edge on" : "Skip on", skip.on, () => act.skips(ids, { on: !skip.on }, true), true),
    range("Strength", skip.strength, { min: -4, max: 4, step: skip.learned ? 0.01 : 0.05 }, (value, final) => act.skips(ids, { strength: value }, final)),
    ...(edge ? [] : [choice("Merge", MERGES, skip.merge, (value) => act.skips(ids, { merge: value }, true))]),
    menu(
      edge ? "Adapter, learning and gain of this edge" : "Adapter, learning, gain and ends of this skip",
      ...boxes.map((/** @type {any} */ box) => element("button", { type: "button", class: "sv-link", onclick: () => act.selectLayer([box.id]) }, `${box.says}: ${box.shape}, ${box.parameters.toLocaleString("en")} parameters`)),
      ...(boxes.length || !skip.adapters.length ? [] : [
        ...(skip.spatials.length ? [
          row("Positions", choice("Positions", skip.spatials, skip.spatial, (value) => act.skips(ids, { spatial: value }, true)), "adapter_positions"),
        ] : []),
        row("Adapter", choice("Adapter", skip.adapters, skip.adapter, (value) => act.skips(ids, { adapter: value }, true)), "adapter"),
      ]),
      ...(edge ? [] : fieldRows(KINDS.skip, skip.fields, Object.keys(skip.fields), act, (changes) => act.skips(ids, changes, true))),
      ...(skip.matrix ? [
        row("How streams mix", element("table", { class: "sv-matrix", "aria-label": "How streams mix" }, ...matrixLines(skip.matrix)), "mixing"),
      ] : []),
      ...(edge && !skip.merges ? [] : [
        row("Strength learned", switchButton("Strength learned", skip.learned, () => act.skips(ids, { learned: !skip.learned, softmax: false }, true)), "strength_learned"),
      ]),
      ...(skip.learned && skip.merge === "add" ? [
        row("A share, by softmax", switchButton("Share by softmax", skip.softmax, () => act.skips(ids, { softmax: !skip.softmax }, true)), "strength_share"),
      ] : []),
      ...(skip.learned ? [
        row("Its rate, × the run’s", number("Learning rate of the strength, times the run’s", skip.rate, [0.01, 100], false, act, (value) => act.skips(ids, { rate: value }, true)), "strength_rate"),
      ] : []),
      row("Gradient gain", choice("Gradient gain of the skip", gains, String(skip.gain), (value) => act.skips(ids, { gain: Number(value) }, true)), "skip_gain"),
      ...(edge || boxes.length ? [] : [
        row("Leaves from h", number("Leaves from state", skip.source, [0, network.depth - 1], true, act, (value) => act.skips(ids, { source: value }, true)), "ends"),
      ]),
      ...(edge ? [] : [
        row("Joins at h", number("Joins at state", skip.target, [1, network.depth], true, act, (value) => act.skips(ids, { target: value }, true)), "ends"),
      ]),
      element("span", { class: "sv-quiet" }, `${skip.parameters.toLocaleString("en")} parameter${skip.parameters === 1 ? "" : "s"} of its own`),
      element("span", { class: "sv-quiet sv-now" }),
    ),
    ...(edge ? [] : [iconButton("bin", "Remove this skip", () => act.remove("skip", ids), "sv-bare")]),
    iconButton("close", "Close", () => act.deselect(), "sv-bare"),
  ];
}

/** Those of `fields` that are `wanted`, as a kind describes them; `put` takes what is chosen. */
function fieldRows(fields, values, wanted, act, put) {
  const there = Object.entries(fields).filter(([name]) => wanted.includes(name));
  return there.map(([name, field]) => fieldRow(field, values[name] ?? field.default, act, (value) => put({ [name]: value })));
}

function fieldRow(field, value, act, put) {
  const control = field.options
    ? choice(field.words, field.options.map((option) => [option, option]), value, put)
    : field.bounds
      ? number(field.words, value ?? "", field.bounds, true, act, put, field.none)
      : switchButton(field.words, value, () => put(!value));
  return row(field.words, control, { name: field.words, said: { title: field.words, says: field.says } });
}

/** A field for a number: what cannot be taken stays in it, and the sentence beneath says its bounds. One that may be `none` is left empty for it. */
function number(label, value, [min, max], whole, act, changed, none = false) {
  const beneath = element("span", { class: "sv-quiet", hidden: true });
  const input = element("input", { type: "text", inputmode: "decimal", autocomplete: "off", value, "aria-label": label, title: label });
  const say = (/** @type {string} */ words, refused = false) => {
    beneath.textContent = words;
    beneath.hidden = !words;
    input.setAttribute("aria-invalid", String(refused));
  };
  const enter = (/** @type {number | null} */ wanted) => {
    input.dataset.before = value;
    value = input.value = input.defaultValue = String(wanted ?? "");
    changed(wanted);
  };
  input.onchange = () => {
    if (none && !input.value.trim()) {
      say("");
      return enter(null);
    }
    const wanted = typedNumber(input.value, whole);
    if (wanted !== null && wanted >= min && wanted <= max && (!whole || Number.isInteger(wanted))) {
      say(readAs(input.value, wanted));
      return enter(wanted);
    }
    const bounds = `${label}: a ${whole ? "whole " : ""}number from ${min} to ${max}${none ? ", or nothing" : ""}.`;
    say(`${bounds} It stays ${value === "" ? "empty" : value}.`, true);
    act.refuse("Not changed.", bounds);
  };
  return element("span", { class: "sv-typed" }, input, beneath);
}

/** A matrix's numbers as lines of a table. @param {(number | null)[]} matrix */
function matrixLines(matrix) {
  return matrixRows(matrix).map((weights) => element("tr", {}, ...weights.map((weight) => element("td", { class: "num" }, weight))));
}

/** What leads into a box of a branch, each edge with its switch. */
function edgeRows(box, network, act) {
  const into = network.edges.filter((edge) => edge.to === box.id);
  return into.map((edge) => element("label", { class: "sv-row" }, element("span", {}, `Edge ${edge.name}`), switchButton(`Edge ${edge.name} on`, edge.on, () => act.skips([edge.id], { on: !edge.on }, true), true)));
}

/** Title of a layer; of a box of a branch what it does. */
function boxTitle(layers) {
  const [layer] = layers;
  if (layer.name) return element("span", { class: "sv-what" }, element("strong", {}, "Box "), layer.name, explain("branch"));
  return element("span", { class: "sv-what" }, element("strong", {}, "Layer "), `f(${layer.k})${layers.length > 1 ? `, ×${layers.length}` : ""}`, explain("layer"));
}

function layerControls(layers, network, act) {
  const layer = layers[0];
  const ids = layers.map((one) => one.id);
  const close = iconButton("close", "Close", () => act.deselect(), "sv-bare");
  const facts = [
    element("span", { class: "sv-quiet" }, `${layer.parameters.toLocaleString("en")} parameters, output ${layer.shape}`),
    element("span", { class: "sv-quiet sv-now" }),
  ];
  if (!(layer.kind in KINDS.operation)) return [boxTitle(layers), menu("What leads into this merge", ...edgeRows(layer, network, act), ...facts), close];
  const own = fieldRows(KINDS.operation[layer.kind], layer.op, Object.keys(KINDS.operation[layer.kind]), act, (changes) => act.layers(ids, changes, true));
  const dropout = number("Dropout", layer.dropout, [0, 0.9], false, act, (value) => act.layers(ids, { dropout: value }, true));
  const path = number("Drop-path", layer.drop_path, [0, 0.9], false, act, (value) => act.layers(ids, { drop_path: value }, true));
  const factor = number("Init factor", layer.init_factor, [0.0001, 100], false, act, (value) => act.layers(ids, { init_factor: value }, true));
  return [
    boxTitle(layers),
    switchButton("Layer on", layer.on, () => act.layers(ids, { on: !layer.on }, true)),
    range("Gradient gain", layer.gain, { min: 0, max: 1, step: 0.05 }, (value, final) => act.layers(ids, { gain: value }, final), "gain "),
    choice("Activation", ACTIVATIONS, layer.activation, (value) => act.layers(ids, { activation: value }, true)),
    menu(
      "Operation, norm, order, init, dropout and drop-path of this layer",
      ...(own.length ? own : [element("span", { class: "sv-quiet" }, layer.label)]),
      row("Norm", choice("Norm", NORMS, layer.norm, (value) => act.layers(ids, { norm: value }, true)), "normalisation"),
      row("Order", choice("Order", ORDERS, layer.order, (value) => act.layers(ids, { order: value }, true)), "order"),
      row("Init", choice("Init", KINDS.init, layer.init, (value) => act.layers(ids, { init: value }, true)), "init"),
      row("Init factor", factor, "init_factor"),
      row("Dropout", dropout, "dropout"),
      row("Drop-path", path, "drop_path"),
      row("γ from 0", switchButton("Norm's γ starts at 0", layer.zero_gamma, () => act.layers(ids, { zero_gamma: !layer.zero_gamma }, true)), "zero_gamma"),
      ...(layer.name ? edgeRows(layer, network, act) : []),
      ...facts,
    ),
    ...(layer.name ? [] : [
      iconButton("plus", "Insert a layer above", () => act.insert(layer.k), "sv-bare"),
      iconButton("bin", "Remove this layer", () => act.remove("layer", ids), "sv-bare"),
    ]),
    close,
  ];
}
