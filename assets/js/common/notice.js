// @ts-check
// A sentence that stays a while (a refused edit, an error), and the small dark box at the pointer.
import { element } from "./dom.js";

/** @param {HTMLElement} host */
export function createToast(host) {
  const root = element("div", { class: "sv-toast", role: "alert", hidden: true });
  host.append(root);
  let timer = 0;
  const hide = () => {
    root.hidden = true;
  };
  root.onclick = hide; // a finger enters and never leaves
  root.onmouseenter = () => clearTimeout(timer);
  root.onmouseleave = () => {
    timer = window.setTimeout(hide, 3000);
  };
  return {
    /** @param {string} title @param {string} sentence */
    show(title, sentence) {
      root.replaceChildren(element("strong", {}, title), " ", wholeSentence(sentence));
      root.hidden = false;
      clearTimeout(timer);
      timer = window.setTimeout(hide, 6000);
    },
    hide,
  };
}

/** With a capital and a full stop, which the server's reasons do not have. @param {string} text */
function wholeSentence(text) {
  return text && `${text[0].toUpperCase()}${text.slice(1)}${/[.!?…]$/.test(text) ? "" : "."}`;
}

/** @param {HTMLElement} host  positioned ancestor of what is hovered */
export function createTooltip(host) {
  const root = element("div", { class: "sv-tooltip", role: "tooltip", hidden: true });
  host.append(root);
  return {
    /** @param {Element | null} near @param {string[]} lines  the first one bold, the last one quiet */
    show(near, lines) {
      if (!near || !lines.length || (matchMedia("(hover: none)").matches && lines.length > 1)) {
        root.hidden = true;
        return;
      }
      root.replaceChildren(...lines.map((line, index) => element("div", { class: index === 0 ? "first" : index === lines.length - 1 ? "hint" : "" }, line)));
      root.hidden = false;
      const area = host.getBoundingClientRect();
      const box = near.getBoundingClientRect();
      const below = box.top + box.height / 2 - area.top + 14;
      const fits = below + root.offsetHeight < area.height;
      root.style.left = `${Math.max(4, Math.min(area.width - root.offsetWidth - 4, box.right - area.left + 12))}px`;
      root.style.top = `${fits ? below : Math.max(4, below - root.offsetHeight - 28)}px`;
    },
  };
}
