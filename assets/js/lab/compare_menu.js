// @ts-check
// The button that puts one more network beside the one that is looked at, and what that may be.
import { element } from "../common/dom.js";

// Networks that are compared at most.
const MOST_COMPARED = 4;

/** Whether the network's skips are on: what stands beside it first is the other one. @param {any} network */
const hasSkipsOn = (network) => network.skips_on > 0;

/** @param {{send: (command: any) => void}} outer */
export function createCompareMenu({ send }) {
  const button = element("button", { type: "button", class: "sv-button sv-compare-button", "aria-haspopup": "true", "aria-expanded": "false" }, "Compare");
  const menu = element("div", { class: "sv-menu sv-compare-menu", hidden: true });
  const root = element("div", { class: "sv-compare-tool" }, button, menu);
  const item = (words, command) => element("button", { type: "button", class: "sv-link", onclick: () => take(command) }, words);
  const off = item("Without skips", { op: "compare", how: "off" });
  const residual = item("As residual: with skips on", { op: "compare", how: "residual" });
  const copy = item("Duplicate", { op: "compare", how: "copy" });
  const preset = choices("Preset", "preset");
  const family = choices("Family", "family");
  const full = element("p", { class: "sv-quiet", hidden: true }, `${MOST_COMPARED} networks are compared at most.`);
  menu.append(element("p", {}, element("strong", {}, "Put beside it")), off, residual, copy, preset.label, family.label, full);

  function choices(words, how) {
    const select = element("select", { "aria-label": `Compare with a ${words.toLowerCase()}` });
    select.onchange = () => select.value && take({ op: "compare", how, name: select.value });
    return { select, label: element("label", { class: "sv-row" }, words, select) };
  }
  function fill(select, among) {
    select.replaceChildren(element("option", { value: "" }, "choose …"), ...among.map(([name, title]) => element("option", { value: name }, title)));
  }
  function take(command) {
    open(false);
    send(command);
    button.focus();
  }
  function open(yes) {
    menu.hidden = !yes;
    button.setAttribute("aria-expanded", String(yes));
    if (yes) /** @type {HTMLElement | null} */ (menu.querySelector("button:not(:disabled)"))?.focus();
  }
  button.onclick = () => open(menu.hidden);
  menu.onkeydown = (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    open(false);
    button.focus();
  };
  /** @param {PointerEvent} event */
  const elsewhere = (event) => !menu.hidden && !root.contains(/** @type {Node} */ (event.composedPath()[0])) && open(false);
  document.addEventListener("pointerdown", elsewhere);
  let filled = false;
  return {
    root,
    /** @param {any} data  what Python knows */
    update(data) {
      if (!filled) {
        fill(preset.select, data.presets);
        fill(family.select, data.families);
        filled = true;
      }
      button.disabled = Boolean(data.watch);
      const most = data.columns.length >= MOST_COMPARED;
      full.hidden = !most;
      preset.label.hidden = family.label.hidden = Boolean(data.network.opened);
      off.disabled = most || !hasSkipsOn(data.network);
      residual.disabled = most || (data.network.skips_total > 0 && data.network.skips_on === data.network.skips_total);
      copy.disabled = preset.select.disabled = family.select.disabled = most;
      preset.select.value = family.select.value = "";
    },
    destroy: () => document.removeEventListener("pointerdown", elsewhere),
  };
}
