// @ts-check
// The set-up beside the lab, in Streamlit's sidebar: on a screen between a tablet's and a wide one it opens closed.

// px of the window from which Streamlit lets the sidebar stand beside the page, and from which both have room.
const BESIDE = 768;
const ROOMY = 1100;
let done = false;

/** Close it once where diagram and plots would else stand one above the other; what a person opens stays open. */
export function giveRoom() {
  if (done || window.innerWidth < BESIDE || window.innerWidth >= ROOMY) return;
  const close = /** @type {HTMLElement | null} */ (document.querySelector('[data-testid="stSidebarCollapseButton"] button'));
  if (!close || document.querySelector('[data-testid="stSidebar"]')?.getAttribute("data-collapsed") !== "false") return;
  done = true;
  close.click();
}
