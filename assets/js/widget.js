// @ts-check
// A watched module's run in a cell of a notebook, live while the cell trains: anywidget mounts this module.
/* global WIDGET_STYLE, WIDGET_SHARED */
import { element } from "./common/dom.js";
import { createRecording } from "./replay/recording.js";
import { unpack } from "./replay/replay_file.js";

/**
 * What came of a run, whichever cells show it: a view that opens later has all of it.
 * @typedef {{view: any, frames: any[], steps: number, state: string, listeners: Set<(message: any) => void>}} Received
 * @type {Map<string, Received>}
 */
const runs = new Map();

/** Collect what a model brings; returns what stops it. @param {any} model */
function collect(model) {
  /** @type {Received} */
  const run = { view: null, frames: [], steps: 1, state: "running", listeners: new Set() };
  const look = () => {
    run.view ??= model.get("view") ? JSON.parse(model.get("view")) : null;
    if (model.get("live")) add(JSON.parse(model.get("live")));
  };
  const add = (message) => {
    const last = message.snapshot ? -1 : (run.frames.at(-1)?.step ?? -1);
    const fresh = { ...message, frames: message.frames.filter(({ step }) => step > last) };
    Object.assign(run, { steps: message.steps, state: message.state, frames: message.snapshot ? fresh.frames : [...run.frames, ...fresh.frames] });
    for (const listener of run.listeners) listener(fresh);
  };
  if (model.get("past")) add(JSON.parse(model.get("past")));
  look();
  model.on("change:live", look);
  runs.set(model.get("run"), run);
  return () => {
    model.off("change:live", look);
    runs.delete(model.get("run"));
  };
}

/** plotly.js, once a page, from the model: as a module, so that no other script's loader takes it. @param {any} model */
async function importPlotly(model) {
  const source = await unpack(model.get("plotly"));
  const parts = ["const module = { exports: {} }, exports = module.exports, define = undefined;\n", source, "\nexport default module.exports;"];
  const address = URL.createObjectURL(new Blob(parts, { type: "text/javascript" }));
  return (await import(address)).default;
}

const brush = /** @type {CanvasRenderingContext2D} */ (document.createElement("canvas").getContext("2d", { willReadFrequently: true }));

/** Red, green, blue and opacity, 0…255, of a colour in whatever way a style sheet writes it. @param {string} colour */
function painted(colour) {
  brush.clearRect(0, 0, 1, 1);
  brush.fillStyle = colour;
  brush.fillRect(0, 0, 1, 1);
  return brush.getImageData(0, 0, 1, 1).data;
}

/** Light or dark, as what lies behind a view is. @param {Element} view @returns {"light" | "dark"} */
function themeBehind(view) {
  for (let at = /** @type {any} */ (view.parentNode); at; at = at.assignedSlot ?? at.parentNode ?? at.host) {
    const [red, green, blue, opacity] = at instanceof Element ? painted(getComputedStyle(at).backgroundColor) : [0, 0, 0, 0];
    if (opacity > 128) return red * 0.3 + green * 0.59 + blue * 0.11 < 128 ? "dark" : "light";
  }
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

/** The picture beside a view is for files that nothing runs in. @param {string} run */
function hideStill(run) {
  const rule = element("style", {}, `.skipviz-still-${CSS.escape(run)} { display: none !important; }`);
  document.head.append(rule);
  return () => rule.remove();
}

export default {
  initialize: ({ model }) => collect(model),
  render({ model, el }) {
    const name = model.get("run");
    const stop = runs.has(name) ? null : collect(model);
    const run = /** @type {Received} */ (runs.get(name));
    const page = /** @type {any} */ (window);
    page.skipvizPlotly ??= importPlotly(model);
    const root = element("div", { class: "sv-root" }, element("p", { class: "sv-page sv-quiet" }, "Nothing measured yet."));
    const host = element("div", { class: "skipviz-live" });
    host.attachShadow({ mode: "open" }).append(element("style", {}, WIDGET_STYLE), root);
    el.append(host);
    const showStill = hideStill(name);
    // JupyterLab takes keys before what has the focus hears them: those with Ctrl, such as that to save, are its own.
    const keepKeys = (event) => host.toggleAttribute("data-lm-suppress-shortcuts", !event.ctrlKey && !event.metaKey);
    window.addEventListener("keydown", keepKeys, true);
    /** @type {ReturnType<typeof createRecording> | null} */
    let recording = null;
    const hear = (message) => {
      // A cell is put into its page, and so has a width, after this; drawings come in two widths.
      if (recording) recording.take(message);
      else if (run.view && root.clientWidth) recording = createRecording(root, { ...run.view, ...run, shared: WIDGET_SHARED }, themeBehind, null);
    };
    run.listeners.add(hear);
    const room = new ResizeObserver(() => {
      root.dataset.size = root.clientWidth >= 880 ? "wide" : "narrow";
      if (!recording) hear(null);
    });
    room.observe(root);
    const themes = new MutationObserver(() => recording?.draw());
    themes.observe(document.body, { attributes: true });
    return () => {
      window.removeEventListener("keydown", keepKeys, true);
      room.disconnect();
      themes.disconnect();
      run.listeners.delete(hear);
      recording?.destroy();
      showStill();
      stop?.();
      host.remove();
    };
  },
};
