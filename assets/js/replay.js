// @ts-check
// A recorded run by itself, in a file without a server: the lab's diagram and plots over its frames; nothing is changed.
import { withSwitches, withStrengths } from "./diagram/diagram_switches.js";
import { createDiagramView } from "./diagram/diagram_view.js";
import { createComparison } from "./lab/comparison.js";
import { element, iconButton } from "./common/dom.js";
import { marksOf } from "./common/gradient_words.js";
import { createHints } from "./lab/hints.js";
import { createInspector } from "./lab/inspector.js";
import { createLabLegend } from "./lab/lab_legend.js";
import { followRoom, labElements } from "./lab/lab_elements.js";
import { createLabPlots } from "./lab/lab_plots.js";
import { createNetworkShape } from "./lab/network_shape.js";
import { createTooltip } from "./common/notice.js";
import { readPacked, runPacked } from "./replay/replay_file.js";
import { createReplayFrame } from "./replay/replay_frame.js";
import { createRunStore } from "./frames/store.js";
import { createNews, createSentenceLine, createSpeech, sentenceOf } from "./lab/sentence_line.js";
import { createTableView } from "./lab/table_view.js";
import { themeOf } from "./common/theme.js";
import { createTransport } from "./lab/transport.js";
import { createViewOptions } from "./lab/view_options.js";

// The whole run plays in about so many milliseconds, between so many a frame.
const PLAYING = 24_000;
const FASTEST = 40;
const SLOWEST = 500;
// Plots of the whole run are drawn again after so many milliseconds, as in the lab.
const SLOW_DRAW = 250;

/**
 * @param {HTMLElement} root
 * @param {any} recorded  what `skipviz.web.content.replay_data` tells, with its frames
 */
export function createReplay(root, recorded) {
  const store = createRunStore();
  store.id = recorded.run;
  store.take({ ...recorded, snapshot: true });
  store.cursor = 0;
  const page = labElements();
  const narrow = root.clientWidth < 640;
  let variant = Object.keys(recorded.variants)[0];
  /** @type {any} */
  let data = null;
  let uShown = false;
  let playTimer = 0;
  let slowTimer = 0;
  let slowAt = 0;
  const options = { quantity: "weight", measure: "norm", scale: "absolute", baseline: true };
  const hints = createHints();
  const tooltip = createTooltip(page.card);
  const nothing = () => {};

  const values = () => store.frame()?.variants[variant] || null;
  const act = {
    toggleSkip: nothing, toggleValve: nothing, selectSkip: nothing, selectLayer: nothing, addSkip: nothing, remove: nothing, open: nothing,
    skips: nothing, layers: nothing, insert: nothing, deselect: nothing, stop: nothing, speed: nothing, rate: nothing,
    hover: (node) => hover(node, data, values()),
    main: () => (playTimer ? pause() : play()),
    step: () => go((store.cursor ?? 0) + 1),
    reset: () => go(0),
    seek: (step) => go(store.indexAt(step ?? 0)),
  };
  const frame = createReplayFrame(recorded, () => {
    document.body.dataset.theme = document.body.dataset.theme === "dark" ? "light" : "dark";
    draw();
  });
  const diagram = createDiagramView(page.diagram, act);
  const names = Object.keys(recorded.variants);
  const comparison = createComparison(page, {
    options, actOf, choose, send: nothing, seek: act.seek, back: () => true, redraw: () => draw(),
    seen: () => ({ store, frame: store.frame() }), curves: () => ({ steps: recorded.steps, cursor: store.frame()?.step ?? null, events: store.events }),
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

  followRoom(page);

  function hover(node, seen, numbers) {
    tooltip.show(node, hints.lines(node, seen, numbers).filter((line) => !/^(Click|Tap|Drag)/.test(line)));
  }
  /** What the diagram of one of several networks does. @param {string} name */
  function actOf(name) {
    return { ...act, hover: (node) => hover(node, { ...data, variant: name, network: comparison.network(name), diagram: comparison.diagram(name) }, store.frame()?.variants[name]) };
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
    data = { ...recorded.shared, ...chosen, u, variant, diagram: chosen[size], metric: recorded.metric, steps: recorded.steps };
    data.columns = names.length > 1 ? names.map((name) => ({ variant: name, ...recorded.variants[name] })) : [];
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
  function play() {
    if (store.cursor === store.frames.length - 1) store.cursor = 0;
    playTimer = window.setInterval(() => {
      if (store.cursor === store.frames.length - 1) pause();
      else go((store.cursor ?? 0) + 1);
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
    const theme = themeOf(page.root);
    for (const node of [page.root, frame.root, frame.foot]) node.dataset.theme = theme;
    legend.draw(theme, data.legend[theme]);
    if (comparison.on()) comparison.fast({ theme, look: data });
    else diagram.paint(values(), data.ramps[theme]);
    showSwitches(shown);
    const broken = store.diverged[variant];
    if (!comparison.on()) diagram.diverged(broken && shown.step >= broken.step ? broken.layer : null);
    legend.keys({ baseline: !comparison.on() && options.baseline && options.measure !== "mean" && data.network.skips_on > 0 && store.baseline(shown, variant)?.ghost, tick: store.before(shown), marks: marksOf(values()) });
    if (!comparison.on()) plots.fast({ data, store, frame: shown, values: values(), theme, on: data.network.skips_on });
    const [said, state] = [["finished", recorded.words], playTimer ? "running" : "paused"];
    transport.update({
      store: Object.create(store, { state: { value: state } }), steps: recorded.steps, shown: shown.step, live: Boolean(playTimer), said,
      main: playTimer ? ["Pause", "pause"] : ["Play", "play"], learningRate: 1, speed: null, mine: true, network: data.network, variant,
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
    if (comparison.on()) comparison.slow({ theme });
    else plots.slow({ data, store, frame: shown, values: values(), theme });
    table.update(data, values(), null, true);
    if (comparison.on()) comparison.renewHover();
    else diagram.renewHover();
    inspector.update(data, null, { on: data.network.skips_on, step: null });
    const looked = { data, store, frame: shown, variant };
    const sentence = comparison.on() ? comparison.sentence(shown.step, recorded.metric) : sentenceOf(looked, news.event(shown));
    sentenceLine.update(sentence, 0);
    page.spoken.textContent = speech.words(looked, sentence, recorded.steps);
  }

  // The arrows go from frame to frame, however far these lie apart; the space bar plays where nothing else takes it.
  const slider = /** @type {HTMLInputElement} */ (transport.root.querySelector(".sv-time"));
  slider.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 }[event.key];
    if (!by) return;
    event.preventDefault();
    go((store.cursor ?? 0) + by);
    slider.value = String(store.frame()?.step ?? 0);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== " " || event.target !== document.body) return;
    event.preventDefault();
    act.main();
  });

  show();
  for (const [label, words] of [["One step", "Next frame"], ["Back to step 0, same seed", "Back to the first frame"]]) {
    const button = transport.root.querySelector(`[aria-label="${label}"]`);
    button?.setAttribute("aria-label", words);
    button?.setAttribute("title", words);
  }
}

async function startReplay() {
  const root = /** @type {HTMLElement} */ (document.getElementById("replay"));
  new ResizeObserver(() => {
    root.dataset.size = root.clientWidth >= 880 ? "wide" : root.clientWidth >= 600 ? "narrow" : "phone";
  }).observe(root);
  document.body.dataset.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  try {
    runPacked(await readPacked("plotly"));
    createReplay(root, JSON.parse(await readPacked("recorded")));
  } catch (error) {
    root.replaceChildren(element("p", { class: "sv-page", role: "alert" }, `This browser cannot open the recording: ${error instanceof Error ? error.message : error}`));
  }
}

startReplay();
