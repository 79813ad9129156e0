// @ts-check
// A claim's page: the claim as its title, its controls and Run, its picture, the verdict, what to read next.
import { element } from "../common/dom.js";
import { formatNumber, formatPercent } from "../common/numbers.js";
import { themeOf } from "../common/theme.js";
import { verdictWord } from "../common/verdict_word.js";
import { underWay } from "../frames/job.js";
import { routeTo } from "../frames/reach.js";
import { claimSeries, createClaimPlot } from "../plots/plot_claim.js";
import { sayNoPlots } from "../plots/no_plots.js";
import { loadPlotly } from "../plots/plotly_loader.js";
import { fetchFile } from "../sharing/export_files.js";

const ARXIV = /arXiv:(\d{4}\.\d{4,5})/;

/**
 * @param {HTMLElement} host @param {any} first  what Python knows of the page
 * @param {{send: (command: any) => void, say: (title: string, words: string) => void}} act
 */
export function createClaimView(host, first, act) {
  const claim = first.claim;
  let data = first;
  /** @type {import("../frames/job.js").Job | null} */
  let job = null;
  /** @type {any} */
  let plot = null;
  let ended = false;
  const fields = claim.fields.map((field) => ({ field, input: claimInput(field) }));
  const part = (tag, attributes, ...children) => element(tag, attributes, ...children);
  const run = part("button", { type: "button", class: "sv-main" }, "Run");
  const stop = part("button", { type: "button", class: "sv-button", hidden: true }, "Stop");
  const state = part("p", { class: "sv-quiet", role: "status" });
  const bar = part("div", {});
  const progress = part("div", { class: "sv-claim-progress", role: "progressbar", "aria-label": "Measured", "aria-valuemin": "0", "aria-valuemax": "100" }, bar);
  const plotHost = part("div", { class: "sv-claim-plot", role: "img", "aria-label": `${claim.chart.y} by ${claim.chart.x}` });
  const legend = part("p", { class: "sv-claim-legend" });
  const verdict = part("p", { class: "sv-claim-verdict", role: "status" });
  const open = part("button", { type: "button", class: "sv-button" }, "Open in the lab");
  const take = part("button", { type: "button", class: "sv-button" }, "CSV");
  const root = part(
    "div", { class: "sv-claim" },
    part("div", { class: "sv-claim-head" },
      part("button", { type: "button", class: "sv-button", onclick: () => act.send({ op: "claim", name: "" }) }, "All claims"),
      part("h1", {}, claim.title),
      part("p", { class: "sv-quiet" }, `${claim.who}, ${claim.year}: `, ...linked(claim.paper)),
    ),
    part("section", { class: "sv-card sv-claim-setup", "aria-label": "What is measured" },
      ...fields.map(({ field, input }) => part("label", {}, part("span", {}, field.words), input, part("span", { class: "sv-quiet" }, claimBounds(field)))),
      part("div", { class: "sv-claim-run" }, run, stop), state, progress,
    ),
    part("section", { class: "sv-card sv-claim-figure", "aria-label": "Picture" }, legend, plotHost),
    part("section", { class: "sv-card sv-claim-result", "aria-label": "Verdict" },
      verdict, part("p", { class: "sv-quiet" }, part("strong", {}, "Expected: "), claim.band), part("div", { class: "sv-claim-tools" }, open, take),
    ),
    part("section", { class: "sv-claim-next", "aria-label": "Read next" }, part("h2", {}, "Read next"), part("ul", {}, ...claim.read_next.map((line) => part("li", {}, ...linked(line))))),
  );
  host.replaceChildren(root);
  // What was typed since Run was pressed is of the next measurement.
  let typed = new Set();
  for (const { input } of fields) input.oninput = () => typed.add(input);
  const controls = () => Object.fromEntries(fields.map(({ field, input }) => [field.name, claimValue(field, input)]));
  run.onclick = () => {
    typed = new Set();
    act.send({ op: "run", claim: claim.name, controls: controls() });
  };
  stop.onclick = () => job && act.send({ op: "stop", job: job.id });
  open.onclick = () => act.send({ op: "open_lab", claim: claim.name, controls: controls() });
  take.onclick = () => job && fetchFile(routeTo(`skipviz/jobs/${job.id}.csv`), (words) => words && act.say("Table.", words));
  for (const { input } of fields) input.onkeydown = (event) => event.key === "Enter" && !run.disabled && run.click();

  function draw() {
    const measured = data.recording?.rows ?? job?.rows ?? [];
    const rows = measured.length ? measured : claim.expected;
    const said = measured.find((row) => "sentence" in row);
    const going = underWay(job);
    run.hidden = going;
    stop.hidden = !going || !job?.mine;
    state.textContent = data.recording ? `A recording, made with torch ${data.recording.torch} on ${data.recording.date}. Run measures it here.` : claimStateWords(job, data.job?.date);
    progress.hidden = !going;
    bar.style.width = `${100 * (job?.progress ?? 0)}%`;
    progress.setAttribute("aria-valuenow", String(Math.round(100 * (job?.progress ?? 0))));
    take.disabled = !job?.rows.length;
    verdict.dataset.holds = String(said?.holds);
    verdict.replaceChildren(...(said ? [element("strong", {}, verdictWord(said.holds)), " ", said.sentence] : [going ? "The verdict comes with the last point." : "Not measured to its end: press Run."]));
    plot?.update({ rows, chart: claim.chart, theme: themeOf(host) });
    if (plot) legend.replaceChildren(...claimLegend(rows, plot.look().figure.layout.meta.series));
  }
  loadPlotly(first.plotly).then(
    (Plotly) => {
      if (ended) return;
      plot = createClaimPlot(Plotly, plotHost, first.figures.claim);
      draw();
    },
    () => sayNoPlots([plotHost]),
  );
  return {
    name: claim.name,
    /** @param {any} next  what Python knows now */
    update(next) {
      const before = data.job?.id;
      data = next;
      if (next.job && (next.job.id !== before || !job)) {
        for (const { field, input } of fields) if (!typed.has(input)) input.value = String(next.job.controls[field.name] ?? field.default);
      }
      if (!next.job) job = null;
      draw();
    },
    /** @param {import("../frames/job.js").Job} now */
    follow(now) {
      job = now;
      draw();
    },
    destroy() {
      ended = true;
      plot?.destroy();
      host.replaceChildren();
    },
  };
}

/** A control's field. @param {any} field */
function claimInput(field) {
  if (field.options.length) return element("select", {}, ...field.options.map((option) => element("option", { value: String(option), selected: option === field.default }, String(option))));
  return element("input", { type: "text", inputmode: field.type === "integer" ? "numeric" : "decimal", value: String(field.default) });
}

/** What is chosen: a choice as Python has it, a number as it was typed. @param {any} field @param {any} input */
function claimValue(field, input) {
  return field.options.length ? field.options[input.selectedIndex] : input.value.trim();
}

/** @param {any} field */
function claimBounds(field) {
  return field.bounds ? `${field.says}, ${field.bounds[0]} to ${field.bounds[1]}` : field.says;
}

/** Text in which the papers' numbers lead to them. @param {string} text */
function linked(text) {
  return text.split(/(arXiv:\d{4}\.\d{4,5})/).map((piece) => {
    const found = ARXIV.exec(piece);
    return found ? element("a", { href: `https://arxiv.org/abs/${found[1]}`, target: "_blank", rel: "noreferrer" }, piece) : piece;
  });
}

/** The series by their colours; and what is dashed and shaded, where anything is. @param {any[]} rows @param {string[]} colours */
function claimLegend(rows, colours) {
  const series = [...claimSeries(rows).keys()];
  const has = (...names) => rows.some((row) => names.some((name) => typeof row[name] === "number"));
  const key = (sign, words) => element("span", { class: "sv-claim-key" }, element("i", sign), words);
  return [
    ...series.map((name, place) => key({ style: `background:${colours[place % colours.length]}` }, name)),
    ...(has("predicted") ? [key({ class: "predicted" }, "predicted")] : []),
    ...(has("low", "high") ? [key({ class: "band" }, "where it is expected")] : []),
  ];
}

/** Where a measurement stands. @param {import("../frames/job.js").Job | null} job @param {string | undefined} date */
function claimStateWords(job, date) {
  if (!job) return "";
  const reason = job.reason ? `: ${job.reason}` : "";
  const words = {
    queued: job.ahead ? `Waits for ${job.ahead} before it.` : "Begins.",
    running: `Measures: ${formatPercent(job.progress)}.`,
    finished: `Measured by this server${date ? ` on ${date}` : ""}, in ${formatNumber(job.seconds)} s.`,
    stopped: `Stopped at ${formatPercent(job.progress)}${reason}.`,
    failed: `Failed${reason}.`,
  };
  return words[job.state] ?? "";
}
