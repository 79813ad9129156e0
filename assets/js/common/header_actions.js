// @ts-check
// In the page's header: the pages (where Streamlit hides its own links), Share, projector, light or dark.
import { element, iconButton } from "./dom.js";
import { keepPagesFirst } from "./pages_first.js";
import { createSharePanel } from "../sharing/share_panel.js";
import { switchTheme, themeOf } from "./theme.js";
import { createViewMode } from "./view_mode.js";

/**
 * @param {HTMLElement} host
 * @param {"figure" | "lab" | "gallery" | "runs" | "compare" | "guide" | "sweep" | "evidence"} here
 * @param {{kinds: () => import("../sharing/share_panel.js").LinkKind[], ask: (command: any) => void, here?: () => string, layers?: () => string[], preview?: (steps: any[]) => void}} outer
 */
export function createHeaderActions(host, here, outer) {
  document.documentElement.dataset.svPage = here;
  const go = (page) => page !== here && outer.ask({ op: "go", page });
  const place = (name, words) => element("button", { type: "button", "aria-current": name === here ? "page" : null, onclick: () => go(name) }, words);
  const pages = element("nav", { class: "sv-pages", "aria-label": "Pages" }, place("figure", "Figure 4.9"), place("lab", "Lab"), place("gallery", "Gallery"), place("sweep", "Sweep"), place("evidence", "Evidence"), place("runs", "My runs"), place("guide", "Guide"));
  const view = createViewMode(outer.ask, here === "lab");
  const share = element("button", { type: "button", class: "sv-share", "aria-haspopup": "dialog", "aria-expanded": "false" }, "Share");
  const theme = iconButton("theme", "Light or dark", () => switchTheme(themeOf(host)), "sv-bare");
  const root = element("div", { class: "sv-header-actions" }, pages, view.all, share, view.enter, theme);
  /** @type {ReturnType<typeof createSharePanel> | null} */
  let panel = null;

  function close(focus) {
    if (!panel || panel.root.hidden) return;
    panel.root.hidden = true;
    share.setAttribute("aria-expanded", "false");
    if (focus) share.focus();
  }
  share.onclick = () => {
    if (!panel || !panel.root.hidden) return close(true);
    share.setAttribute("aria-expanded", "true");
    panel.open();
  };
  const outside = (event) => {
    const target = /** @type {Element} */ (event.target);
    if (!root.contains(target) && !target.closest?.(".sv-poster")) close(false);
  };
  document.addEventListener("pointerdown", outside);
  host.append(root, view.foot);
  pages.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" }); // a phone's row is longer than it
  const stopOrder = keepPagesFirst();
  return {
    root, view,
    /** @param {any} data  what Python knows */
    update(data) {
      view.update(data.view);
      share.classList.toggle("live", Boolean(data.lead));
      share.title = data.lead ? "A classroom follows this page" : "";
      if (!panel) {
        panel = createSharePanel({ ...outer, close: () => close(true), groups: data.groups, tour: data.tour, presets: data.presets });
        root.append(panel.root);
      }
      panel.update(data.view);
    },
    destroy() {
      document.removeEventListener("pointerdown", outside);
      stopOrder();
      view.destroy();
      panel?.destroy();
    },
  };
}
