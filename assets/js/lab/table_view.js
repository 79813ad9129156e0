// @ts-check
// The same network and numbers as a table, with every switch reachable by keyboard.
import { element } from "../common/dom.js";
import { gradientAt, markSentence } from "../common/gradient_words.js";
import { formatNumber, formatPercent } from "../common/numbers.js";
import { activationWords } from "../common/activations.js";

/* global KINDS */
/** What a layer does: of a box that is there for its norm or its activation alone, these. @param {any} layer */
export function doing(layer) {
  if (layer.kind !== "identity") return layer.label;
  const norm = layer.norm === "none" ? "" : KINDS.norm.find(([name]) => name === layer.norm)?.[1];
  const parts = [norm, layer.activation === "none" ? "" : activationWords(layer.activation)].filter(Boolean);
  return parts.join(", ") || (layer.parameters ? "a learned scale" : layer.label);
}

/**
 * @param {HTMLElement} host
 * @param {{skips: Function, layers: Function, selectSkip: Function, selectLayer: Function}} act
 */
export function createTableView(host, act) {
  let key = "";
  /** @type {{cell: HTMLElement, field: string, index: number, part: any, words: typeof gradientAt}[]} */
  let cells = [];
  const number = (field, index, part = null, words = gradientAt) => {
    const cell = element("td", { class: "num" });
    cells.push({ cell, field, index, part, words });
    return cell;
  };
  const share = (field, index) => number(field, index, null, (values) => (typeof values?.[field]?.[index] === "number" ? formatPercent(values[field][index]) : "–"));
  let locked = false;
  let named = false;
  const check = (label, on, changed) => {
    const onchange = (event) => {
      key = ""; // what stands next is written anew: it may be what stood before
      changed(event);
    };
    return element("input", { type: "checkbox", "aria-label": label, checked: on, disabled: locked, onchange });
  };
  const name = (words, onclick) => element("th", { scope: "row" }, named ? words : element("button", { type: "button", class: "sv-link", onclick }, words));
  function layerRow(layer, index) {
    return element(
      "tr", {},
      name(`f(${layer.k})`, () => act.selectLayer([layer.id])),
      element("td", {}, doing(layer) + (layer.dropout ? `, dropout ${layer.dropout}` : "")), element("td", { class: "num" }, layer.shape), element("td", { class: "num" }, layer.parameters.toLocaleString("en")),
      element("td", {}, check(`Layer f(${layer.k}) on`, layer.on, (event) => act.layers([layer.id], { on: event.target.checked }, true))),
      element("td", { class: "num" }, formatNumber(layer.gain)),
      number("weight_grad", index, layer), number("weight_grad_mean", index, layer), number("state_grad", index + 1), number("update_ratio", index), number("state_rms", index + 1), number("state_max", index + 1), share("state_zeros", index + 1),
    );
  }
  function skipRow(skip, index) {
    return element(
      "tr", {},
      name(`h(${skip.source}) → h(${skip.target})`, () => act.selectSkip([skip.id])),
      element("td", {}, skip.merge), element("td", {}, [skip.branch, skip.adapter_label].filter(Boolean).join(" · ") || "identity"), element("td", { class: "num" }, skip.parameters.toLocaleString("en")),
      element("td", {}, check(`Skip h(${skip.source}) to h(${skip.target}) on`, skip.on, (event) => act.skips([skip.id], { on: event.target.checked }, true))),
      skip.learned ? number("strength", index) : element("td", { class: "num" }, formatNumber(skip.strength)), number("skip_grad", index, skip), number("gate_opening", index),
    );
  }
  function boxRow(box, index) {
    return element(
      "tr", {},
      name(box.id, () => act.selectLayer([box.id])),
      element("td", {}, box.says), element("td", { class: "num" }, box.shape), element("td", { class: "num" }, box.parameters.toLocaleString("en")),
      element("td", {}, box.kind in KINDS.operation ? check(`Box ${box.id} on`, box.on, (event) => act.layers([box.id], { on: event.target.checked }, true)) : ""),
      number("branch_grad", index, box), number("branch_state_grad", index, box),
    );
  }
  function edgeRow(edge, index) {
    return element(
      "tr", {},
      name(edge.name, () => act.selectSkip([edge.id])),
      element("td", {}, edge.adapter_label || "identity"), element("td", { class: "num" }, edge.parameters.toLocaleString("en")),
      element("td", {}, check(`Edge ${edge.name} on`, edge.on, (event) => act.skips([edge.id], { on: event.target.checked }, true))),
      edge.learned ? number("edge_strength", index) : element("td", { class: "num" }, formatNumber(edge.strength)), number("edge_grad", index, edge),
    );
  }
  const heads = (names) => element("thead", {}, element("tr", {}, ...names.map((name) => element("th", { scope: "col" }, name))));
  return {
    /**
     * @param {any} data @param {any} values @param {any} earlier  the network at an earlier step looked at, or null
     * @param {boolean} watched  whether another one's network is watched
     */
    update(data, values, earlier, watched) {
      if (host.hidden) return;
      const network = earlier ?? data.network;
      locked = earlier !== null || watched;
      named = watched;
      const next = JSON.stringify([network, locked, watched], (name, value) => (value?.learned ? { ...value, strength: 0, share: 0 } : value));
      if (next !== key) {
        key = next;
        cells = [];
        const layers = element("table", {}, element("caption", {}, "Layers"), heads(["layer", "operation", "output", "parameters", "on", "gain", "‖∂L/∂θ‖", "mean |∂L/∂w|", "‖∂L/∂h‖", "update ÷ weight", "state RMS", "largest |h|", "exactly 0"]), element("tbody", {}, ...network.layers.map(layerRow)));
        const skips = element("table", {}, element("caption", {}, "Skips"), heads(["skip", "merge", "adapter", "parameters", "on", "strength", "gradient through it", "gate open"]), element("tbody", {}, ...network.skips.map(skipRow)));
        const branches = network.branches.length ? [
          element("table", {}, element("caption", {}, "Boxes of branches"), heads(["box", "operation", "output", "parameters", "on", "‖∂L/∂θ‖", "‖∂L/∂h‖"]), element("tbody", {}, ...network.branches.map(boxRow))),
          element("table", {}, element("caption", {}, "Edges of branches"), heads(["edge", "adapter", "parameters", "on", "strength", "gradient through it"]), element("tbody", {}, ...network.edges.map(edgeRow))),
        ] : [];
        host.replaceChildren(layers, ...branches, network.skips.length ? skips : element("p", { class: "sv-quiet" }, network.watched || network.opened ? "No skips." : "No skips yet: drag from one state of the diagram to another."));
      }
      for (const { cell, field, index, part, words } of cells) {
        cell.textContent = words(values, field, index);
        cell.title = markSentence(values ?? {}, field, index, part);
      }
    },
  };
}
