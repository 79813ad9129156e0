// @ts-check
// A lecturer's own tour, written in Share: a step's text, the control that it shows, and the state that it sets.
import { element } from "../common/dom.js";

const MOST_STEPS = 10;
const MOST_TEXT = 200;
// ms after the last change until Python is asked for the tour's text.
const WRITTEN = 300;

/**
 * @param {{targets: Record<string, {words: string, page: string}>, presets: [string, string][], here: () => string,
 *   layers: () => string[], ask: (command: any) => void, changed: () => void, preview: (steps: any[]) => void}} outer
 *   `here` is the text of the experiment that the page shows, `layers` are the ids of its layers
 */
export function createTourEditor(outer) {
  /** @type {{read: () => any, root: HTMLElement}[]} */
  let steps = [];
  let sent = "";
  let timer = 0;
  let made = { text: "", steps: /** @type {any[]} */ ([]) };
  const list = element("ol", { class: "sv-tour-steps" });
  const add = element("button", { type: "button", class: "sv-link", onclick: () => addStep() }, "Add a step");
  const show = element("button", { type: "button", class: "sv-link", onclick: () => outer.preview(made.steps) }, "Preview");
  const problem = element("p", { class: "sv-warn", role: "status" });
  const root = element("details", { class: "sv-leave-out sv-tour-editor" }, element("summary", {}, "A tour of your own, in the link …"), list, problem, element("div", { class: "sv-tour-buttons" }, add, show));

  function addStep() {
    const step = createStep();
    steps.push(step);
    list.append(step.root);
    step.root.querySelector("textarea").focus();
    write();
  }
  function createStep() {
    const choice = (name, options) => element("select", { "aria-label": name, onchange: () => write() }, ...options.map(([value, words]) => element("option", { value }, words)));
    const text = element("textarea", { "aria-label": "What the step says", maxlength: MOST_TEXT, rows: 2, oninput: () => write() });
    const target = choice("What the step shows", Object.entries(outer.targets).map(([name, one]) => [name, one.words]));
    const here = outer.here();
    const experiment = choice("What the step opens", [["", "Opens nothing"], ...(here ? [[here, "Opens what is here now"]] : []), ...outer.presets.map(([name, title]) => [name, `Opens ${title}`])]);
    const skips = choice("What the step switches", [["", "Skips as they are"], ["on", "All skips on"], ["off", "All skips off"]]);
    const train = element("input", { type: "number", min: 0, max: 100000, placeholder: "–", "aria-label": "Step to train to", oninput: () => write() });
    const trains = element("label", {}, "Trains to step ", train);
    const layout = choice("How the step draws it", [["", "Drawn as it is"], ["u", "Drawn as a U by scale"]]);
    const valves = (/** @type {string} */ name) => element("input", { type: "text", placeholder: "f5, f7", autocomplete: "off", "aria-label": name, oninput: () => write() });
    const [shut, opened] = [valves("Layers whose valves are shut"), valves("Layers whose valves are opened")];
    const root = element("li", {}, text, target, experiment, layout, skips, element("label", {}, "Shuts valves of ", shut), element("label", {}, "Opens valves of ", opened), trains, element("button", { type: "button", class: "sv-link", onclick: () => remove(step) }, "Remove"));
    const step = {
      root,
      read() {
        const figure = outer.targets[target.value].page === "figure";
        experiment.disabled = train.disabled = layout.disabled = figure;
        const own = experiment.value === "" || experiment.value === here;
        const found = { text: text.value, target: target.value, experiment: figure ? "" : experiment.value, skips: skips.value === "" ? null : skips.value === "on", layout: figure ? "" : layout.value, shut: layersNamed(shut.value, own), opened: layersNamed(opened.value, own) };
        return { ...found, train: figure || train.value === "" ? null : Number(train.value) };
      },
    };
    return step;
  }
  /** The ids of layers that somebody names: "f5", "f(5)" or "5"; those of the network that is here have its own. @param {string} typed @param {boolean} own */
  function layersNamed(typed, own) {
    const ids = own ? outer.layers() : [];
    return typed.split(/[\s,;]+/).filter(Boolean).map((word) => {
      const number = /^f?\(?(\d+)\)?$/i.exec(word)?.[1];
      return number ? ids[Number(number) - 1] ?? `f${number}` : word;
    });
  }
  function remove(step) {
    steps = steps.filter((one) => one !== step);
    step.root.remove();
    add.focus();
    write();
  }
  function write() {
    add.disabled = steps.length >= MOST_STEPS;
    const now = steps.map((step) => step.read());
    const whole = now.length > 0 && now.every((step) => step.text.trim());
    made = { text: "", steps: [] };
    sent = JSON.stringify(now);
    show.disabled = true;
    problem.textContent = "";
    clearTimeout(timer);
    if (whole) timer = window.setTimeout(() => outer.ask({ op: "tour", steps: now, key: sent }), WRITTEN);
    outer.changed();
  }
  show.disabled = true;
  return {
    root,
    /** The text of the tour that is written, or nothing. */
    text: () => made.text,
    /** Take what Python made of it. @param {any} answer */
    update(answer) {
      if (!answer || answer.key !== sent || !steps.length) return;
      made = { text: answer.text ?? "", steps: answer.steps ?? [] };
      problem.textContent = answer.problem ? `${answer.problem[0].toUpperCase()}${answer.problem.slice(1)}.` : "";
      show.disabled = !made.text;
    },
  };
}
