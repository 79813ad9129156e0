// @ts-check
// Figure 4.9, alive: three panels that train side by side.
import { element, parseSvg } from "../common/dom.js";
import { createFigurePanel } from "./figure_panel.js";
import { createHeaderActions } from "../common/header_actions.js";
import { pressWords } from "../common/press_words.js";
import { inForce } from "../common/in_force.js";
import { createToast } from "../common/notice.js";
import { createPlayer } from "./player.js";
import { loadPlotly } from "../plots/plotly_loader.js";
import { createReachNote } from "../common/reach_note.js";
import { canResume } from "../common/run_words.js";
import { createStream, post, resumeRun } from "../frames/stream.js";
import { createTransport } from "../lab/transport.js";
import { createTour } from "../common/tour.js";
import { themeOf } from "../common/theme.js";
import { showMessage } from "../frames/once.js";

// ms after the last press of Repeat until its panel starts.
const SETTLED = 700;

/**
 * @param {HTMLElement} root
 * @param {ReturnType<import("../frames/commands.js").createCommands>} commands
 */
export function createFigure(root, commands) {
  /** @type {any} */
  let data = null;
  let slowAt = 0;
  let slowTimer = 0;
  let ended = false;
  let measureTimer = 0;
  let asked = false;
  const toastHost = element("div", { class: "sv-toast-host" });
  const toast = createToast(toastHost);
  const outer = { commands, answered: (id, run) => answered(id, run), problem: (sentence, title = "Not done.") => toast.show(title, sentence) };
  const panels = ["left", "center", "right"].map((id) => createFigurePanel(id, { ...outer, main: () => press(id), repeat: (change) => repeat(id, change) }));
  /** @type {Record<string, number>} */
  const repeating = {};
  const panelOf = (id) => /** @type {(typeof panels)[0]} */ (panels.find((panel) => panel.id === id));
  const stores = () => panels.map((panel) => panel.store);
  const own = () => stores().filter((store) => store.id && !store.shared);
  const shared = () => stores().filter((store) => store.shared);
  const going = (list) => {
    const active = list.filter((store) => store.active());
    const trained = active.filter((store) => store.state !== "queued");
    return trained.length ? trained : active.length ? active : list;
  };
  // Panels are at different steps: the one that is least far speaks for those that go on together, the longest for those
  // that are over, so that the time slider reaches every step.
  const slowest = (list) => list.reduce((one, other) => ((other.frame()?.step ?? 0) < (one.frame()?.step ?? 0) ? other : one));
  const longest = (list) => list.reduce((one, other) => ((other.frames.at(-1)?.step ?? 0) > (one.frames.at(-1)?.step ?? 0) ? other : one));
  const speaker = (list) => (list.some((store) => store.active()) ? slowest(going(list)) : longest(list));
  const lead = () => (own().length ? speaker(own()) : stores().find((store) => !store.id) || speaker(stores()));
  const player = createPlayer(shared, () => draw(true));
  let arrived = false;
  const controls = {
    main: () => goAhead(lead(), stores(), () => start(false)),
    step: () => (lead().state === "ready" ? start(true) : control("step", "paused")),
    stop: () => control("stop", "stopped"),
    play() {
      const leading = lead();
      const live = leading.active() && leading.cursor === null;
      if (player.playing()) player.stop();
      else if (live) for (const store of shared()) store.cursor = Math.max(0, store.frames.length - 1);
      else player.play(leading.cursor === null ? 0 : leading.frame()?.step ?? 0);
      draw(true);
    },
    reset() {
      for (const panel of panels.filter((one) => !one.store.shared)) {
        panel.store.reset(null);
        panel.press.send({ op: "reset" });
      }
      watch();
      draw(true);
    },
    speed: () => {},
    rate: () => {},
    seek(step) {
      const leading = lead();
      if (leading.shared) player.stop();
      const together = stores().filter((store) => store.shared === leading.shared);
      for (const store of together) store.seek(step);
      draw(true);
    },
  };
  const transport = createTransport(controls, { small: true });
  const reach = createReachNote();
  const legend = element("div", { class: "sv-legend sv-figure-legend" });
  const keys = {
    off: element("span", { class: "sv-key off", hidden: true }, "skip off"),
    kill: element("span", { class: "sv-key kill", hidden: true }, "gradient killed here, forward pass unchanged"),
    baseline: element("span", { class: "sv-key baseline", hidden: true }, "the twin: the same network without skips, trained beside it"),
  };
  const [title, intro, tourPlace] = [element("h1", {}), element("p", {}), element("div", {})];
  const page = element(
    "div", { class: "sv-figure sv-page" },
    element(
      "div", { class: "sv-intro" },
      element("div", {}, title, intro, tourPlace),
      transport.root,
    ),
    element("div", { class: "sv-panels" }, ...panels.map((panel) => panel.root)),
    legend, toastHost, reach.root,
  );
  root.replaceChildren(page);
  const header = createHeaderActions(page, "figure", { kinds: () => figureLinks(data), ask: (command) => commands.send(command), preview: (steps) => tour.preview(steps) });

  const tour = createTour(page, { here: "figure", go: (place) => commands.send({ op: "go", page: place }), problem: (title, sentence) => toast.show(title, sentence), reach: (step, once) => panelOf(data.tour.targets[step.target].panel).reach(step, once) });
  tourPlace.append(tour.entry);

  /** What a button does that says what `leading`'s next state will be, to the runs of `list`. */
  function goAhead(leading, list, begin) {
    const state = leading.shared ? "ready" : leading.state;
    if (state === "running" || state === "starting") control("pause", "paused", list);
    else if (state === "paused") control("resume", "running", list);
    else if (state === "queued") control("stop", "stopped", list);
    else if (canResume(leading) && !leading.shared) goOn(list);
    else begin();
  }
  function press(id) {
    const { store } = panelOf(id);
    goAhead(store, [store], () => start(false, [id]));
  }
  // A panel that is repeated starts alone, once it is pressed no further.
  function repeat(id, change) {
    commands.send({ op: "repeat", panel: id, change });
    clearTimeout(repeating[id]);
    const begin = () => {
      if (commands.waiting()) repeating[id] = window.setTimeout(begin, SETTLED / 4);
      else if (!panelOf(id).store.id) start(false, [id]);
    };
    repeating[id] = window.setTimeout(begin, SETTLED);
  }
  function allOwn() {
    const mine = panels.filter((panel) => !panel.store.shared);
    return (mine.length ? mine : panels).map((panel) => panel.id);
  }
  function start(paused, chosen = allOwn()) {
    for (const panel of panels) if (chosen.includes(panel.id)) panel.own("?");
    draw(true);
    for (const panel of panels) if (chosen.includes(panel.id)) panel.press.send({ op: "start", speed: data.speed, paused });
  }
  /** A panel's lab has a run, or another one. */
  function answered(id, run) {
    if (run && run !== panelOf(id).store.id) panelOf(id).own(run);
    watch();
  }
  function watch() {
    stream.watch(/** @type {string[]} */ (stores().map((store) => store.id).filter((run) => run && run !== "?")));
  }
  async function goOn(list) {
    for (const store of list.filter((one) => one.id && !one.shared && canResume(one))) {
      const refusal = await resumeRun(String(store.id), commands.send);
      if (refusal) toast.show("Not resumed.", refusal);
    }
  }
  function control(kind, state, list = stores()) {
    for (const store of list) {
      if (!store.hears() || !store.id || store.shared) continue;
      if (kind !== "step") store.state = state;
      tell(store.id, { kind });
    }
    draw(true);
  }
  /** Post a control; where our routes are cut off, Python passes it on. */
  async function tell(run, message) {
    const answer = await post(`skipviz/runs/${run}/events`, message);
    if (answer.unreachable) commands.send({ op: "tell", run, message });
  }
  const stream = createStream(
    (message) => {
      if (message.lab) return panels.forEach((panel) => panel.press.heard(message));
      for (const store of stores()) store.take(message);
      arrive();
      reach.saving(stores().find((store) => store.unsaved)?.unsaved ?? null);
      soon();
    },
    reach.update,
    () => panels.map((panel) => panel.press.known()).filter(Boolean).join(","),
  );
  // Who comes when the shared run is over sees it from its beginning, unless things are not to move by themselves. Its
  // recordings come one after the other: those that are there wait at their beginning for the others.
  function arrive() {
    if (arrived || shared().length < panels.length) return;
    const here = shared().filter((store) => store.frames.length || !store.active());
    arrived = here.length === panels.length;
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    if (arrived && here.every((store) => !store.active())) player.play(0);
    else for (const store of here) store.cursor = arrived || store.active() ? null : 0;
  }
  function soon() {
    if (!asked) requestAnimationFrame(() => draw(false));
    asked = true;
  }
  function draw(now) {
    asked = false;
    if (!data) return;
    const theme = themeOf(page);
    page.dataset.theme = theme;
    if (legend.dataset.theme !== theme) {
      legend.dataset.theme = theme;
      legend.replaceChildren(
        element("span", { class: "sv-quiet" }, "Gradient on a line", element("br"), element("span", { class: "sv-red" }, "skip"), " · trunk"),
        parseSvg(data.legend[theme]),
        ...Object.values(keys),
      );
    }
    // A key stands in the legend once there is what it explains.
    const networks = data.panels.map((panel) => panel.network);
    keys.off.hidden = !networks.some((network) => network.skips.some((skip) => !inForce(skip)));
    keys.kill.hidden = !networks.some((network) => network.layers.some((layer) => layer.gain === 0));
    keys.baseline.hidden = !panels.some((panel) => panel.twinned());
    const slow = now || performance.now() - slowAt > 400;
    for (const panel of panels) panel.draw(data, theme, slow);
    if (slow) slowAt = performance.now();
    clearTimeout(slowTimer);
    if (!slow) slowTimer = window.setTimeout(() => draw(true), 450);
    const leading = lead();
    const its = data.panels[stores().indexOf(leading)];
    transport.update({ playing: player.playing(), store: leading, steps: its.steps, shown: leading.frame()?.step ?? 0, live: leading.cursor === null, learningRate: 0.001, speed: null, mine: leading.mine, network: its.network });
  }
  return {
    /** @param {any} next */
    update(next) {
      for (const panel of panels) panel.take(next.file);
      showMessage(next, toast);
      if (data && commands.waiting()) return;
      const first = !data;
      data = next;
      title.textContent = next.title;
      intro.textContent = pressWords(next.intro);
      header.update(next);
      for (const panel of panels) panel.update(next.panels.find((one) => one.id === panel.id));
      watch();
      clearTimeout(measureTimer);
      if (next.panels.some((panel) => panel.pending)) measureTimer = window.setTimeout(() => commands.waiting() || commands.send({ op: "measure" }), 500);
      reach.absent(next.absent ?? null);
      if (first && next.compact === false && root.clientWidth > 0 && root.clientWidth < 640) commands.send({ op: "compact" });
      loadPlotly(next.plotly).then(
        (Plotly) => {
          if (ended) return;
          for (const panel of panels) panel.plotted(Plotly, next);
          draw(true);
        },
        () => panels.forEach((panel) => panel.unplotted()),
      );
      draw(true);
      tour.update(next);
    },
    destroy() {
      ended = true;
      clearTimeout(slowTimer);
      clearTimeout(measureTimer);
      Object.values(repeating).forEach(clearTimeout);
      player.stop();
      stream.destroy();
      header.destroy();
      tour.destroy();
      reach.destroy();
      for (const panel of panels) panel.destroy();
    },
  };
}

/** The links that the figure's page can give: the page, its runs, each panel's network in the lab. */
function figureLinks(data) {
  const base = location.href.replace(/[^/]*$/, "");
  const runs = data.panels.map((panel) => panel.run ?? "");
  const kinds = [{ id: "page", title: "This page", label: "Link to this page", note: "The three networks of the figure, as often repeated as here, to be trained anew.", address: new URL(data.repeat ? `figure?repeat=${data.repeat}` : "figure", base).href }];
  if (runs.some(Boolean)) kinds.push({ id: "runs", title: "These runs", label: "Link to these runs", note: "Others watch them, live or as they were recorded.", address: new URL(`figure?runs=${runs.join(".")}`, base).href });
  for (const panel of data.panels) {
    if (panel.link) kinds.push({ id: panel.id, title: `${panel.id[0].toUpperCase()}${panel.id.slice(1)}, in the lab`, label: "Link to this experiment", note: "The same network, task and seed, to be changed and trained in the lab.", address: new URL(`lab?x=${panel.link}`, base).href });
  }
  return kinds;
}
