// @ts-check
// An event in the few words that stand beside its mark.
import { formatNumber } from "./numbers.js";
import { partsOf } from "./parts.js";

/* global KINDS */

/**
 * @param {any} event
 * @param {any} network  names the parts
 * @returns {string}
 */
export function eventWords(event, network) {
  if (event.kind === "clip") return clipWords(event);
  if (event.kind === "moved") return "on elsewhere, as its machine was gone";
  const words = KINDS.event.find(([name]) => name === event.kind)?.[1];
  if (words) return words.replace(/{(\w+)}/g, (_, field) => (Number.isInteger(event[field]) ? event[field].toLocaleString("en") : formatNumber(event[field])));
  const name = eventPart(event, network);
  if (event.on === true) return `${name} on`;
  if (event.on === false) return `${name} off`;
  if (event.strength !== undefined && event.strength !== null) return `${name} ×${formatNumber(event.strength)}`;
  if (event.gain !== undefined && event.gain !== null) return `${name} gain ×${formatNumber(event.gain)}`;
  return name;
}

function eventPart(event, network) {
  const count = event.ids.length;
  if (count > 1) return count === network[`${event.kind}s`].length ? `all ${event.kind}s` : `${count} ${event.kind}s`;
  const part = partsOf(network, event.kind).find((one) => one.id === event.ids[0]);
  if (!part) return event.ids[0];
  if (part.name) return part.name;
  return event.kind === "skip" ? `${part.source}→${part.target}` : `f(${part.k})`;
}

/** @param {any} event */
function clipWords({ clip_norm: norm, clip_value: value }) {
  const parts = [norm ? `norm ≤ ${formatNumber(norm)}` : "", value ? `elements ≤ ${formatNumber(value)}` : ""].filter(Boolean);
  return parts.length ? `clip ${parts.join(", ")}` : "no clipping";
}

/** The class of an event's mark: on, off, strength, gain, or the kind of what changes the training. @param {any} event @returns {string} */
export function eventMark(event) {
  if (event.kind === "moved" || KINDS.event.some(([name]) => name === event.kind)) return event.kind;
  if (event.on === true) return "on";
  if (event.on === false) return "off";
  return event.gain !== undefined && event.gain !== null ? "gain" : "strength";
}

/** The character that is the mark of what changes the training. @param {any} event @returns {string | undefined} */
export function eventSign(event) {
  return event.kind === "moved" ? "↷" : KINDS.event.find(([name]) => name === event.kind)?.[2];
}
