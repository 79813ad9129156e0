// @ts-check
// Under the diagram: what width and colour of a line mean, what hollow bars and ticks are, how tall the rows are.
import { element, parseSvg, writeText } from "../common/dom.js";
import { explain } from "../common/explain.js";
import { MARK_MEANING } from "../common/gradient_words.js";

/**
 * @param {HTMLElement} host
 * @param {{zoom: (factor: number) => void, foldAgain: () => void}} act  `zoom` makes rows that many times as tall
 */
export function createLabLegend(host, act) {
  const baseline = element("span", { class: "sv-key baseline", hidden: true }, "the same weights, all skips off", explain("hollow"));
  const lines = explain("lines");
  const theory = element("span", { class: "sv-key theory", hidden: true });
  const tick = element("span", { class: "sv-key tick", hidden: true }, "just before the last event");
  const unlike = element("span", { class: "sv-key unlike", hidden: true }, "tinted: differs between the networks");
  const marks = element("span", { class: "sv-mark-keys", hidden: true });
  const fold = element("button", { type: "button", class: "sv-link", onclick: () => act.foldAgain() }, "Fold again");
  const lower = element("button", { type: "button", class: "sv-bare", "aria-label": "Lower rows", onclick: () => act.zoom(1 / 1.5) }, "−");
  const taller = element("button", { type: "button", class: "sv-bare", "aria-label": "Taller rows", onclick: () => act.zoom(1.5) }, "+");
  const zoom = element("output", {});
  return {
    /** @param {string} theme @param {string} wedges  the SVG of that theme */
    draw(theme, wedges) {
      if (host.dataset.theme === theme) return;
      host.dataset.theme = theme;
      host.replaceChildren(element("span", { class: "sv-wedges" }, parseSvg(wedges), lines), baseline, unlike, theory, tick, marks, element("span", { class: "sv-zoom" }, fold, lower, zoom, taller));
    },
    /** A key stands there once there is what it explains. @param {{baseline: any, tick: any, unlike: boolean, theory: string, marks: string[]}} drawn */
    keys(drawn) {
      baseline.hidden = !drawn.baseline;
      tick.hidden = !drawn.tick;
      unlike.hidden = !drawn.unlike;
      theory.hidden = !drawn.theory;
      writeText(theory, drawn.theory);
      marks.hidden = !drawn.marks.length;
      writeText(marks, drawn.marks.map((mark) => MARK_MEANING[mark]).join(" · "));
    },
    /** @param {any} data */
    update(data) {
      zoom.textContent = `${Math.round(100 * data.zoom)} %`;
      lower.disabled = data.zoom <= 1;
      taller.disabled = data.zoom >= 6;
      fold.hidden = !data.unfolded?.length;
    },
  };
}
