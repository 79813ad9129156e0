// @ts-check
// Where bars will stand, why they do not yet: a run's place in line and when it will start, or that nothing could be measured.
import { element, writeText } from "../common/dom.js";
import { queueLines } from "../common/run_words.js";

/**
 * @param {HTMLElement} host  positioned; the notice covers the part beside the diagram
 * @returns {(store: any, problem?: string | null) => void} shows or hides it; `problem` says why nothing was measured before a run
 */
export function createQueueNotice(host) {
  const place = element("strong", {});
  const wait = element("span", {});
  const root = element("div", { class: "sv-queue-notice", role: "status", hidden: true }, place, wait);
  host.append(root);
  return (store, problem) => {
    const queued = store.state === "queued";
    root.hidden = store.frames.length > 0 || !(queued || (problem && store.state === "ready"));
    if (root.hidden) return;
    const [first, second] = queued ? queueLines(store) : ["Not measured", problem ?? ""];
    writeText(place, first);
    writeText(wait, second);
  };
}
