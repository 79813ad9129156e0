// @ts-check
// The choice between column and U for a network with several scales, and the names of the rows beside a U's bars.
import { element } from "../common/dom.js";

const SHAPE_NAMESPACE = "http://www.w3.org/2000/svg";
const NAMES_WIDTH = 40;

/**
 * @param {HTMLElement} host  where the word Network stands
 * @param {HTMLElement} names  beside the bars
 * @param {(u: boolean) => void} choose
 */
export function createNetworkShape(host, names, choose) {
  const word = element("strong", {}, "Network");
  const column = element("button", { type: "button", onclick: () => choose(false) }, "Column");
  const u = element("button", { type: "button", onclick: () => choose(true) }, "U by scale");
  const group = element("div", { class: "sv-segment sv-shape", role: "group", "aria-label": "Draw the network as" }, column, u);
  host.append(word, group);
  return {
    /** @param {any} data  what Python knows; returns the diagram to be drawn */
    update(data) {
      const on = Boolean(data.u?.on);
      word.hidden = Boolean(data.u);
      group.hidden = !data.u;
      column.setAttribute("aria-pressed", String(!on));
      u.setAttribute("aria-pressed", String(on));
      names.hidden = !on;
      names.replaceChildren(...(on ? [rowNames(data.diagram)] : []));
      return on ? data.u.diagram : data.diagram;
    },
  };
}

/** The rows' names at the heights of their bars. @param {any} diagram  the column's */
function rowNames(diagram) {
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
