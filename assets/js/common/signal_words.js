// @ts-check
// What a state holds, in words: how much of it is exactly 0, its largest magnitude, and where float16 would end.
import { formatNumber, formatPercent } from "./numbers.js";

// The largest number of float16.
const FLOAT16_LARGEST = 65504;

/**
 * Lines on one state; none of a frame from before they were measured.
 * @param {any} values  one variant's part of a frame @param {number} k  the state's place, from 0 @param {string} whose  "its outputs"
 * @returns {string[]}
 */
export function signalLines(values, k, whose) {
  const [largest, zeros, dead] = ["state_max", "state_zeros", "state_dead"].map((field) => values?.[field]?.[k] ?? null);
  if (largest === null) return [];
  const units = dead > 0 ? `; dead units, 0 for the whole batch: ${formatPercent(dead)}` : "";
  return [
    ...(zeros > 0 ? [`${formatPercent(zeros)} of ${whose} are exactly 0${units}`] : []),
    `largest magnitude ${formatNumber(largest)}${largest > FLOAT16_LARGEST ? `: would overflow float16, which ends at ${FLOAT16_LARGEST.toLocaleString("en")}` : ""}`,
  ];
}

/** Whose numbers the state behind a layer has: where skips land they are not the layer's alone. @param {any} network @param {any} layer */
export function stateOwner(network, layer) {
  return network.skips.some((/** @type {any} */ skip) => skip.target === layer.k) ? `the elements of h(${layer.k})` : "its outputs";
}

/**
 * Where float16 would end first, in a sentence; empty where it holds everything, or where not even float32 does.
 * @param {any} values @param {any} network
 */
export function overflowWords(values, network) {
  if (values?.first_broken) return "";
  const layer = network.layers.find((/** @type {any} */ one) => values?.state_max?.[one.k] > FLOAT16_LARGEST);
  return layer ? `f(${layer.k}) would overflow float16, so the network has to be computed in float32 or bfloat16.` : "";
}
