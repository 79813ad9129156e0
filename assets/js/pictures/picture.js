// @ts-check
// What the network makes of its data: decision boundary, digits it reads, shapes it finds.
import { element } from "../common/dom.js";
import { explain } from "../common/explain.js";
import { atStep } from "../common/metric_words.js";
import { createBoundary } from "./picture_boundary.js";
import { paintClassMasks } from "./picture_class_masks.js";
import { paintConfusion } from "./picture_confusion.js";
import { paintCurve } from "./picture_curve.js";
import { paintDigits } from "./picture_digits.js";
import { paintMasks } from "./picture_masks.js";
import { paintScatter } from "./picture_scatter.js";
import { paintSequences } from "./picture_sequences.js";
import { createWrittenText } from "./picture_text.js";
import { paintThumbnails } from "./picture_thumbnails.js";

// px: the narrowest legend beside the picture, and the widest window that is a phone's.
const LEGEND_LEAST = 100;
const PHONE = 640;
/** @type {Record<string, (canvas: HTMLCanvasElement, state: any, look: any) => {sentence: string, legend: Node[]}>} */
const CANVAS_PAINTERS = {
  class_masks: paintClassMasks,
  confusion: paintConfusion,
  curve: paintCurve,
  digits: paintDigits,
  masks: paintMasks,
  scatter: paintScatter,
  sequences: paintSequences,
  thumbnails: paintThumbnails,
};

/**
 * Make the picture with its title and legend. `update` takes any of: header (the run's), picture (a frame's, or null),
 * step (that frame's), theme, figure.
 * @param {any} Plotly
 * @param {HTMLElement} parent
 * @param {any} figure picture_figure's, or one for each theme
 */
export function createPicture(Plotly, parent, figure) {
  /** @type {any} */
  const state = { figure, theme: "light" };
  const stage = element("div", { role: "img" });
  const legend = element("div", { class: "sv-picture-legend" });
  const kindNow = () => state.picture?.kind ?? state.header?.picture;
  const side = element("div", { class: "sv-picture-side", hidden: true }, explain({ name: "Picture", key: () => `picture_${kindNow()}` }), legend);
  const node = element("div", { class: "sv-picture" }, stage, side);
  Object.assign(node.style, { display: "flex", flexWrap: "wrap", gap: "8px 14px", alignItems: "flex-start" });
  Object.assign(stage.style, { flex: "0 0 auto", maxWidth: "100%" });
  Object.assign(side.style, { flex: "1 1 96px", minWidth: "96px", font: "12px/1.5 'Source Sans', 'Source Sans 3', sans-serif" });
  parent.append(node);
  /** @type {{kind: string, part: any} | null} */
  let shown = null;
  let drawnWidth = 0;
  // Reading an element's width makes the browser lay the page out: once a change of size, not once a picture.
  /** @type {number | null} */
  let width = null;

  /** @param {string} kind @param {any} look */
  function partFor(kind, look) {
    if (shown?.kind === kind) return shown.part;
    shown?.part.destroy?.();
    stage.replaceChildren();
    const part =
      kind === "boundary" ? createBoundary(Plotly, stage, look.figure)
      : kind === "text" ? createWrittenText(stage)
      : canvasPart(stage, CANVAS_PAINTERS[kind]);
    shown = { kind, part };
    return part;
  }

  function draw() {
    const kind = kindNow();
    const chosen = state.figure[state.theme] ?? state.figure;
    width ??= node.clientWidth;
    if (!kind || kind === "none" || width < 1) return;
    drawnWidth = width;
    const { largest, tokens } = chosen.layout.meta;
    // Beside its legend on a screen, above it and as wide as the column on a phone.
    const wide = width - largest >= LEGEND_LEAST && window.innerWidth > PHONE;
    const look = { figure: chosen, tokens, width: wide ? largest : Math.min(width, PHONE), height: wide ? largest : PHONE };
    const said = partFor(kind, look).update(state, look);
    stage.setAttribute("aria-label", said.sentence);
    side.hidden = false;
    legend.replaceChildren(...said.legend, ...(state.picture && state.step !== undefined ? [element("div", {}, atStep(state.step).trim())] : []));
    legend.style.color = look.tokens.ink2;
  }

  const observer = new ResizeObserver(() => {
    width = node.clientWidth;
    if (width !== drawnWidth) draw();
  });
  observer.observe(node);
  return {
    node,
    /** @param {any} changes */
    update(changes) {
      Object.assign(state, changes);
      draw();
    },
    destroy() {
      observer.disconnect();
      shown?.part.destroy?.();
      node.remove();
    },
  };
}

/**
 * A canvas as sharp as the screen that `paint(context, state, look)` fills.
 * @param {HTMLElement} stage
 * @param {(canvas: HTMLCanvasElement, state: any, look: any) => {sentence: string, legend: Node[]}} paint
 */
function canvasPart(stage, paint) {
  const canvas = /** @type {HTMLCanvasElement} */ (document.createElement("canvas"));
  canvas.style.display = "block";
  canvas.setAttribute("aria-hidden", "true");
  stage.append(canvas);
  return {
    /** @param {any} state @param {any} look */
    update: (state, look) => paint(canvas, state, look),
  };
}
