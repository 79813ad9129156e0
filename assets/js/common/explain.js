// @ts-check
// The "?" beside a heading: a small button that opens a card with what the heading means, by mouse, finger and keys.
import { element } from "./dom.js";

/* global EXPLANATIONS */
/** @typedef {{title: string, says: string, formula: string, read: string, section?: string}} Explanation */

// px between the button and its card, and between the card and the screen's edge.
const GAP = 6;
const EDGE = 8;

/** What the term of a key is called. @param {string} key */
export const explanationTitle = (key) => EXPLANATIONS[key].title;

/** The card that is open: there is one at a time. @type {{card: HTMLElement, button: HTMLElement} | null} */
let opened = null;

/**
 * A button that explains; the words of a heading may stand in it, which makes them part of its target.
 * @param {string | {name: string, key?: () => string, said?: Explanation}} what
 *   a key of `EXPLANATIONS`, how to find it at each press, or the explanation itself
 * @param {...(Node | string)} words
 * @returns {HTMLButtonElement}
 */
export function explain(what, ...words) {
  const said = () => (typeof what === "string" ? EXPLANATIONS[what] : (what.said ?? EXPLANATIONS[what.key?.() ?? ""]));
  const name = `Explain: ${typeof what === "string" ? said().title : what.name}`;
  const button = element("button", { type: "button", class: words.length ? "sv-explain worded" : "sv-explain", "aria-label": name, "aria-expanded": "false", "aria-haspopup": "dialog", title: name }, ...words, element("span", { class: "sv-explain-mark", "aria-hidden": "true" }));
  button.onclick = (event) => {
    event.preventDefault();
    if (opened?.button === button) closeExplanation(true);
    else openExplanation(button, said());
  };
  return button;
}

/** @param {HTMLElement} button @param {Explanation} said */
function openExplanation(button, said) {
  closeExplanation(false);
  const card = element(
    "div", { class: "sv-explanation", role: "dialog", "aria-label": said.title, tabindex: "-1" },
    element("strong", {}, said.title), element("p", {}, said.says),
    ...(said.formula ? [element("p", { class: "sv-formula" }, said.formula), element("p", { class: "sv-quiet" }, said.read)] : []),
    said.section && element("p", { class: "sv-quiet" }, `The Little Book of Deep Learning, section ${said.section}`),
    element("button", { type: "button", class: "sv-link", onclick: () => closeExplanation(true) }, "Close"),
  );
  // On the page's own element, which nothing cuts off or enlarges.
  (button.closest(".sv-page") ?? document.body).append(card);
  opened = { card, button };
  button.setAttribute("aria-expanded", "true");
  placeExplanation();
  card.addEventListener("keydown", closeOnEscape);
  button.addEventListener("keydown", closeOnEscape);
  document.addEventListener("pointerdown", closeOnPress, true);
  document.addEventListener("scroll", placeExplanation, true);
  window.addEventListener("resize", placeExplanation);
  card.focus({ preventScroll: true });
}

/** @param {boolean} back  whether the focus returns to the button */
function closeExplanation(back) {
  if (!opened) return;
  const { card, button } = opened;
  opened = null;
  card.remove();
  button.removeEventListener("keydown", closeOnEscape);
  document.removeEventListener("pointerdown", closeOnPress, true);
  document.removeEventListener("scroll", placeExplanation, true);
  window.removeEventListener("resize", placeExplanation);
  button.setAttribute("aria-expanded", "false");
  if (back) button.focus({ preventScroll: true });
}

/** @param {KeyboardEvent} event */
function closeOnEscape(event) {
  if (event.key !== "Escape") return;
  event.preventDefault();
  event.stopPropagation();
  closeExplanation(true);
}

/** @param {PointerEvent} event */
function closeOnPress(event) {
  const path = event.composedPath();
  if (opened && !path.includes(opened.card) && !path.includes(opened.button)) closeExplanation(false);
}

/** Under its button, or above it where there is more room; a button that is gone takes its card along. */
function placeExplanation() {
  if (!opened) return;
  const { card, button } = opened;
  if (!button.isConnected || !card.isConnected) return closeExplanation(false);
  const { left, top, bottom } = button.getBoundingClientRect();
  const below = window.innerHeight - bottom;
  const above = below < card.offsetHeight + GAP + EDGE && top > below;
  const y = above ? top - GAP - card.offsetHeight : bottom + GAP;
  card.style.left = `${Math.max(EDGE, Math.min(left - EDGE, window.innerWidth - card.offsetWidth - EDGE))}px`;
  card.style.top = `${Math.max(EDGE, Math.min(y, window.innerHeight - card.offsetHeight - EDGE))}px`;
}
