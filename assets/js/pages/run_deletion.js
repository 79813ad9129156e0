// @ts-check
// Deleting with a way back: what is to go is hidden at once, and goes after some seconds unless it is called back.
import { element } from "../common/dom.js";

// Seconds in which a deletion can be undone.
const UNDO_SECONDS = 8;
const STILL_GOING = ["queued", "running", "paused"];

/**
 * Leaving the page before the seconds are over deletes nothing: what was not surely meant is kept.
 * @param {HTMLElement} host
 * @param {(runs: string[]) => void} remove
 * @param {(first: string | null) => void} changed  what is hidden has changed; the first run that is back, for the focus
 */
export function createRunDeletion(host, remove, changed) {
  /** @type {Map<string, any>} runs that wait to go, and those that are going */
  const waiting = new Map();
  /** @type {Set<string>} */
  const going = new Set();
  let timer = 0;
  let left = 0;
  const words = element("span", { role: "status" });
  const seconds = element("span", { class: "sv-quiet" });
  const undo = element("button", { type: "button", class: "sv-link", onclick: () => callBack() }, "Undo");
  const root = element("div", { class: "sv-toast sv-undo-toast", hidden: true }, words, seconds, undo);
  host.append(root);

  function write() {
    const runs = [...waiting.values()];
    root.hidden = runs.length === 0;
    const what = runs.length === 1 ? `“${shortened(runs[0].title)}”` : `${runs.length} runs`;
    const how = runs.some((run) => STILL_GOING.includes(run.state)) ? "will be stopped and deleted" : "will be deleted";
    const sentence = `${what} ${how}.`;
    if (words.textContent !== sentence) words.textContent = sentence;
    seconds.textContent = `${left} s`;
  }
  function tick() {
    left -= 1;
    if (left > 0) {
      timer = window.setTimeout(tick, 1000);
      return write();
    }
    const ids = [...waiting.keys()];
    for (const id of ids) going.add(id);
    waiting.clear();
    write();
    remove(ids);
  }
  function callBack() {
    clearTimeout(timer);
    const [first] = waiting.keys();
    const focused = root.contains(document.activeElement);
    waiting.clear();
    write();
    changed(focused ? first : null);
  }
  return {
    /** @param {any} run */
    add(run) {
      if (!run) return;
      clearTimeout(timer);
      waiting.set(run.id, run);
      left = UNDO_SECONDS;
      timer = window.setTimeout(tick, 1000);
      write();
      if (!root.contains(document.activeElement)) undo.focus({ preventScroll: true });
    },
    /** @param {string} id */
    has: (id) => waiting.has(id) || going.has(id),
    /** Python has answered: what it still lists was not deleted. @param {string[]} listed */
    settle(listed) {
      for (const id of [...going]) if (listed.includes(id)) going.delete(id);
      for (const id of [...waiting.keys()]) if (!listed.includes(id)) waiting.delete(id);
      write();
    },
    destroy() {
      clearTimeout(timer);
    },
  };
}

/** @param {string} title */
function shortened(title) {
  return title.length > 40 ? `${title.slice(0, 39)}…` : title;
}
