// @ts-check
// One run in the list: its pictures, its title that can be written over, its numbers, what can be done with it.
import { element, iconButton, parseSvg } from "../common/dom.js";
import { atStep, metricName, metricWord } from "../common/metric_words.js";
import { formatNumber } from "../common/numbers.js";
import { weightsAddress } from "../sharing/export_files.js";
import { runPicture } from "./run_picture.js";
import { LETTERS } from "../lab/comparison.js";
import { agoWords, exactWords, networkWords, runStateWords, sizeWords } from "./run_facts.js";

/** What one network reached last, in two lines. @param {any} reached @param {string} metric  its name */
function lastNumbers({ loss, held_out: held, held_out_step: step }, metric) {
  return [
    element("div", {}, "Loss ", element("strong", {}, formatNumber(loss))),
    element("div", { class: "sv-metric" }, ...(metric ? [`${metricName(metric)} `, element("strong", {}, metricWord(held, metric)), atStep(step)] : [])),
  ];
}

/**
 * @param {any} first  the run's facts
 * @param {number} longest  characters of a title, to which the server holds too
 * @param {{open: (run: string) => void, rename: (run: string, title: string) => void, unnamed: () => void, resume: (run: string) => void, remove: (run: string) => void, pick: (run: string, on: boolean) => void, take: (address: string) => void}} act
 */
export function createRunRow(first, longest, act) {
  let run = first;
  let pictured = "";
  let editing = false;
  const pick = element("input", { type: "checkbox", onchange: () => act.pick(run.id, pick.checked) });
  const network = element("div", { class: "sv-run-network" });
  const history = element("div", { class: "sv-run-history" });
  const address = () => `lab?run=${encodeURIComponent(run.id)}`;
  /** @param {MouseEvent} event */
  function follow(event) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    act.open(run.id);
  }
  const picture = element("a", { class: "sv-run-picture", href: address(), tabindex: "-1", "aria-hidden": "true", "data-acts": true, onclick: follow }, network, history);
  const title = element("button", { type: "button", class: "sv-run-title", onclick: () => edit() });
  const heading = element("h2", {}, title);
  const words = element("p", { class: "sv-quiet sv-run-words" });
  const state = element("span", { class: "sv-state" });
  const steps = element("span", { title: "Steps taken. The lab counts the numbers that it shows from step 0, so that the last ones stand at one less." });
  const progress = element("div", { class: "sv-run-progress" }, element("i", {}));
  const numbers = element("div", { class: "sv-run-numbers" });
  const when = element("time", {});
  const size = element("span", { class: "sv-quiet" });
  const weights = element("span", { class: "sv-quiet sv-run-weights" });
  const open = element("a", { class: "sv-button", href: address(), "data-acts": true, onclick: follow }, "Open");
  const resume = element("button", { type: "button", class: "sv-button", onclick: () => act.resume(run.id) }, "Resume");
  const rename = iconButton("pencil", "Rename", () => edit(), "sv-bare");
  const remove = iconButton("bin", "Delete", () => act.remove(run.id), "sv-bare");
  const root = element(
    "li", { class: "sv-run" },
    element("label", { class: "sv-run-pick", title: "Choose for side by side" }, pick),
    picture,
    element("div", { class: "sv-run-name" }, heading, words),
    element("div", { class: "sv-run-state" }, state, steps, progress),
    numbers,
    element("div", { class: "sv-run-when" }, when, size, weights),
    element("div", { class: "sv-run-actions" }, resume, open, rename, remove),
  );

  function edit() {
    if (editing) return;
    editing = true;
    const field = element("input", { type: "text", class: "sv-run-field", maxlength: longest, "aria-label": "New name of this run" });
    field.value = run.title;
    /** @param {boolean} save */
    function end(save) {
      if (!editing) return;
      editing = false;
      const wanted = field.value.trim();
      if (save && wanted && wanted !== run.title) {
        run = { ...run, title: wanted };
        act.rename(run.id, wanted);
      }
      if (save && !wanted) act.unnamed();
      heading.replaceChildren(title);
      write(run);
    }
    field.onkeydown = (/** @type {KeyboardEvent} */ event) => {
      if ((event.key !== "Enter" && event.key !== "Escape") || event.isComposing) return;
      event.preventDefault();
      event.stopPropagation();
      end(event.key === "Enter");
      title.focus();
    };
    field.onblur = () => end(true);
    heading.replaceChildren(field);
    field.focus();
    field.select();
  }

  /** @param {any} next */
  function write(next) {
    run = next;
    root.dataset.run = run.id;
    title.textContent = run.title;
    title.title = run.title;
    pick.setAttribute("aria-label", `Choose ${run.title} for side by side`);
    root.setAttribute("aria-label", run.title);
    words.textContent = networkWords(run);
    words.title = words.textContent;
    const [kind, sentence] = runStateWords(run);
    state.dataset.kind = kind;
    state.textContent = sentence;
    state.title = run.reason || sentence;
    steps.textContent = `${run.step.toLocaleString("en")} / ${run.steps.toLocaleString("en")}`;
    progress.style.setProperty("--done", `${(100 * run.step) / Math.max(1, run.steps)}%`);
    numbers.replaceChildren(...(run.reached.length > 1 ? run.reached.map(resultOf) : lastNumbers(run.reached[0], run.metric)));
    when.dateTime = new Date(run.created * 1000).toISOString();
    when.title = exactWords(run.created);
    size.textContent = sizeWords(run.bytes);
    resume.hidden = !run.resumable;
    writeWeights();
  }
  /** What one of several networks reached, in a line. @param {any} reached @param {number} index */
  function resultOf(reached, index) {
    const letter = LETTERS[index];
    const words = lastNumbers(reached, run.metric);
    const line = element("div", { class: "sv-run-result", title: `${letter}, ${reached.label}: ${words.map((part) => part.textContent).join(", ")}` });
    line.append(element("strong", { class: `sv-letter ${letter}` }, letter), element("span", {}, formatNumber(reached.loss)), element("span", { class: "sv-metric" }, metricWord(reached.held_out, run.metric)));
    return line;
  }
  /** Links to the trained weights, of several networks one each. */
  function writeWeights() {
    const names = run.weights ? run.variants : [];
    const key = names.map((name, index) => `${name} ${run.labels[index]}`).join();
    if (weights.dataset.names === key) return;
    weights.dataset.names = key;
    weights.replaceChildren(...names.map((name, index) => {
      const words = names.length > 1 ? run.labels[index] : "Weights";
      const label = `Trained weights of ${names.length > 1 ? words : "this run"} as safetensors`;
      return element("button", { type: "button", class: "sv-link", title: label, "aria-label": label, onclick: () => act.take(weightsAddress(run.id, name)) }, words);
    }));
    if (names.length > 1) weights.prepend("Weights ");
  }
  write(first);

  return {
    root,
    facts: () => run,
    focus: () => title.focus({ preventScroll: true }),
    /** @param {any} next  its facts now */
    update: (next) => !editing && write(next),
    /** @param {any} card  `svg` and `history` @param {string[]} ramp */
    paint(card, ramp) {
      const key = JSON.stringify([card.svg, card.history, ramp[0]]);
      if (key === pictured) return;
      pictured = key;
      network.replaceChildren(parseSvg(card.svg));
      history.replaceChildren(runPicture(card.history, ramp));
    },
    /** @param {number} now  seconds since 1970 */
    age(now) {
      when.textContent = agoWords(run.created, now);
    },
    /** @param {boolean} on */
    picked(on) {
      pick.checked = on;
      root.classList.toggle("picked", on);
    },
  };
}
