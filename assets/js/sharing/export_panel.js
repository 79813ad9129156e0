// @ts-check
// Export, beside Share: the experiment as script or JSON, its run as numbers or a replay, what is drawn as pictures.
import { element, icon } from "../common/dom.js";
import { captionLines, captionLink } from "./export_caption.js";
import { copyText, fetchFile, numbersText, save, weightsAddress } from "./export_files.js";
import { diagramPicture, plotPicture } from "./export_pictures.js";
import { createHandout } from "./handout.js";
import { routesBlocked } from "../frames/reach.js";

/**
 * @typedef {{stem: string, link?: string, network: any}} Exported  what Python tells of it
 * @param {{
 *   name: string, diagram: () => HTMLElement, plots: [string, string, HTMLElement, (() => boolean)?][], panel?: string, quiet?: boolean,
 *   shown: () => {data: Exported, store: any, frame: any, values: any}, title: () => string, wedges: () => string, captions?: Record<string, () => string[]>, ask: (command: any) => number,
 *   open?: () => void,
 * }} outer  `name` is what the panel is called, `plots` are file name, words and place of each, and whether it is offered now, `panel` is sent to Python, a
 *   quiet button is an icon, `title` and `wedges` are the diagram's, `captions` those of plots of more than this one run; `open` lets
 *   a file be chosen
 */
export function createExportPanel({ name: title, diagram, plots, panel: asking, quiet, shown, title: named, wedges, captions = {}, ask, open }) {
  const said = element("span", { class: "sv-quiet", role: "status" });
  const base = location.pathname.replace(/[^/]*$/, "");
  const say = (words) => {
    said.textContent = words;
  };
  const link = (words) => element("a", { class: "sv-take" }, words);
  const press = (words, onclick, label = words) => element("button", { type: "button", class: "sv-take", "aria-label": label, title: label, onclick }, words);
  const handout = createHandout((command) => ask(asking ? { ...command, panel: asking } : command), say);
  const script = link("PyTorch script");
  const json = link("JSON");
  const csv = link("CSV");
  const parquet = link("Parquet");
  const replay = link("Replay, one HTML file");
  const copied = press("Copy", () => copy(numbersText(shown()), "The numbers are copied: paste them into a spreadsheet."), "Copy these numbers");
  const line = element("code", {});
  const lineCopy = press("Copy", () => copy(line.textContent || "", "The line is copied."), "Copy the line for pandas");
  const pandas = element("div", { class: "sv-take-line" }, line, lineCopy);
  const none = element("p", { class: "sv-quiet" }, "Start it, and here are its numbers and a replay.");
  const rows = plots.map(([name, words, place]) => [words, picture(words, "svg", () => plot(name, place, "svg")), picture(words, "png", () => plot(name, place, "png"))]);
  const row = (name, ...parts) => element("div", { class: "sv-take-row", role: "group", "aria-label": name }, element("span", {}, name), ...parts);
  const pictures = rows.map(([words, ...buttons]) => row(String(words), ...buttons));
  const numbers = row("Numbers", csv, parquet, copied);
  const weights = row("Weights");
  const panel = element(
    "div", { class: "sv-export-panel", role: "dialog", "aria-label": title, hidden: true },
    element("strong", {}, "Take it with you"),
    row("Experiment", script, json, open && press("Open a file…", open)),
    numbers, pandas, row("Run", replay), weights, none,
    row("Diagram", picture("Diagram", "svg", () => drawn("svg")), picture("Diagram", "png", () => drawn("png"))),
    ...pictures,
    said,
  );
  const button = element("button", { type: "button", class: quiet ? "sv-bare sv-quiet-export" : "sv-share sv-export", "aria-haspopup": "dialog", "aria-expanded": "false", "aria-label": title, title }, icon("take"), !quiet && "Export");

  function picture(words, format, onclick) {
    return press(format.toUpperCase(), () => onclick().then(() => say(""), () => say("This picture cannot be made by this browser.")), `${words} as ${format.toUpperCase()}`);
  }
  async function copy(text, words) {
    say(text && (await copyText(text)) ? words : "The browser does not let the page copy.");
  }
  const stem = () => [shown().data.stem, shown().store.id].filter(Boolean).join("-");
  const caption = (name) => ({ caption: captions[name]?.() ?? captionLines(shown()), link: captions[name] ? "" : captionLink(shown()) });
  async function drawn(format) {
    const wedge = shown().values ? wedges() : "";
    save(await diagramPicture(diagram().querySelector("svg"), format, { title: named(), wedges: wedge, ...caption("diagram") }), `${stem()}-diagram.${format}`);
  }
  async function plot(name, place, format) {
    save(await plotPicture(place, format, caption(name)), `${stem()}-${name}.${format}`);
  }
  function offer(node, address, suffix, run, of = "") {
    node.toggleAttribute("aria-disabled", !address);
    node.onclick = (event) => {
      if (!address || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      if (routesBlocked()) handout.want(suffix, run, of);
      else fetchFile(base + address, say);
    };
    if (address) {
      node.setAttribute("href", base + address);
      node.setAttribute("download", "");
    } else {
      node.removeAttribute("href");
    }
  }
  function renew() {
    const { data, store, frame } = shown();
    const id = store.id && store.id !== "?" && store.frames.length ? String(store.id) : "";
    const run = id && `skipviz/runs/${id}`;
    const now = data.link ? `x=${encodeURIComponent(data.link)}` : "";
    offer(script, run ? `${run}.py` : now && `skipviz/code?${now}`, "py", id);
    offer(json, now ? `skipviz/experiment?${now}` : run && `${run}.json`, "json", now ? "" : id);
    offer(csv, run && `${run}.csv`, "csv", id);
    offer(parquet, run && `${run}.parquet`, "parquet", id);
    offer(replay, run && `${run}.html`, "html", id);
    offerWeights(store, run, id, data?.labels ?? {});
    copied.disabled = !frame;
    none.hidden = Boolean(run);
    pandas.hidden = !run || routesBlocked();
    const words = run ? `pd.read_parquet("${new URL(base + run, location.href).href}.parquet")` : "";
    if (line.textContent !== words) line.textContent = words;
    offerPictures();
  }
  /** A file of the trained weights, of several networks one each, once the run has ended. */
  function offerWeights(store, run, id, labels) {
    const names = Object.keys(store.header?.experiment?.variants ?? {});
    weights.hidden = !run || store.weights === null;
    if (weights.hidden) return;
    while (weights.children.length - 1 > names.length) weights.lastElementChild?.remove();
    for (const [index, name] of names.entries()) {
      const node = weights.children[index + 1] ?? weights.appendChild(link(""));
      const words = names.length > 1 ? labels[name] ?? name : "safetensors";
      if (node.textContent !== words) node.textContent = words;
      offer(node, weightsAddress(id, name), "safetensors", id, name);
    }
  }
  function offerPictures() {
    for (const [index, [, , place, offered]] of plots.entries()) {
      pictures[index].hidden = Boolean(offered && !offered());
      const there = place.querySelector(".js-plotly-plot, canvas");
      for (const button of rows[index].slice(1)) /** @type {any} */ (button).disabled = !there;
    }
  }
  let looking = 0;
  function show(yes) {
    if (yes) {
      renew();
      say("");
    }
    // A plot may be drawn, and a run's first frames come, only after the panel was opened.
    clearInterval(looking);
    if (yes) looking = window.setInterval(renew, 500);
    panel.hidden = !yes;
    button.setAttribute("aria-expanded", String(yes));
    if (yes) panel.querySelector("a[href], button:not(:disabled)")?.focus({ preventScroll: true });
  }
  const outside = (event) => {
    const target = /** @type {Element} */ (event.target);
    if (!panel.hidden && !panel.contains(target) && !button.contains(target)) show(false);
  };
  button.onclick = () => show(panel.hidden);
  panel.onkeydown = (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    show(false);
    button.focus();
  };
  document.addEventListener("pointerdown", outside);
  return {
    button,
    root: panel,
    take: handout.take,
    destroy() {
      clearInterval(looking);
      document.removeEventListener("pointerdown", outside);
    },
  };
}
