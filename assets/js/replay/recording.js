// @ts-check
// A run by itself, without a server: the lab's diagram and plots over its frames, those that are there and those that come; nothing is changed.
import { withSwitches, withStrengths } from "../diagram/diagram_switches.js";
import { createDiagramView } from "../diagram/diagram_view.js";
import { createComparison } from "../lab/comparison.js";
import { iconButton } from "../common/dom.js";
import { marksOf } from "../common/gradient_words.js";
import { createHints, isFact } from "../lab/hints.js";
import { createInspector } from "../lab/inspector.js";
import { createLabLegend } from "../lab/lab_legend.js";
import { followRoom, labElements } from "../lab/lab_elements.js";
import { createLabPlots } from "../lab/lab_plots.js";
import { createNetworkShape } from "../lab/network_shape.js";
import { createTooltip } from "../common/notice.js";
import { createReplayFrame } from "./replay_frame.js";
import { createRunStore } from "../frames/store.js";
import { createNews, createSentenceLine, createSpeech, sentenceOf } from "../lab/sentence_line.js";
import { createTableView } from "../lab/table_view.js";
import { createTransport } from "../lab/transport.js";
import { createViewOptions } from "../lab/view_options.js";

// The whole run plays in about so many milliseconds, between so many a frame.
const PLAYING = 24_000;
const FASTEST = 40;
const SLOWEST = 500;
// Plots of the whole run are drawn again after so many milliseconds, as in the lab.
const SLOW_DRAW = 250;

/**
 * @param {HTMLElement} root
 * @param {any} recorded  what `skipviz.web.content.replay_data` tells, with its frames; while its state is "running", more come
 * @param {(node: Element) => "light" | "dark"} themeAt
 * @param {(() => void) | null} switchTheme
 */
export function createRecording(root, recorded, themeAt, switchTheme) {
  const store = createRunStore();
  store.id = recorded.run;
  store.take({ ...recorded, snapshot: true });
  const coming = () => store.state === "running";
  store.cursor = coming() ? null : 0;
  const page = labElements();
  const narrow = root.clientWidth < 640;
  let variant = Object.keys(recorded.variants)[0];
  /** @type {any} */
  let data = null;
  let uShown = false;
  let playTimer = 0;
  let slowTimer = 0;
  let slowAt = 0;
  let drawing = 0;
  const options = { quantity: "weight", measure: "norm", scale: "absolute", baseline: true };
  const hints = createHints();
  const tooltip = createTooltip(page.card);
  const nothing = () => {};
  const at = () => store.cursor ?? store.frames.length - 1;

  const values = () => store.frame()?.variants[variant] || null;
  const act = {
    toggleSkip: nothing, toggleValve: nothing, selectSkip: nothing, selectLayer: nothing, addSkip: nothing, remove: nothing, open: nothing,
    skips: nothing, layers: nothing, insert: nothing, deselect: nothing, stop: nothing, speed: nothing, rate: nothing,
    hover: (node) => hover(node, data, values()),
    main: () => (playTimer ? pause() : coming() ? follow(store.cursor !== null) : play()),
    step: () => go(at() + 1),
    reset: () => go(0),
    seek: (step) => (step === null ? follow(true) : go(store.indexAt(step))),
  };
  const frame = createReplayFrame(recorded, switchTheme && (() => {
    switchTheme();
    draw();
  }));
  const diagram = createDiagramView(page.diagram, act);
  const names = Object.keys(recorded.variants);
  const comparison = createComparison(page, {
    options, actOf, choose, send: nothing, seek: act.seek, back: () => true, redraw: () => draw(),
    seen: () => ({ store, frame: store.frame() }), curves: () => ({ steps: store.steps, cursor: store.frame()?.step ?? null, events: store.events }),
  });
  const inspector = createInspector(page.inspector, act);
  const transport = createTransport(act, { small: true });
  const table = createTableView(page.table, act);
  const legend = createLabLegend(page.legend, { zoom: nothing, foldAgain: nothing });
  const viewOptions = createViewOptions(page.quantity, options, () => draw());
  const shape = createNetworkShape(page.head, page.names, (layout) => {
    uShown = layout === "u";
    show();
  });
  const news = createNews(store);
  const speech = createSpeech();
  const sentenceLine = createSentenceLine(() => draw());
  page.sentence.append(sentenceLine.root);
  const plots = createLabPlots(page, options, (step) => act.seek(step));
  page.transport.append(transport.root);
  page.toggle.remove();
  page.tools.append(iconButton("table", "Table", () => {
    page.table.hidden = !page.table.hidden;
    draw();
  }, "sv-bare"));
  root.replaceChildren(frame.root, page.root, frame.foot);
  // Letters that begin an edit in the lab do nothing here.
  page.card.addEventListener("keydown", (event) => {
    const drawn = /** @type {Element} */ (event.target).closest(".sv-diagram-host");
    if (drawn && ["s", "delete", "backspace", " ", "enter"].includes(event.key.toLowerCase())) event.stopImmediatePropagation();
  }, true);

  const room = followRoom(page);

  function hover(node, seen, numbers) {
    tooltip.show(node, hints.lines(node, seen, numbers).filter(isFact));
  }
  /** What the diagram of one of several networks does. @param {string} name */
  function actOf(name) {
    return { ...act, hover: (node) => hover(node, { ...data, variant: name, network: comparison.networkThen(name), diagram: comparison.diagram(name) }, store.frame()?.variants[name]) };
  }
  function choose(name) {
    variant = name;
    show();
  }
  function show() {
    const chosen = recorded.variants[variant];
    frame.say(variant);
    // Frames may have been left out, events never are; those of another network do not belong here.
    store.events = chosen.events.map((event) => ({ step: event.step, event }));
    const size = narrow && chosen.compact ? "compact" : "diagram";
    const u = chosen.u && { on: uShown, diagram: chosen.u[size] };
    data = { ...recorded.shared, ...chosen, u, variant, diagram: chosen[size], metric: recorded.metric, steps: store.steps };
    data.columns = names.length > 1 ? names.map((name) => ({ variant: name, ...recorded.variants[name], u: uShown && recorded.variants[name].u?.diagram })) : [];
    page.root.toggleAttribute("data-module", data.network.watched);
    const drawn = shape.update(data);
    const axis = data.figures.rows.light.layout.meta.axis;
    comparison.update({ ...data, watch: true });
    if (!comparison.on()) diagram.show(drawn);
    for (const svg of page.card.querySelectorAll(".sv-diagram-host svg")) svg.setAttribute("aria-label", "Network diagram. Arrow keys move.");
    page.rows.classList.toggle("u", drawn !== data.diagram);
    page.rows.style.height = drawn === data.diagram ? `${drawn.height + axis}px` : "";
    page.bars.style.height = `${data.diagram.height + axis}px`;
    page.card.dataset.u = String(drawn !== data.diagram);
    page.card.style.setProperty("--sv-gain-x", `${drawn.gain_x}px`);
    page.card.style.setProperty("--sv-diagram-width", `${drawn.width}px`);
    viewOptions.update(data.network.note);
    if (!comparison.on()) plots.load(data).then(draw);
    draw();
  }

  function go(index) {
    store.cursor = Math.max(0, Math.min(store.frames.length - 1, index));
    draw();
  }
  /** Show the newest frame and each that comes, or stay at this one. @param {boolean} newest */
  function follow(newest) {
    store.cursor = newest ? null : at();
    draw();
  }
  function play() {
    if (at() === store.frames.length - 1) store.cursor = 0;
    playTimer = window.setInterval(() => {
      if (at() === store.frames.length - 1) pause();
      else go(at() + 1);
    }, Math.max(FASTEST, Math.min(SLOWEST, PLAYING / store.frames.length)));
    draw();
  }
  function pause() {
    clearInterval(playTimer);
    playTimer = 0;
    draw();
  }

  // Skips, valves and boxes as they were at the step shown.
  function showSwitches(shown) {
    data.network = withStrengths(withSwitches(data.network, store.switchesAt(shown, variant)), values());
    if (!comparison.on()) diagram.showSwitches(data.network);
    // Nothing can be changed here, so nothing is said of how.
    for (const node of page.card.querySelectorAll('.sv-diagram-host [aria-label*=" Press Enter "]')) node.setAttribute("aria-label", String(node.getAttribute("aria-label")).replace(/ Press Enter .*/, ""));
  }

  function draw() {
    const shown = store.frame();
    if (!data || !shown) return;
    const theme = themeAt(page.root);
    for (const node of [page.root, frame.root, frame.foot]) node.dataset.theme = theme;
    legend.draw(theme, data.legend[theme]);
    if (comparison.on()) comparison.fast({ theme, look: data });
    else diagram.paint(values(), data.ramps[theme]);
    showSwitches(shown);
    const broken = store.diverged[variant];
    if (!comparison.on()) diagram.diverged(broken && shown.step >= broken.step ? broken.layer : null);
    legend.keys({ unlike: comparison.on(), baseline: !comparison.on() && options.baseline && options.measure !== "mean" && data.network.skips_on > 0 && store.baseline(shown, variant)?.ghost, tick: store.before(shown), marks: marksOf(values()) });
    if (!comparison.on()) plots.fast({ data, store, frame: shown, values: values(), theme, on: data.network.skips_on });
    const moving = Boolean(playTimer) || (coming() && store.cursor === null);
    const said = !coming() ? ["finished", recorded.words] : moving ? ["running", "Live"] : ["back", `Live is at ${store.frames.at(-1)?.step}\u00a0›`];
    transport.update({
      store: Object.create(store, { state: { value: moving ? "running" : "paused" } }), steps: store.steps, shown: shown.step, live: moving, said,
      main: moving ? ["Pause", "pause"] : coming() ? ["Live", "play"] : ["Play", "play"], learningRate: 1, speed: null, mine: true, network: data.network, variant,
    });
    const now = performance.now();
    clearTimeout(slowTimer);
    if (now - slowAt > SLOW_DRAW) slow();
    else slowTimer = window.setTimeout(slow, SLOW_DRAW - (now - slowAt));
  }

  function slow() {
    slowAt = performance.now();
    const shown = store.frame();
    const theme = page.root.dataset.theme;
    if (comparison.on()) comparison.slow({ theme, look: data });
    else plots.slow({ data, store, frame: shown, values: values(), theme });
    table.update(data, values(), null, true);
    if (comparison.on()) comparison.renewHover();
    else diagram.renewHover();
    inspector.update(data, null, { on: data.network.skips_on, step: null });
    const looked = { data, store, frame: shown, variant };
    const sentence = comparison.on() ? comparison.sentence(shown.step) : sentenceOf(looked, news.event(shown));
    sentenceLine.update(sentence, 0);
    page.spoken.textContent = speech.words(looked, sentence, store.steps);
  }

  // The arrows go from frame to frame, however far these lie apart; the space bar plays where nothing else takes it.
  const slider = /** @type {HTMLInputElement} */ (transport.root.querySelector(".sv-time"));
  slider.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 }[event.key];
    if (!by) return;
    event.preventDefault();
    go(at() + by);
    slider.value = String(store.frame()?.step ?? 0);
  });
  show();
  for (const [label, words] of [["One step", "Next frame"], ["Back to step 0, same seed", "Back to the first frame"]]) {
    const button = transport.root.querySelector(`[aria-label="${label}"]`);
    button?.setAttribute("aria-label", words);
    button?.setAttribute("title", words);
  }
  return {
    main: act.main,
    draw,
    /** Take frames that came, or the whole run anew. @param {any} message */
    take(message) {
      const step = store.cursor === null ? null : (store.frame()?.step ?? 0);
      store.take({ ...message, run: recorded.run });
      store.cursor = step === null ? null : store.indexAt(step);
      cancelAnimationFrame(drawing);
      drawing = requestAnimationFrame(draw);
    },
    destroy() {
      cancelAnimationFrame(drawing);
      clearInterval(playTimer);
      clearTimeout(slowTimer);
      room.disconnect();
      comparison.destroy();
      sentenceLine.destroy();
      plots.destroy();
    },
  };
}
