// @ts-check
// What a list says of a run in few words: when, how large, in which state, of what network.
import { stateWords } from "../common/run_words.js";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * How long ago, as a person says it; from two days on the date.
 * @param {number} created  seconds since 1970
 * @param {number} now  likewise
 * @returns {string}
 */
export function agoWords(created, now) {
  const seconds = Math.max(0, now - created);
  if (seconds < 45) return "just now";
  if (seconds < 50 * MINUTE) return `${Math.max(1, Math.round(seconds / MINUTE))} min ago`;
  if (seconds < 22 * HOUR) return `${Math.max(1, Math.round(seconds / HOUR))} h ago`;
  const date = new Date(created * 1000);
  if (seconds < 2 * DAY) return `${sameDay(date, new Date((now - DAY) * 1000)) ? "yesterday" : weekday(date)} ${clock(date)}`;
  const year = date.getFullYear() === new Date(now * 1000).getFullYear() ? undefined : "numeric";
  return date.toLocaleDateString("en-GB", { day: "numeric", month: "short", year: /** @type {any} */ (year) });
}

/** The whole date and time. @param {number} created */
export function exactWords(created) {
  return new Date(created * 1000).toLocaleString("en-GB", { weekday: "long", day: "numeric", month: "long", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" });
}

/** @param {number} bytes */
export function sizeWords(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 999_500) return `${Math.round(bytes / 1000)} kB`;
  const millions = bytes / 1e6;
  return millions < 999.5 ? `${millions.toFixed(millions < 9.95 ? 1 : 0)} MB` : `${(millions / 1000).toFixed(1)} GB`;
}

/**
 * The kind of dot and the words for a run's state.
 * @param {any} run  facts of a list
 * @returns {string[]}
 */
export function runStateWords(run) {
  return stateWords({ frames: [], diverged: {}, ahead: null, ...run }, true, null);
}

/** Its network and task. @param {any} run */
export function networkWords(run) {
  const layers = `${run.depth} layer${run.depth === 1 ? "" : "s"}`;
  const { skips_total: total, skips_on: on } = run;
  const skips = total === 0 ? "no skips" : on === total ? `${total} skip${total === 1 ? "" : "s"}` : `${on} of ${total} skips on`;
  const variants = run.variants.length > 1 ? `${run.variants.length} networks: ${run.labels.join(", ")}` : "";
  return [variants, layers, skips, run.task, `${run.parameters.toLocaleString("en")} parameters`].filter(Boolean).join(" · ");
}

/** @param {Date} one @param {Date} other */
function sameDay(one, other) {
  return one.toDateString() === other.toDateString();
}

/** @param {Date} date */
function clock(date) {
  return date.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
}

/** @param {Date} date */
function weekday(date) {
  return date.toLocaleDateString("en-GB", { weekday: "long" });
}
