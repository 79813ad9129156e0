// @ts-check
// What stands around a replay: whose run it is, what was trained, and where it came from.
import { element, iconButton } from "../common/dom.js";

/**
 * @param {any} recorded
 * @param {string} first  the variant shown at first
 * @param {(name: string) => void} choose
 * @param {() => void} switchTheme
 */
export function createReplayFrame(recorded, first, choose, switchTheme) {
  const names = Object.keys(recorded.variants);
  const buttons = names.map((name) => element("button", { type: "button", "aria-pressed": String(name === first), onclick: () => pick(name) }, name));
  function pick(name) {
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.textContent === name));
    facts.textContent = recorded.variants[name].facts.join(" · ");
    choose(name);
  }
  const facts = element("p", { class: "sv-quiet" }, recorded.variants[first].facts.join(" · "));
  const root = element(
    "header", { class: "sv-page sv-replay-head" },
    element("div", {}, element("h1", {}, recorded.title), facts),
    names.length > 1 && element("div", { class: "sv-segment", role: "group", "aria-label": "Variant" }, ...buttons),
    iconButton("theme", "Light or dark", switchTheme, "sv-bare"),
  );
  const again = recorded.address && element("a", { href: recorded.address, rel: "noopener" }, "open the experiment in the lab");
  const foot = element("footer", { class: "sv-page sv-replay-foot sv-quiet" }, `${recorded.made} `, again, again ? "." : "", recorded.note ? ` ${recorded.note}` : "");
  return { root, foot };
}
