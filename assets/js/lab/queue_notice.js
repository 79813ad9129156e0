// @ts-check
// Where a run's bars will stand while it waits in line: its place, and when it will start.
import { element } from "../common/dom.js";
import { queueLines } from "../common/run_words.js";

/**
 * @param {HTMLElement} host  positioned; the notice covers the part beside the diagram
 * @returns {(store: any) => void} shows or hides it
 */
export function createQueueNotice(host) {
  const place = element("strong", {});
  const wait = element("span", {});
  const root = element("div", { class: "sv-queue-notice", role: "status", hidden: true }, place, wait);
  host.append(root);
  return (store) => {
    root.hidden = store.state !== "queued" || store.frames.length > 0;
    if (root.hidden) return;
    const [first, second] = queueLines(store);
    if (place.textContent !== first) place.textContent = first;
    if (wait.textContent !== second) wait.textContent = second;
  };
}
