// @ts-check
// An experiment's JSON dropped anywhere on the lab, or chosen as a file, opens it; what is no experiment gets a sentence.
import { element } from "../common/dom.js";

// Bytes of a file, and characters of what is sent: what `skipviz.tasks.experiment` takes.
const MOST = 4_000_000;
const REFUSED = "This file does not open.";

/**
 * @param {File} file
 * @param {(text: string) => void} open
 * @param {(title: string, sentence: string) => void} refuse
 */
async function readExperiment(file, open, refuse) {
  if (file.size > MOST) return refuse(REFUSED, `It has ${Math.ceil(file.size / 1e6)} MB, and an experiment has at most ${MOST / 1e6} MB.`);
  const text = await file.text();
  try {
    open(JSON.stringify(JSON.parse(text)));
  } catch {
    refuse(REFUSED, `${file.name.slice(0, 80)} is not JSON: export an experiment as JSON and open that.`);
  }
}

/** Let a person choose a file. @param {(text: string) => void} open @param {(title: string, sentence: string) => void} refuse */
export function pickFile(open, refuse) {
  const input = element("input", { type: "file", accept: ".json,application/json", "aria-label": "An experiment's JSON file" });
  input.onchange = () => input.files?.[0] && readExperiment(input.files[0], open, refuse);
  input.click();
}

/**
 * Take files that are dropped on the page, but not on an upload's own place.
 * @param {HTMLElement} host @param {(text: string) => void} open @param {(title: string, sentence: string) => void} refuse
 */
export function createFileDrop(host, open, refuse) {
  const hint = element("div", { class: "sv-drop-hint", hidden: true }, element("strong", {}, "Drop an experiment's JSON"), element("span", {}, "It opens here; undo brings back what you have now."));
  host.append(hint);
  let timer = 0;
  const ours = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files") && !event.target?.closest?.('[data-testid="stFileUploader"]');
  const over = (event) => {
    if (!ours(event)) return;
    event.preventDefault();
    hint.hidden = false;
    // While something is dragged over the page this is heard all the time; when it leaves, no longer.
    clearTimeout(timer);
    timer = window.setTimeout(() => (hint.hidden = true), 400);
  };
  const drop = (event) => {
    if (!ours(event)) return;
    event.preventDefault();
    hint.hidden = true;
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length === 1) readExperiment(files[0], open, refuse);
    else refuse(REFUSED, "Drop one file at a time.");
  };
  document.addEventListener("dragover", over);
  document.addEventListener("drop", drop);
  return {
    destroy() {
      clearTimeout(timer);
      document.removeEventListener("dragover", over);
      document.removeEventListener("drop", drop);
    },
  };
}
