// @ts-check
// An event in the few words that stand beside its mark.
import { formatNumber } from "./numbers.js";

/** @param {any} event @returns {string} */
export function eventWords(event) {
  const many = event.ids && event.ids.length > 1;
  const name = event.ids ? (many ? (event.all ? "all skips" : `${event.ids.length} ${event.kind}s`) : event.names?.[0] || event.ids[0]) : "";
  if (event.kind === "rate") return `rate ${formatNumber(event.learning_rate)}`;
  if (event.on === true) return `${name} on`;
  if (event.on === false) return `${name} off`;
  if (event.strength !== undefined && event.strength !== null) return `${name} ×${formatNumber(event.strength)}`;
  if (event.gain !== undefined && event.gain !== null) return `${name} gain ×${formatNumber(event.gain)}`;
  return name;
}

/** The class of an event's mark: on, off, strength, gain or rate. @param {any} event @returns {string} */
export function eventMark(event) {
  if (event.kind === "rate") return "rate";
  if (event.on === true) return "on";
  if (event.on === false) return "off";
  return event.gain !== undefined && event.gain !== null ? "gain" : "strength";
}
