// @ts-check
// Side by side: two runs under one time slider, drawn as the lab draws a comparison, and in words what sets them apart.
import { createCompareRun } from "./compare_run.js";
import { createCompareTime } from "./compare_time.js";
import { element, iconButton } from "../common/dom.js";
import { createHeaderActions } from "../common/header_actions.js";
import { createToast, createTooltip } from "../common/notice.js";
import { LETTERS, createComparison } from "../lab/comparison.js";
import { createHints, isFact } from "../lab/hints.js";
import { createNetworkShape } from "../lab/network_shape.js";
import { createSentenceLine } from "../lab/sentence_line.js";
import { createViewOptions } from "../lab/view_options.js";
import { createReachNote } from "../common/reach_note.js";
import { createLooked } from "../frames/looked.js";
import { createStream } from "../frames/stream.js";
import { themeOf } from "../common/theme.js";
import { showMessage } from "../frames/once.js";

const SIDES = ["left", "right"];
const LOOKED_AT = "Open the run in the lab to change it; side by side it is only looked at.";

/**
 * @param {HTMLElement} root
 * @param {ReturnType<import("../frames/commands.js").createCommands>} commands
 */
export function createCompare(root, commands) {
  /** @type {any} */
  let data = null;
  // Which of them a phone shows.
  let chosen = SIDES[0];
  /** @type {number | null} the step that both show; null follows what goes on */
  let cursor = null;
  let slowAt = 0;
  let slowTimer = 0;
  let asked = false;
  let described = "";
  const page = compareElements();
  root.replaceChildren(page.root);
  const toast = createToast(page.toasts);
  const go = (name) => commands.send({ op: "go", page: name });
  const address = () => new URL(`compare?runs=${data.columns.map((one) => (Object.keys(one.variants).length > 1 ? `${one.run}:${one.variant}` : one.run)).join(",")}`, location.href.replace(/[^/]*$/, "")).href;
  const kinds = () => [{ id: "page", title: "These runs", label: "Link to these runs", note: "Others see the same two side by side.", address: address() }];
  const header = createHeaderActions(page.root, "compare", { kinds, ask: (command) => commands.send(command) });
  const options = { quantity: "weight", measure: "norm", scale: "absolute", baseline: false };
  const hints = createHints();
  const tooltip = createTooltip(page.card);
  const of = (name) => columns[SIDES.indexOf(name)];
  const comparison = createComparison(page, {
    options, actOf, choose, send: () => {}, seek, back: () => true, redraw: () => soon(),
    seen: (name) => ({ store: of(name).store, frame: of(name).store.frame() ?? null }),
    curves: () => ({ steps: extent(), cursor: cursor ?? leading(), events: [] }),
  });
  const columns = SIDES.map((name, side) => createCompareRun(side, {
    command: (command) => commands.send(command), captions: () => columns.flatMap((column) => column.caption()), diagram: () => comparison.host(name) ?? page.card,
    plots: comparison.plots().filter(([plot]) => !plot.startsWith("heatmap-") || plot === `heatmap-${LETTERS[side]}`), wedges: () => data.legend[themeOf(page.root)],
  }));
  const shape = createNetworkShape(page.head, element("div"), (name) => commands.send({ op: "layout", name }));
  const viewOptions = createViewOptions(page.quantity, options, () => draw(true));
  const sentenceLine = createSentenceLine(() => draw(true));
  page.sentence.append(sentenceLine.root);
  const time = createCompareTime(seek);
  page.runs.append(...columns.map((column) => column.root));
  page.time.append(time.root);
  const swap = iconButton("swap", "Swap left and right", () => commands.send({ op: "swap" }));
  page.tools.append(swap, element("button", { type: "button", class: "sv-button", onclick: () => go("runs") }, "My runs"));
  page.back.onclick = () => go("runs");

  /** @param {string} name */
  function choose(name) {
    chosen = name;
    comparison.update(compared());
    draw(true);
  }
  /** What a diagram does: it is looked at, and its blocks and branches open. @param {string} name */
  function actOf(name) {
    const refuse = () => toast.show("Only looked at here.", LOOKED_AT);
    return {
      toggleSkip: refuse, toggleValve: refuse, addSkip: refuse, remove: refuse, selectSkip: () => {}, selectLayer: () => {},
      open: (layer) => commands.send({ op: "open", layer }),
      unfold: (parts) => commands.send({ op: "open", parts }),
      hover(node, sentence) {
        if (sentence) tooltip.show(node || page.card, [sentence]);
        else tooltip.show(node, hints.lines(node, { ...of(name).data(), network: comparison.networkThen(name) }, of(name).values()).filter(isFact));
      },
    };
  }
  /** What the comparison draws. */
  const compared = () => ({ ...data, columns: data.columns.map((one, side) => ({ ...one, name: SIDES[side] })), variant: chosen, watch: true });

  const reached = () => Math.max(0, ...ends());
  /** The last step of all axes and of the slider. */
  function extent() {
    const going = columns.filter((column) => column.store.active());
    const most = Math.max(reached() + 1, ...going.map((column) => column.steps()));
    return going.length ? Math.min(most, roundAbove(1.1 * reached())) : reached() + 1;
  }
  const ends = () => columns.map((column) => column.lastStep()).filter((step) => step !== null);
  /** The step that is shown where nobody has chosen one: as far as both are, or the end. */
  function leading() {
    const going = columns.filter((column) => column.store.active() && column.lastStep() !== null);
    return going.length ? Math.min(...going.map((column) => column.lastStep())) : reached();
  }
  /** @param {number | null} step */
  function seek(step) {
    looked.forget();
    cursor = step === null || step >= reached() ? null : Math.max(0, step);
    draw(true);
  }

  const reach = createReachNote();
  page.root.append(reach.root);
  const looked = createLooked(() => (cursor === null ? null : { runs: columns.map((column) => column.store.id), step: cursor }));
  const stream = createStream(
    (message) => {
      if (!columns.map((column) => column.store.take(message)).some(Boolean)) return;
      const step = looked.at(columns.map((column) => column.store.id), reached());
      if (step !== null) cursor = step;
      soon();
    },
    reach.update,
  );
  function soon() {
    if (!asked) requestAnimationFrame(() => draw(false));
    asked = true;
  }
  /** @param {boolean} now  whether the plots of the whole run are drawn too */
  function draw(now) {
    asked = false;
    if (!data?.columns.length) return;
    const theme = themeOf(page.root);
    page.root.dataset.theme = theme;
    const step = cursor ?? leading();
    const last = extent();
    const slow = now || performance.now() - slowAt > 400;
    for (const column of columns) column.draw(step);
    comparison.fast({ theme, look: data });
    time.update({ columns: data.columns, stores: columns.map((column) => column.store), last, total: Math.max(...columns.map((column) => column.steps())), step, following: cursor === null, known: reached() });
    clearTimeout(slowTimer);
    if (!slow) slowTimer = window.setTimeout(() => draw(true), 450);
    if (!slow) return;
    slowAt = performance.now();
    describe();
    comparison.slow({ theme, look: data });
    comparison.renewHover();
    sentenceLine.update(comparison.sentence(step), 0);
  }

  return {
    /** @param {any} next */
    update(next) {
      page.root.dataset.theme = themeOf(page.root);
      showMessage(next, toast);
      for (const column of columns) column.take(next.file);
      if (data && commands.waiting()) return;
      data = next;
      header.update(next);
      page.problem.hidden = !next.problem;
      page.whole.hidden = Boolean(next.problem);
      page.problemText.textContent = next.problem ?? "";
      page.apart.hidden = swap.hidden = Boolean(next.problem);
      if (next.problem) return;
      page.root.toggleAttribute("data-module", next.columns.every(({ network }) => network.watched));
      for (const [side, column] of columns.entries()) column.update(next.columns[side]);
      comparison.update(compared());
      shape.update({ u: next.u, diagram: next.columns[0].diagram });
      viewOptions.update("");
      stream.watch([...new Set(next.columns.map((one) => one.run))]);
      draw(true);
    },
    destroy() {
      clearTimeout(slowTimer);
      looked.destroy();
      stream.destroy();
      reach.destroy();
      header.destroy();
      comparison.destroy();
      sentenceLine.destroy();
      for (const column of columns) column.destroy();
    },
  };

  /** Say what set them apart when they began, and what was done to either since. */
  function describe() {
    const done = columns.map((column) => column.done());
    const apart = done[0] === done[1] ? data.differences : [...data.differences, { what: "while training", left: done[0], right: done[1] }];
    const key = JSON.stringify(apart);
    if (key === described) return;
    described = key;
    const parts = apart.map(({ what, left, right }) => element("span", { class: "sv-apart" }, `${what} `, element("strong", {}, left), " / ", element("strong", {}, right)));
    page.apart.replaceChildren(...(parts.length ? parts : ["The same experiment: equal networks, task, training and seed."]));
  }
}

/** The least of 100, 200, 500, 1000, … that is not below `step`: axes of what goes on grow now and then, not always. @param {number} step */
function roundAbove(step) {
  for (let power = 100; ; power *= 10) for (const unit of [1, 2, 5]) if (unit * power >= step) return unit * power;
}

function compareElements() {
  const page = /** @type {Record<string, any>} */ ({});
  const part = (name, tag, attributes, ...children) => (page[name] = element(tag, attributes, ...children));
  part("apart", "p", { class: "sv-aparts", "aria-label": "What sets them apart, left / right" });
  part("tools", "div", { class: "sv-pair-tools" });
  part("time", "section", { class: "sv-card sv-pair-time", "aria-label": "Time" });
  part("runs", "div", { class: "sv-pair" });
  part("problemText", "p", {});
  part("back", "button", { type: "button", class: "sv-main" }, "My runs");
  part("problem", "section", { class: "sv-card sv-runs-empty", hidden: true }, page.problemText, page.back);
  part("quantity", "div", { class: "sv-head-bars" });
  // What a comparison puts its own parts after.
  part("head", "div", { class: "sv-head-network" });
  part("scroll", "div", { hidden: true });
  part("transport", "div", { hidden: true });
  part("card", "section", { class: "sv-card sv-network", "aria-label": "Networks" }, part("sentence", "div", { class: "sv-sentence-host" }), page.scroll);
  part("whole", "div", { class: "sv-pair-whole", hidden: true }, page.time, page.runs, element("div", { class: "sv-lab" }, page.card, element("div", { class: "sv-side" }, page.transport)));
  part("toasts", "div", { class: "sv-toast-host" });
  part(
    "root", "div", { class: "sv-figure sv-compare sv-page" },
    element("div", { class: "sv-intro" }, element("div", {}, element("h1", {}, "Side by side"), page.apart), page.tools),
    page.problem, page.whole, page.toasts,
  );
  return page;
}
