// @ts-check
// The lab: one network's diagram with its numbers row by row, its controls, and its history.
import { createDiagramView } from "../diagram/diagram_view.js";
import { iconButton } from "../common/dom.js";
import { createExportPanel } from "../sharing/export_panel.js";
import { createCompareMenu } from "../lab/compare_menu.js";
import { createComparison } from "../lab/comparison.js";
import { createFileDrop, pickFile } from "../lab/file_drop.js";
import { createHeaderActions } from "../common/header_actions.js";
import { createInspector } from "../lab/inspector.js";
import { createLabCommands } from "../frames/lab_commands.js";
import { createLabDrawing } from "../lab/lab_drawing.js";
import { createLabKeys } from "../lab/lab_keys.js";
import { createLabLegend } from "../lab/lab_legend.js";
import { fitRows, followRoom, labElements, onZoom } from "../lab/lab_elements.js";
import { labLinks } from "../lab/lab_links.js";
import { createLabPlots } from "../lab/lab_plots.js";
import { createHints } from "../lab/hints.js";
import { brokenWords } from "../common/gradient_words.js";
import { createToast, createTooltip } from "../common/notice.js";
import { createNetworkShape } from "../lab/network_shape.js";
import { createHistoryView } from "../lab/history_view.js";
import { createNetworkActs } from "../lab/network_acts.js";
import { partsOf } from "../common/parts.js";
import { createUnfolded } from "../lab/unfolded.js";
import { createReachNote } from "../common/reach_note.js";
import { canResume } from "../common/run_words.js";
import { createViewOptions } from "../lab/view_options.js";
import { createQueueNotice } from "../lab/queue_notice.js";
import { createRunStore } from "../frames/store.js";
import { createLooked } from "../frames/looked.js";
import { showMessage, takeOnce } from "../frames/once.js";
import { createStream } from "../frames/stream.js";
import { createNews, createSentenceLine, createSpeech } from "../lab/sentence_line.js";
import { createTableView } from "../lab/table_view.js";
import { createTour } from "../common/tour.js";
import { reachInLab } from "../lab/lab_tour.js";
import { createTransport } from "../lab/transport.js";
import { createRunControl } from "../lab/run_control.js";
import { giveRoom } from "../lab/setup_room.js";
import { createProjector } from "../common/projector.js";
import { overflowWords } from "../common/signal_words.js";
import { createWatching } from "../lab/watching.js";

// The plots of one network, by the names of their files.
const SINGLE = [["bars", "Gradient bars"], ["heatmap", "Layer × step"], ["strengths", "Learned strengths"], ["loss", "Loss"], ["total", "Whole gradient"], ["picture", "Output"]];

/**
 * @param {HTMLElement} root
 * @param {ReturnType<import("../frames/commands.js").createCommands>} commands
 */
export function createLab(root, commands) {
  const store = createRunStore();
  const page = labElements();
  root.replaceChildren(page.root);
  const toast = createToast(page.card);
  const tooltip = createTooltip(page.card);
  const hints = createHints();
  /** @type {any} */
  let data = null;
  /** @type {{kind: string, ids: string[]} | null} */
  let selected = null;
  /** @type {any} what is to be selected once it is drawn */
  let chosen = null;
  /** Whether what was typed or switched was refused, and the page is to show what stands. */
  let refused = false;
  let speed = /** @type {number | null} */ (100);
  let measureTimer = 0;
  const options = { quantity: "weight", measure: "norm", scale: "absolute", baseline: true, theory: false, numbered: false };

  const variant = () => data.variant;
  /** Steps in all: one that went on after its end takes more than its experiment says. */
  const steps = () => store.steps ?? data.steps;
  const ids = (kind) => partsOf(data.network, kind).map((part) => part.id);

  /** Send a command about the network that is looked at. @param {any} command @param {boolean} [drawn] */
  function send(command, drawn) {
    press.send(data.columns.length ? { variant: variant(), ...command } : command, drawn);
  }
  /** Look at another network of a comparison: its settings, its parts under the inspector. @param {string} name */
  function choose(name) {
    if (name === variant()) return;
    Object.assign(data, { variant: name, network: comparison.network(name), diagram: comparison.diagram(name) });
    selected = null;
    commands.send({ op: "choose", variant: name });
    comparison.chosen();
    draw.all();
  }
  /** What a diagram of a comparison does: to be handled is to be chosen. @param {string} name */
  function actOf(name) {
    const own = Object.fromEntries(Object.entries(act).map(([key, does]) => [key, (...given) => (choose(name), does(...given))]));
    const hover = (node, sentence) => {
      if (sentence) return tooltip.show(node || page.rows, [sentence]);
      const seen = { ...data, variant: name, network: comparison.networkThen(name), diagram: comparison.diagram(name) };
      tooltip.show(node, hints.lines(node, seen, (store.frame() || data.probe?.frame)?.variants[name]));
    };
    return { ...own, hover };
  }

  function refuse(title, sentence) {
    refused = true;
    if (store.id === "?") adopt(null);
    toast.show(title, sentence);
  }
  const press = createLabCommands({
    commands, refuse,
    show: (title, sentence) => toast.show(title, sentence),
    answered(answer) {
      chosen = answer.select ?? chosen;
      if (answer.run && answer.run !== store.id) adopt(answer.run);
    },
  });
  const watching = createWatching({
    store, data: () => data, ask: (command) => commands.send(command), refuse,
    take: (view) => lab.update(view), adopt: (run) => adopt(run), hides: (group) => header.view.hides(group), asking: () => commands.waiting(),
  });
  const run = createRunControl(store, {
    commands, refuse, send: (command) => press.send(command), drawText: () => draw.text(), wanted: () => ({ speed, ghost: options.baseline }),
  });
  const historyView = createHistoryView(store, { data: () => data, showSwitches: (network) => diagram().showSwitches(network) });
  const act = historyView.guard(watching.guard({
    ...createNetworkActs({ data: () => data, store, send, select, mark: (...given) => diagram().mark(...given), written: () => draw.text() }),
    arrange: (command) => send(command),
    compare() {
      act.arrange({ op: "compare", how: "usual" });
      run.start(false);
    },
    open: (layer) => commands.send({ op: "open", layer, shown: data.unfolded }),
    unfold: (parts) => commands.send({ op: "open", parts, shown: data.unfolded }),
    hover(node, sentence) {
      if (sentence) tooltip.show(node || page.rows, [sentence]);
      else tooltip.show(node, hints.lines(node, { ...data, network: historyView.network() ?? data.network }, store.frame()?.variants[variant()] || data.probe?.frame.variants[variant()]));
    },
    main() {
      if (store.state === "running" || store.state === "starting") run.control("pause", "paused");
      else if (store.state === "paused") run.control("resume", "running");
      else if (store.state === "queued") run.control("stop", "stopped");
      else if (canResume(store)) run.goOn();
      else run.start(false);
    },
    step: () => (store.state === "ready" ? run.start(true) : run.control("step", "paused")),
    stop: () => run.control("stop", "stopped"),
    reset: () => {
      store.reset(null);
      stream.watch([]);
      press.send({ op: "reset" });
      draw.all();
    },
    speed(value) {
      speed = store.speed = value;
      // One that has ended keeps it for when it goes on.
      if (store.hears() || (store.frames.length && store.mine)) run.send({ kind: "speed", steps_per_second: value });
      else draw.text();
    },
    rate(value, final) {
      data.learning_rate = value;
      if (final || store.hears()) press.send({ op: "rate", learning_rate: value, ...(final ? {} : { passing: true }) });
    },
    seek(step) {
      looked.forget();
      store.seek(step);
      draw.all();
    },
    options() {
      page.root.classList.toggle("sv-numbered", options.numbered);
      if (store.hears() && store.mine) run.send({ kind: "ghost", ghost: options.baseline });
      draw.all();
    },
    refuse,
    travel(operation) {
      act.seek(null);
      if (operation === "undo" && data.undo_watches) commands.send({ op: operation });
      else press.send({ op: operation });
    },
  }), refuse);

  /** What the transport shows beside `frame`; what to try is the preset's own sentence until something was done. */
  function training(frame) {
    const hint = data.watch ? "" : store.events.length ? data.next_hint : data.hint;
    return { store, steps: steps(), shown: shownStep(frame), live: store.cursor === null, learningRate: data.learning_rate, schedule: data.schedule, rate: frame?.variants[variant()]?.learning_rate, speed, mine: store.mine, network: data.network, estimate: data.estimate, header: store.header || data.probe?.header, warnings: store.state === "ready" ? warnings() : [], hint, compare: data.watch || data.columns.length ? "" : data.beside };
  }
  /** What is wrong: of the network as it is described, as it was measured at initialisation, and as it is now. */
  function warnings() {
    const values = (store.frame() || data.probe?.frame)?.variants[variant()];
    const broken = store.frames.length ? "" : brokenWords(values, data.network);
    return [broken, ...(data.cautions ?? []), overflowWords(values, data.network)].filter(Boolean);
  }
  /** What the dashed line is, or why there is none. */
  function theoryWords() {
    const [columns, reasons] = [data.columns.length, comparison.on() ? comparison.unpredicted() : [data.theory?.reason].filter(Boolean)];
    const predicted = reasons.length < Math.max(1, columns) ? [options.quantity === "state" ? "predicted at initialisation" : "the prediction is of states, not of weights"] : [];
    return [...predicted, ...reasons].join(" · ");
  }
  function exported() {
    const frame = store.frame() || data.probe?.frame || null;
    return { data, store, frame, values: frame?.variants[variant()] || null };
  }
  // The gradient at initialisation was not there in time: ask again, unless something else was asked meanwhile.
  function measureSoon() {
    clearTimeout(measureTimer);
    measureTimer = window.setTimeout(() => commands.waiting() || commands.send({ op: "measure" }), 500);
  }
  function showTable(yes) {
    page.table.hidden = !yes;
    draw.all();
    if (yes) page.table.scrollIntoView({ block: "nearest" });
  }
  function select(kind, names) {
    selected = kind ? { kind, ids: names } : null;
    diagram().select(kind, names);
    draw.text();
    diagram().reveal();
  }

  const single = createDiagramView(page.diagram, act);
  const comparison = createComparison(page, {
    options, actOf, choose, send: (command) => act.arrange(command), seek: (step) => act.seek(step), back: () => historyView.network() !== null, redraw: () => draw.soon(),
    seen: () => ({ store, frame: store.frame() || data.probe?.frame || null }),
    curves: () => ({ steps: steps(), cursor: store.frames.length ? store.frame()?.step ?? null : null, events: store.events }),
  });
  const diagram = () => comparison.view() ?? single;
  const compareMenu = createCompareMenu({ send: (command) => act.arrange(command) });
  const inspector = createInspector(page.inspector, act);
  const transport = createTransport(act);
  const table = createTableView(page.table, act);
  const viewOptions = createViewOptions(page.quantity, options, () => act.options());
  const shape = createNetworkShape(page.head, page.names, (name) => commands.send({ op: "layout", name }));
  const queueNotice = createQueueNotice(page.rows);
  const news = createNews(store);
  const speech = createSpeech();
  const sentenceLine = createSentenceLine(() => draw.text());
  page.sentence.append(sentenceLine.root);
  const plots = createLabPlots(page, options, (step) => act.seek(step));
  page.transport.append(transport.root);
  page.plain.onclick = () => act.all(false);
  page.residual.onclick = () => act.all(true);
  const sidebar = iconButton("setup", "Set up the network, task and training", () => /** @type {any} */ (document.querySelector('[data-testid="stExpandSidebarButton"]'))?.click(), "sv-bare sv-setup");
  page.tools.append(
    compareMenu.root, sidebar,
    iconButton("undo", "Undo (Ctrl+Z)", () => act.travel("undo"), "sv-bare sv-undo"),
    iconButton("redo", "Redo (Ctrl+Shift+Z)", () => act.travel("redo"), "sv-bare sv-redo"),
    iconButton("table", "Table", () => showTable(page.table.hidden), "sv-bare sv-table-button"),
  );
  page.root.prepend(watching.root);
  const header = createHeaderActions(page.root, "lab", { kinds: () => labLinks(data, store), ask: (command) => commands.send(command), here: () => data.link, layers: () => data.network.layers.map((layer) => layer.id), preview: (steps) => tour.preview(steps) });
  const projector = createProjector(page, header.view);
  const tour = createTour(page.root, { here: "lab", go: (place) => commands.send({ op: "go", page: place }), problem: (title, sentence) => toast.show(title, sentence), reach: reachInLab({ data: () => data, store, act, send: (command) => commands.send(command) }) });
  page.root.append(tour.entry);
  const openText = (text) => commands.send({ op: "open_file", text });
  const exporting = createExportPanel({
    name: "Export", title: () => (comparison.on() ? `Network ${comparison.letter()}, ${data.labels[variant()] ?? variant()}` : "Network"), wedges: () => data.legend[page.root.dataset.theme], diagram: () => comparison.host() ?? page.diagram, shown: exported, ask: (command) => commands.send(command), open: () => pickFile(openText, refuse),
    plots: [...SINGLE.map(([name, words]) => [name, words, page[name], () => !comparison.on()]), ...comparison.plots()],
  });
  header.root.querySelector(".sv-share")?.after(exporting.button);
  header.root.append(exporting.root);
  const dropping = createFileDrop(page.root, openText, refuse);
  const keys = createLabKeys(page.root, { chosen: () => Boolean(selected), act });

  const room = followRoom(page);
  const zoom = (factor) => commands.send({ op: "zoom", factor: Math.round(Math.min(6, Math.max(1, factor)) * 100) / 100 });
  const legend = createLabLegend(page.legend, { zoom: (factor) => zoom(data.zoom * factor), foldAgain: () => act.open(null) });
  onZoom(page, (inwards) => commands.waiting() || zoom(data.zoom * (inwards ? 1.25 : 0.8)));

  const reach = createReachNote();
  page.root.append(reach.root);
  const stream = createStream(
    (message) => {
      if (message.lab) press.heard(message);
      else if (message.follow) watching.followed(message);
      else if (store.take(message)) {
        lookAgain();
        draw.soon();
      }
      reach.saving(store.unsaved);
    },
    reach.update,
    () => (data?.watch ? "" : press.known()),
  );

  // A page that is loaded anew, for another theme or by hand, shows again the step that was looked at.
  const unfolded = createUnfolded(() => data);
  const looked = createLooked(() => (store.cursor === null ? null : { runs: [store.id], step: store.frame()?.step }));
  function lookAgain() {
    const step = looked.at([store.id], store.frames.at(-1)?.step ?? -1);
    if (step !== null) store.cursor = store.indexAt(step);
  }

  const shownStep = (frame) => (store.cursor === null && store.state === "diverged" ? store.frames.at(-1)?.step : frame?.step) ?? 0;
  const draw = createLabDrawing({
    store, page, options, data: () => data, selected: () => selected, variant, steps, training, warnings, theoryWords,
    legend, watching, historyView, projector, comparison, single, plots, transport, table, queueNotice, inspector, news, speech, sentenceLine,
  });

  const lab = {
    /** @param {any} next  what Python knows */
    update(next) {
      exporting.take(next.file);
      if (showMessage(next, toast) || refused) inspector.renew();
      refused = false;
      const known = press.take(next.lab);
      if (data && (!known || commands.waiting() || watching.stale(next))) {
        if (known && next.run !== store.id && next.run && !next.watch) adopt(next.run);
        return;
      }
      const first = !data;
      // What was measured at initialisation stays until the run's first frame.
      if (next.run && next.link && next.link === data?.link) next.probe ??= data.probe;
      data = next;
      if (first) giveRoom();
      const before = first && unfolded.of(next.link);
      if (before && String(before) !== String(next.unfolded)) commands.send({ op: "open", all: before });
      if (next.speed !== undefined && first) speed = next.speed;
      if (next.run !== store.id) adopt(next.run);
      stream.follow(next.watch?.follow ?? "");
      store.mine = next.mine && !next.watch;
      watching.update();
      header.update(next);
      store.speed = speed;
      page.plain.textContent = next.network.words[0];
      page.residual.textContent = next.network.words[1];
      comparison.update(next);
      compareMenu.update(next);
      page.root.toggleAttribute("data-module", next.network.watched);
      const drawn = shape.update(next);
      if (!comparison.on()) {
        single.show(drawn);
        single.watched(Boolean(next.watch), next.network.watched);
      }
      fitRows(page, next, drawn);
      legend.update(next);
      page.root.querySelector(".sv-undo").disabled = !next.undo;
      page.root.querySelector(".sv-redo").disabled = !next.redo;
      if (selected && !selected.ids.every((id) => ids(selected.kind).includes(id))) selected = null;
      selected = chosen ?? takeOnce(next, "select") ?? selected;
      chosen = null;
      diagram().select(selected?.kind ?? null, selected?.ids ?? []);
      viewOptions.update(next.network.note);
      if (next.pending) measureSoon();
      if (first && next.compact === false && root.clientWidth > 0 && root.clientWidth < 640) commands.send({ op: "compact" });
      plots.load(next).then((made) => made && draw.all());
      projector.fit(next.diagram.height, comparison.width());
      if (first || !store.frames.length) draw.all();
      else draw.soon();
      tour.update(next);
    },
    destroy() {
      clearTimeout(measureTimer);
      draw.end();
      sentenceLine.destroy();
      keys.destroy();
      looked.destroy();
      unfolded.destroy();
      exporting.destroy();
      dropping.destroy();
      stream.destroy();
      header.destroy();
      tour.destroy();
      projector.destroy();
      reach.destroy();
      watching.destroy();
      room.disconnect();
      plots.destroy();
      comparison.destroy();
      compareMenu.destroy();
    },
  };
  return lab;

  function adopt(run) {
    store.reset(run);
    stream.watch(run ? [run] : []);
  }
}
