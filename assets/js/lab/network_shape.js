// @ts-check
// The choice between a network's layouts, where it has several, and the names of the rows beside a U's bars.
import { element } from "../common/dom.js";

const SHAPE_NAMESPACE = "http://www.w3.org/2000/svg";
const NAMES_WIDTH = 40;

/**
 * @param {HTMLElement} host  where the word Network stands
 * @param {HTMLElement} names  beside the bars
 * @param {(layout: string) => void} choose  column, u or layers
 */
export function createNetworkShape(host, names, choose) {
  const word = element("strong", {}, "Network");
  const [column, u, layers] = [["column", "Column"], ["u", "U by scale"], ["layers", "Layers"]].map(([name, words]) => (
    element("button", { type: "button", onclick: () => choose(name) }, words)
  ));
  u.setAttribute("aria-label", "U by scale");
  const group = element("div", { class: "sv-segment sv-shape", role: "group", "aria-label": "Draw the network as" }, column, u, layers);
  host.append(word, group);
  return {
    /** @param {any} data  what Python knows; returns the diagram to be drawn */
    update(data) {
      const on = Boolean(data.u?.on);
      const ranked = !on && Boolean(data.layers?.on);
      u.hidden = !data.u;
      layers.hidden = !data.layers;
      u.disabled = Boolean(data.u?.why);
      u.title = data.u?.why ? `${data.u.why}.` : "";
      u.textContent = layers.hidden ? "U by scale" : "U"; // beside a narrow drawing there is no room for three of them
      group.hidden = u.hidden && layers.hidden;
      word.hidden = !group.hidden;
      column.setAttribute("aria-pressed", String(!on && !ranked));
      u.setAttribute("aria-pressed", String(on));
      layers.setAttribute("aria-pressed", String(ranked));
      names.hidden = !on;
      names.replaceChildren(...(on ? [rowNames(data.diagram)] : []));
      return on ? data.u.diagram : data.diagram;
    },
  };
}

/** The rows' names at the heights of their bars. @param {any} diagram  the column's */
export function rowNames(diagram) {
  const svg = document.createElementNS(SHAPE_NAMESPACE, "svg");
  for (const [name, value] of Object.entries({ width: NAMES_WIDTH, height: diagram.height, "aria-hidden": "true" })) svg.setAttribute(name, String(value));
  for (const row of diagram.rows) {
    if (row.kind === "joint") continue;
    const text = document.createElementNS(SHAPE_NAMESPACE, "text");
    text.setAttribute("x", String(NAMES_WIDTH - 6));
    text.setAttribute("y", String(row.y + 4));
    text.textContent = row.label;
    svg.append(text);
  }
  return svg;
}
