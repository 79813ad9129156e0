// @ts-check
// What is said of a run before it starts: how long a step and the whole take, and how much memory.

/** Seconds from which a person notices that a change waits for the next step. */
const LONG_STEP = 0.7;

/**
 * One sentence before a start, and of a run under way with the steps that are left.
 * @param {{seconds: number, memory_mb: number, measured?: boolean}} estimate @param {number} steps @param {number | null} speed  steps a second asked for
 * @param {boolean} [left]  whether it is of a run under way, whose state says by itself that a step takes long
 */
export function estimateWords(estimate, steps, speed, left = false) {
  const whole = steps * Math.max(estimate.seconds, speed ? 1 / speed : 0);
  const memory = estimate.memory_mb >= 1024 ? `${(estimate.memory_mb / 1024).toFixed(1)} GB` : `${estimate.memory_mb} MB`;
  const total = `${durationWords(whole)} for ${steps === 1 ? "one step" : `${steps.toLocaleString("en")} steps`}${left ? " left" : ""}, ${memory}`;
  if (estimate.seconds >= LONG_STEP && !left) return `A step takes ${estimate.measured ? "" : "about "}${durationWords(estimate.seconds)}${estimate.measured ? ", measured" : ""}; a change shows at the next one. ${total}`;
  return estimate.measured ? `${durationWords(estimate.seconds)} a step, measured; ${total}` : `About ${durationWords(estimate.seconds)} a step, ${total}`;
}

/** A time as a person says it. @param {number} seconds */
export function durationWords(seconds) {
  if (seconds < 0.095) return `${seconds < 0.0095 ? Number((1000 * seconds).toPrecision(1)) : Math.round(1000 * seconds)} ms`;
  if (seconds < 9.5) return `${seconds.toFixed(1)} s`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
