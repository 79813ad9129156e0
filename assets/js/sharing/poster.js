// @ts-check
// A link's code as large as the screen, for a room to point its phones at.
import { element, iconButton } from "../common/dom.js";
import { qrCode } from "./qr.js";

// Characters of an address that a person would type; of a longer one its beginning is written, to the host at least.
const TYPED = 90;
const BEGINNING = 44;

export function createPoster() {
  /** @type {HTMLElement | null} */
  let back = null;
  const title = element("h2", {});
  const code = element("div", {});
  const text = element("p", {});
  const close = iconButton("close", "Close", () => hide(), "sv-square");
  const root = element("div", { class: "sv-poster", role: "dialog", "aria-modal": "true", "aria-label": "The link, large", hidden: true }, title, code, text, close);
  document.body.append(root);
  root.onclick = (event) => event.target === root && hide();
  root.onkeydown = (event) => {
    if (event.key === "Tab") event.preventDefault();
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    hide();
  };
  function hide() {
    root.hidden = true;
    back?.focus();
  }
  return {
    /** @param {string} words @param {string} address @param {string[] | null} rows @param {HTMLElement} opener */
    show(words, address, rows, opener) {
      back = opener;
      title.textContent = words;
      const short = address.replace(/^https?:\/\//, "");
      const host = short.search(/[/?]/) + 1;
      text.textContent = short.length <= TYPED ? short : `${short.slice(0, Math.max(BEGINNING, host))}…`;
      code.replaceChildren(...(rows ? [qrCode(rows)] : []));
      root.hidden = false;
      close.focus();
    },
    destroy: () => root.remove(),
  };
}
