// @ts-check
// What a picture's caption says of the run it shows: network, task, training, seed, step, what was done meanwhile, its link.
import { withSwitches } from "../diagram/diagram_switches.js";
import { eventWords } from "../common/event_words.js";

// Letters of an experiment's link that a picture has room for; past them the run's stands there, where there is one.
const LINK_SHORT = 180;
// Events that a caption names; a person who plays makes dozens.
const NAMED = 3;

/** @param {{data: any, store: any, frame: any}} shown @returns {string[]} */
export function captionLines({ data, store, frame }) {
  const network = frame && store.frames.length ? withSwitches(data.network, store.switchesAt(frame, data.variant)) : data.network;
  const { depth, skips_total: total, skips_on: on, note, parameters } = network;
  const skips = total ? `${on} of ${total} skips on` : "no skips";
  const step = frame ? `step ${frame.step}` : "not measured";
  const done = store.events.filter((one) => frame && one.step <= frame.step);
  const words = done.slice(0, NAMED).map((one) => `${eventWords(one.event, data.network)} at ${one.step}`);
  const more = done.length > NAMED ? ` and ${done.length - NAMED} more` : "";
  return [
    `${[`${depth} layer${depth === 1 ? "" : "s"}`, skips, note, `${parameters.toLocaleString("en")} parameters`].filter(Boolean).join(", ")}.`,
    `Task: ${data.task}. ${[data.recipe, step].filter(Boolean).join(", ")}.`,
    ...(words.length ? [`While training: ${words.join(", ")}${more}.`] : []),
  ];
}

/** Where the picture comes from: the experiment where a short link holds it, else the run. @param {{data: any, store: any}} shown */
export function captionLink({ data, store }) {
  const run = store.id && store.id !== "?" ? `run=${store.id}` : "";
  const query = data.link && (data.link.length <= LINK_SHORT || !run) ? `x=${data.link}` : run;
  return query ? new URL(`lab?${query}`, location.href.replace(/[^/]*$/, "")).href : "";
}
