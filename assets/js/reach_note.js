// @ts-check
// The line at the foot of a page that says how its live numbers come, where they do not come as they should.
import { element, iconButton } from "./dom.js";
import { onRoutes, routesBlocked } from "./reach.js";

// ms that it stays where numbers come another way.
const STAYS = 12_000;

export function createReachNote() {
  const words = element("span", {});
  const root = element("p", { class: "sv-reach", role: "status", hidden: true }, words, iconButton("close", "Close", () => (root.hidden = true), "sv-bare"));
  let timer = 0;
  function say(sentence, stays) {
    clearTimeout(timer);
    words.textContent = sentence;
    root.hidden = !sentence;
    if (stays) timer = window.setTimeout(() => (root.hidden = true), stays);
  }
  const forget = onRoutes((blocked) => say(blocked ? "This host passes on the page only: live numbers come through it, four times a second, and nothing can be downloaded." : "", STAYS));
  if (routesBlocked()) say("Live numbers come through the page itself, four times a second.", STAYS);
  return {
    root,
    /** @param {boolean} reachable */
    update(reachable) {
      if (!reachable && !routesBlocked()) say("Live numbers cannot reach this page; trying again.", 0);
      else if (words.textContent.includes("trying again")) say("", 0);
    },
    destroy() {
      clearTimeout(timer);
      forget();
    },
  };
}
