// @ts-check
// The lab's own elements: the network's card, the cards beside it, and what is said outside them.
import { element } from "../common/dom.js";
import { explain } from "../common/explain.js";

// px of bars beside a drawing that leaves them less.
export const LEAST_BARS = 130;

export const shareHead = () => element("div", { class: "sv-head-share" }, element("strong", {}, "Share at fork"), element("div", {}, element("span", { class: "sv-red" }, "skip"), " · ", element("span", { class: "sv-blue" }, "trunk"), explain("share")));
export const updateHead = () => element("div", { class: "sv-head-update" }, element("strong", {}, "Update ÷ weight"), element("div", { class: "sv-quiet" }, "dashed: 10⁻³", explain("update")));

/** @returns {Record<string, any>} every part by name; `root` holds them all */
export function labElements() {
  const page = /** @type {Record<string, any>} */ ({});
  const part = (name, tag, attributes, ...children) => (page[name] = element(tag, attributes, ...children));
  part("plain", "button", { type: "button" }, "Plain");
  part("residual", "button", { type: "button" }, "Residual");
  const bar = element(
    "div", { class: "sv-bar" },
    part("inspector", "div", { class: "sv-inspector" }),
    part("toggle", "div", { class: "sv-segment", role: "group", "aria-label": "All skips" }, page.plain, page.residual),
    part("tools", "div", { class: "sv-tools" }),
  );
  const heads = part(
    "heads", "div", { class: "sv-heads" },
    part("head", "div", { class: "sv-head-network" }), element("span", { class: "sv-head-gain" }, explain("gain", "gain")),
    part("quantity", "div", { class: "sv-head-bars" }),
    shareHead(), updateHead(),
  );
  part("rows", "div", { class: "sv-rows" }, part("diagram", "div", { class: "sv-diagram-host" }), element("div", { class: "sv-beside" }, part("names", "div", { class: "sv-names", hidden: true }), part("bars", "div", { class: "sv-bars" })));
  part("legend", "div", { class: "sv-legend" });
  part("table", "div", { class: "sv-table", hidden: true });
  part("card", "section", { class: "sv-card sv-network", "aria-label": "Network" }, part("sentence", "div", { class: "sv-sentence-host" }), bar, heads, part("scroll", "div", { class: "sv-scroll sv-single" }, page.rows), page.legend, page.table);
  part("transport", "section", { class: "sv-card sv-transport-card" });
  part("heatmap", "div", { class: "sv-plot-heatmap" });
  part("strengths", "div", { class: "sv-plot-strengths" });
  part("strengthMap", "details", { class: "sv-strength-map", open: true, hidden: true }, element("summary", { class: "sv-title" }, element("span", {}, element("strong", {}, "Learned strengths"), " from × into", explain("strengths")), part("strengthEnds", "span", { class: "sv-quiet" })), page.strengths);
  part("loss", "div", { class: "sv-plot-loss" });
  part("picture", "div", { class: "sv-plot-picture" });
  part("lossTitle", "div", { class: "sv-title" });
  part("total", "div", { class: "sv-plot-total" });
  part("totalTitle", "summary", { class: "sv-title" });
  part("whole", "details", { class: "sv-whole" }, page.totalTitle, page.total);
  const side = element(
    "div", { class: "sv-side" },
    page.transport,
    element("section", { class: "sv-card sv-heatmap-card sv-single", "aria-label": "Gradient over time" }, element("div", { class: "sv-title" }, element("span", {}, element("strong", {}, "Gradient"), " layer × step", explain("heatmap")), element("span", { class: "sv-quiet" }, "same colours as the bars")), page.heatmap, page.strengthMap),
    element("section", { class: "sv-card sv-loss-card sv-single", "aria-label": "Loss, metric and whole gradient" }, page.lossTitle, page.loss, page.whole),
    element("section", { class: "sv-card sv-picture-card sv-single", "aria-label": "What the network does" }, page.picture),
  );
  part("spoken", "p", { class: "sv-spoken", "aria-live": "polite" });
  part("root", "div", { class: "sv-lab sv-page" }, page.card, side, page.spoken);
  return page;
}

/** Let a card say whether its lines are to break, for the style sheet. @param {HTMLElement} card */
export function sayTight(card) {
  const width = card.clientWidth;
  card.dataset.tight = width < 620 ? "true" : width < 800 ? "close" : "false";
}

/** Let the network's card say how much room it has, and how high the dock of a phone is, for the style sheet. @param {Record<string, any>} page */
export function followRoom(page) {
  const room = new ResizeObserver(() => {
    const bars = page.bars.clientWidth;
    page.card.dataset.room = bars >= 374 ? "all" : bars >= 270 ? "share" : "bars";
    page.card.dataset.below = String(page.bars.offsetTop > page.diagram.offsetTop + 20);
    sayTight(page.card);
    page.root.style.setProperty("--sv-dock", `${page.transport.offsetHeight}px`);
  });
  room.observe(page.bars);
  room.observe(page.transport);
  page.scroll.onscroll = () => page.card.style.setProperty("--sv-scrolled", `${-page.scroll.scrollLeft}px`);
  return room;
}

/** Give the rows the size of what is drawn in them. @param {Record<string, any>} page @param {any} data @param {any} drawn  its diagram, or its U */
export function fitRows(page, data, drawn) {
  const column = drawn === data.diagram;
  const axis = data.figures.rows.light.layout.meta.axis;
  page.rows.classList.toggle("u", !column);
  // What is unfolded beside the trunk may be wider than a phone: the bars stay a row's width, and both are scrolled.
  const wide = column && (drawn.unfolded.length > 0 || drawn.shape === "layers");
  page.rows.style.minWidth = wide ? `${drawn.width + LEAST_BARS}px` : "";
  page.card.dataset.scrolls = String(wide);
  page.rows.style.height = column ? `${drawn.height + axis}px` : "";
  page.bars.style.height = `${data.diagram.height + axis}px`;
  page.scroll.classList.toggle("zoomed", data.zoom > 1);
  page.card.dataset.u = String(!column);
  page.card.style.setProperty("--sv-gain-x", `${drawn.gain_x}px`);
  page.card.style.setProperty("--sv-diagram-width", `${drawn.width}px`);
}

/** Hear of the wheel that zooms. @param {Record<string, any>} page @param {(inwards: boolean) => void} zoom */
export function onZoom(page, zoom) {
  page.rows.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    zoom(event.deltaY < 0);
  }, { passive: false });
}
