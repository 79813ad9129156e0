// @ts-check
// What stands around a replay: whose run it is, what was trained, and where it came from.
import { element, iconButton } from "../common/dom.js";

/**
 * @param {any} recorded
 * @param {(() => void) | null} switchTheme
 */
export function createReplayFrame(recorded, switchTheme) {
  const facts = element("p", { class: "sv-quiet" });
  const root = element(
    "header", { class: "sv-page sv-replay-head" },
    element("div", {}, element("h1", {}, recorded.title), facts),
    switchTheme && iconButton("theme", "Light or dark", switchTheme, "sv-bare"),
  );
  const again = recorded.address && element("a", { href: recorded.address, rel: "noopener" }, Object.values(recorded.variants)[0].network.watched ? "open its run in the lab" : "open the experiment in the lab");
  const foot = element("footer", { class: "sv-page sv-replay-foot sv-quiet" }, `${recorded.made} `, again, again ? "." : "", recorded.note ? ` ${recorded.note}` : "");
  return {
    root, foot,
    /** Say what was trained, of several networks of one. @param {string} variant */
    say(variant) {
      facts.textContent = recorded.variants[variant].facts.join(" · ");
    },
  };
}
