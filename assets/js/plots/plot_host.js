// @ts-check
// What all plots share: a node of their own inside the given element, the theme in force, and redrawing when the
// width changes. Figures come from Python, per theme or as one. plotly draws axes and marks; while only numbers change, its
// marks are moved.
import { placeMarks } from "./mark_outlines.js";
import { drawnMarks, moveMarks, showsMarks, unmovedParts } from "./moving_marks.js";

/**
 * @typedef {{figure: any, ramps: Record<string, string[]>, tokens: Record<string, string>, width: number}} Look
 * @typedef {{data: any[], layout: any}} Composed
 */

// plotly.js puts these two rules into the document's head, where a shadow root does not see them.
const PLOT_RULES = ".main-svg{position:absolute;top:0;left:0;pointer-events:none}.crisp{shape-rendering:crispEdges}";

/**
 * Make a plot whose figure `compose(state, look)` returns anew for every update; null draws nothing yet.
 * A figure's `layout.meta.bleed` is how many px the plot reaches over each side of `parent`, so that the label of an
 * axis' end is not cut.
 * @param {any} Plotly
 * @param {HTMLElement} parent
 * @param {any} figure a figure {data, layout, config}, or {light: figure, dark: figure}
 * @param {any} ramps lists of colours {bars, trunk, skip}, or {light: …, dark: …}
 * @param {(state: any, look: Look) => Composed | null} compose
 */
export function createPlotHost(Plotly, parent, figure, ramps, compose) {
  const node = document.createElement("div");
  const plot = document.createElement("div");
  const rules = document.createElement("style");
  node.className = "sv-plot";
  node.style.position = "relative";
  rules.textContent = PLOT_RULES;
  node.append(rules, plot);
  parent.append(node);
  /** @type {any} */
  const state = { figure, ramps, theme: "light" };
  let drawnWidth = 0;
  let gone = false;
  // What plotly has still to say of the last drawing: it calls the plot's own methods, which `purge` takes away.
  /** @type {Promise<any>} */
  let drawing = Promise.resolve();
  // What of the last drawing stays while marks move, whose figure it was, and its marks, if they can be moved.
  let [stands, drawings] = ["", 0];
  /** @type {any} */
  let template = null;
  /** @type {ReturnType<typeof drawnMarks>} */
  let marks = null;
  // Reading an element's width makes the browser lay the page out: once a change of size, not once a frame.
  /** @type {number | null} */
  let width = null;

  function look() {
    width ??= node.clientWidth;
    const chosen = state.figure[state.theme] ?? state.figure;
    return {
      figure: chosen,
      ramps: state.ramps?.[state.theme] ?? state.ramps ?? {},
      tokens: chosen.layout.meta.tokens,
      width,
    };
  }

  function draw() {
    if (gone) return;
    const now = look();
    if (now.width < 1) return;
    const composed = compose(state, now);
    if (!composed) return;
    drawnWidth = now.width;
    const bleed = now.figure.layout.meta.bleed ?? 0;
    plot.style.margin = `0 ${-bleed}px`;
    const layout = { ...composed.layout, width: now.width + 2 * bleed };
    const data = withoutEmpty(composed.data);
    const wanted = unmovedParts({ data, layout });
    if (marks && template === now.figure && stands === wanted && moveMarks(plot, marks, data)) return;
    [template, stands] = [now.figure, wanted];
    drawings += 1;
    drawing = Plotly.react(plot, data, { ...now.figure.layout, ...layout, datarevision: drawings }, now.figure.config);
    marks = drawnMarks(plot);
    placeMarks(plot);
  }

  const observer = new ResizeObserver(() => {
    width = node.clientWidth;
    if (width !== drawnWidth) draw();
  });
  observer.observe(node);
  return {
    node,
    state,
    look,
    draw,
    /** @param {any} changes */
    update(changes) {
      Object.assign(state, changes);
      draw();
    },
    destroy() {
      if (gone) return;
      gone = true;
      observer.disconnect();
      node.remove();
      const purge = () => Plotly.purge(plot);
      drawing.then(purge, purge);
    },
  };
}

/**
 * Traces that show nothing cost plotly as much as others: leave them out, but keep one on every axis, which needs one.
 * @param {any[]} traces
 * @returns {any[]}
 */
function withoutEmpty(traces) {
  const filledAxes = new Set(traces.filter(showsMarks).map((trace) => trace.xaxis ?? "x"));
  const kept = traces.filter((trace) => {
    if (showsMarks(trace)) return true;
    const axis = trace.xaxis ?? "x";
    const needed = !filledAxes.has(axis);
    filledAxes.add(axis);
    return needed;
  });
  return kept.map((trace) => (trace.uid ? trace : { ...trace, uid: `${trace.type} ${trace.meta}`.replace(/[^A-Za-z0-9]/g, "_") }));
}
