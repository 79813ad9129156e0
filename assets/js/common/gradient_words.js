// @ts-check
// What a gradient's number is where it misleads: zeros that are none, rounding, and what is broken before the first step.
import { inForce } from "./in_force.js";
import { formatNumber, raised } from "./numbers.js";

/** Below this float32 has no number. */
const FLOAT32_ENDS = `10${raised(-38)}`;

/** What each of a frame's marks means, for a legend. */
export const MARK_MEANING = {
  underflow: `< ${FLOAT32_ENDS}: underflow, too small for float32 though a path leads to the loss`,
  blocked: "0, blocked: a path leads to the loss, but its units are off or saturated, or a factor on it is 0",
  rounding: "≈: rounding, what is left of parts that cancel",
};

/**
 * The mark of one place of a frame's list, or nothing.
 * @param {any} values  one variant's part of a frame @param {string} field @param {number} index
 * @returns {"underflow" | "blocked" | "rounding" | ""}
 */
export function gradientMark(values, field, index) {
  const found = Object.keys(MARK_MEANING).find((mark) => values?.[mark]?.[field.replace("_mean", "")]?.includes(index));
  return /** @type {any} */ (found ?? "");
}

/**
 * A number with its mark: `< 10⁻³⁸`, `0, blocked`, `≈ 1.8·10⁻⁹`.
 * @param {number | null | undefined} value @param {string} mark
 */
export function markedNumber(value, mark) {
  if (mark === "underflow") return `< ${FLOAT32_ENDS}`;
  if (mark === "blocked") return "0, blocked";
  return mark === "rounding" ? `≈ ${formatNumber(value)}` : formatNumber(value);
}

/** @param {any} values @param {string} field @param {number} index */
export const gradientAt = (values, field, index) => markedNumber(values?.[field]?.[index], gradientMark(values, field, index));

/**
 * Why a gradient is 0, or why its number says nothing; empty where it says what it seems to.
 * @param {any} values @param {string} field @param {number} index
 * @param {any} [part]  the skip, edge, layer or box that it is a gradient of, where that may be off
 */
export function markSentence(values, field, index, part = null) {
  const mark = gradientMark(values, field, index);
  if (mark === "underflow") return `Underflow: a path leads to the loss, but float32 ends at ${FLOAT32_ENDS}`;
  if (mark === "blocked") return "Blocked: a path leads to the loss, but its units are off or saturated, or a factor on it is 0";
  if (mark === "rounding") return "Rounding: its parts cancel, and this is the error of adding them";
  // Frames from before there were marks have no means either.
  const known = values?.state_grad_mean !== undefined && !values.nonfinite?.length && field.includes("_grad");
  if (!known || values[field]?.[index] !== 0) return "";
  if (part && !inForce(part)) return `${part.on ? "Strength 0" : "Off"}: it has no part in the forward or the backward pass`;
  return "No path: nothing in force leads from here to the loss";
}

/** The marks that a frame has. @param {any} values */
export const marksOf = (values) => Object.keys(MARK_MEANING).filter((mark) => values?.[mark]);

/**
 * What is not finite before the first step, in a sentence; empty where all is finite.
 * @param {any} values  one variant's part of a frame @param {any} network
 */
export function brokenWords(values, network) {
  if (values?.first_broken) {
    const layer = network.layers.find((one) => one.id === values.first_broken);
    const where = layer ? `f(${layer.k}) is the first whose output is not finite` : "The loss is not finite, though every layer’s output is";
    return `${where}: nothing can be learned. Smaller initial weights or a norm keep it finite.`;
  }
  const places = (values?.nonfinite ?? []).filter((name) => name.startsWith("weight_grad:")).map((name) => name.slice("weight_grad:".length));
  const layers = network.layers.filter((one) => places.includes(one.id)).map((one) => one.k);
  if (!layers.length) return "";
  return `The gradient is not finite at f(${Math.max(...layers)}), the first on its way down: a step breaks the weights. Smaller initial weights or a norm keep it finite.`;
}
