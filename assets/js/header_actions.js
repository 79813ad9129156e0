// @ts-check
// Share and light/dark, at the right of the page's header.
import { element, iconButton } from "./dom.js";
import { switchTheme, themeOf } from "./theme.js";

/** @param {HTMLElement} host @param {() => string} link  the address that opens the same experiment */
export function createHeaderActions(host, link) {
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
  host.append(element("div", { class: "sv-header-actions" }, share, theme, panel));
}
