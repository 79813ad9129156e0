// @ts-check
// In the page's header: the two pages (where Streamlit hides its own links), Share, light or dark.
import { element, iconButton } from "./dom.js";
import { switchTheme, themeOf } from "./theme.js";

/**
 * @param {HTMLElement} host
 * @param {"figure" | "lab" | "gallery" | "runs" | "compare"} here
 * @param {() => string} link  the address that opens the same experiment
 * @param {(page: string) => void} go
 */
export function createHeaderActions(host, here, link, go) {
  document.documentElement.dataset.svPage = here;
  const place = (name, words) => element("button", { type: "button", "aria-current": name === here ? "page" : null, onclick: () => name !== here && go(name) }, words);
  const pages = element("nav", { class: "sv-pages", "aria-label": "Pages" }, place("figure", "Figure 4.9"), place("lab", "Lab"), place("gallery", "Gallery"), place("runs", "My runs"));
  const share = element("button", { type: "button", class: "sv-share" }, "Share");
  const field = element("input", { readonly: true, "aria-label": "Link to this experiment" });
  const copied = element("span", { class: "sv-quiet", role: "status" });
  const panel = element("div", { class: "sv-share-panel", hidden: true }, element("strong", {}, "Link to this experiment"), element("p", { class: "sv-quiet" }, "Opened anywhere, it is the same network, task and seed."), field, copied);
  share.setAttribute("aria-expanded", "false");
  share.onclick = async () => {
    panel.hidden = !panel.hidden;
    share.setAttribute("aria-expanded", String(!panel.hidden));
    if (panel.hidden) return;
    field.value = link();
    field.select();
    copied.textContent = "Press Ctrl+C to copy.";
    try {
      await navigator.clipboard.writeText(field.value);
      copied.textContent = "Copied.";
    } catch {
      copied.textContent = "Press Ctrl+C to copy.";
    }
  };
  panel.onkeydown = (event) => {
    if (event.key === "Escape") {
      panel.hidden = true;
      share.focus();
    }
  };
  const theme = iconButton("theme", "Light or dark", () => switchTheme(themeOf(host)), "sv-bare");
  host.append(element("div", { class: "sv-header-actions" }, pages, share, theme, panel));
}
