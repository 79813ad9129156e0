// @ts-check
// A metric's name and how its values are written: a share in percent, an overlap as a number up to 1.

/** @type {Record<string, string>} */
const METRIC_NAMES = { accuracy: "Accuracy", exact: "Exact match", iou: "IoU", mean_iou: "Mean IoU", r2: "R²" };
const NUMBERED_METRICS = ["iou", "mean_iou", "r2"];

/** @param {string} metric */
export function metricName(metric) {
  return METRIC_NAMES[metric] ?? metric;
}

/**
 * @param {number | null | undefined} value
 * @param {string} metric
 */
export function metricWord(value, metric) {
  if (value === null || value === undefined) return "–";
  return NUMBERED_METRICS.includes(metric) ? value.toFixed(2).replace("-", "−") : `${(100 * value).toFixed(1)} %`;
}

/** What stands at half and at the whole of its scale. @param {string} metric */
export function metricScaleWords(metric) {
  return NUMBERED_METRICS.includes(metric) ? ["0.5", "1"] : ["50 %", "100 %"];
}
