// @ts-check
// The line at the foot of a page that says how its live numbers come, where they do not come as they should.
import { element, iconButton } from "./dom.js";
import { onRoutes, routesBlocked } from "../frames/reach.js";

// ms that it stays where numbers come another way.
const STAYS = 12_000;
const CUT_OFF = "The server cannot be reached; trying again.";

/** @param {boolean} [live]  whether the page has live numbers, which may come another way */
export function createReachNote(live = true) {
  const words = element("span", {});
  const root = element("p", { class: "sv-reach", role: "status", hidden: true }, words, iconButton("close", "Close", () => show(false), "sv-bare"));
  let timer = 0;
  let unsaved = "";
  let absent = "";
  /** For the style sheet, too: Streamlit's own dialog would only lie over it. @param {boolean} yes */
  function show(yes) {
    root.hidden = !yes;
    document.documentElement.toggleAttribute("data-sv-away", yes);
  }
  function say(sentence, stays) {
    clearTimeout(timer);
    words.textContent = sentence;
    show(Boolean(sentence));
    if (stays) timer = window.setTimeout(() => show(false), stays);
  }
  const savingWords = () => (unsaved ? `This run is ${unsaved}. It goes on all the same.` : absent);
  const cut = () => !root.hidden && [CUT_OFF, root.dataset.notice].includes(words.textContent || "");
  const forget = onRoutes((blocked) => say(blocked && live ? "This host passes on the page only: live numbers and files come through it." : "", STAYS));
  if (routesBlocked() && live) say("Live numbers and files come through the page itself.", STAYS);
  return {
    root,
    /** @param {boolean} reachable @param {string} [notice]  what the server said before it went */
    update(reachable, notice = "") {
      if (!reachable && notice) root.dataset.notice = notice;
      if (!reachable && (notice || !routesBlocked())) say(root.dataset.notice || CUT_OFF, 0);
      else if (cut()) say(savingWords(), 0);
      if (reachable) delete root.dataset.notice;
    },
    /** @param {string | null} sentence  why the run shown is not being saved */
    saving(sentence) {
      if (unsaved === (sentence || "")) return;
      unsaved = sentence || "";
      if (!cut()) say(savingWords(), 0);
    },
    /** @param {string | null} sentence  why no run is shown that everybody should see */
    absent(sentence) {
      if (absent === (sentence || "")) return;
      absent = sentence || "";
      if (!cut()) say(savingWords(), 0);
    },
    destroy() {
      clearTimeout(timer);
      show(false);
      forget();
    },
  };
}
