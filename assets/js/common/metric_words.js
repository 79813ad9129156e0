// @ts-check
// A metric's name and how its values are written: a share in percent, an overlap as a number up to 1; and a held-out loss.
import { formatNumber } from "./numbers.js";

/* global KINDS */

/** A metric's name, its words, and whether it is a share. @param {string} metric  @returns {[string, string, boolean]} */
const metricKind = (metric) => KINDS.metric.find((/** @type {any} */ [name]) => name === metric) ?? [metric, metric, true];

/** @param {string} metric */
export function metricName(metric) {
  return metricKind(metric)[1];
}

/**
 * @param {number | null | undefined} value
 * @param {string} metric
 */
export function metricWord(value, metric) {
  if (value === null || value === undefined) return "–";
  return metricKind(metric)[2] ? `${(100 * value).toFixed(1)} %` : value.toFixed(2).replace("-", "−");
}

/**
 * When a held-out number was taken, which may be before the frame that it stands beside.
 * @param {number | null | undefined} step
 */
export function atStep(step) {
  return step === null || step === undefined ? "" : ` at step ${step}`;
}

/**
 * The loss on held-out batches behind the batch's own, where there is one.
 * @param {any} measured the frame that has it
 * @param {string} variant
 * @param {boolean} [dated]  whether its step is said, which the metric beside it says too
 */
export function heldOutLossWords(measured, variant, dated = true) {
  const loss = measured?.variants[variant]?.held_out_loss;
  return typeof loss === "number" ? `, held out ${formatNumber(loss)}${dated ? atStep(measured.step) : ""}` : "";
}

// Classes of which the largest has more than this many times the samples of the smallest are unequal: an accuracy flatters there.
const EQUAL = 1.5;

/** @param {any} header a run's  @returns {boolean} */
export function isUnequal(header) {
  const counts = (header?.class_counts ?? []).filter(Boolean);
  return counts.length > 1 && Math.max(...counts) > EQUAL * Math.min(...counts);
}

/**
 * What is said beside a held-out accuracy where classes are unequal, or nothing.
 * @param {any} header
 * @param {any} values one network's part of the frame that holds the accuracy
 */
export function balancedWords(header, values) {
  const share = values?.balanced_accuracy;
  return isUnequal(header) && typeof share === "number" ? `, balanced ${metricWord(share, "accuracy")}` : "";
}

/**
 * Every class's share that is predicted right, a line each; nothing where classes are equal.
 * @param {any} header
 * @param {any} values
 */
export function recallLines(header, values) {
  if (!isUnequal(header) || !values?.recall) return [];
  return values.recall.map((share, index) => `${header.classes?.[index] ?? `class ${index}`}: ${share === null ? "none held out" : `${metricWord(share, "accuracy")} right`}`);
}

/** What stands at half and at the whole of its scale. @param {string} metric */
export function metricScaleWords(metric) {
  return metricKind(metric)[2] ? ["50 %", "100 %"] : ["0.5", "1"];
}
