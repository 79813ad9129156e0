// @ts-check
// A run's state in words, as the transport and the plots say it.

/** @param {any} store @param {boolean} live @param {any} network @returns {[string, string]} the kind of state, and the words */
export function stateWords(store, live, network) {
  if (!live && store.frames.length && (!store.shared || store.active())) return ["back", `Live is at ${store.frames.at(-1).step}\u00a0›`];
  if (store.shared && store.state !== "starting") return store.active() ? ["running", "Shared run, live"] : ["finished", "Shared run, recorded"];
  /** @type {Record<string, [string, string]>} */
  const words = {
    ready: ["ready", "Ready"],
    starting: ["queued", "Starting"],
    queued: ["queued", queueWords(store)],
    running: ["running", slowWords(store) || "Running"],
    paused: ["paused", "Paused"],
    finished: ["finished", "Finished"],
    stopped: ["finished", "Stopped"],
    diverged: ["bad", divergedWords(store, network)],
    failed: ["bad", `Failed: ${store.reason || "the worker ended"}`],
    interrupted: ["bad", store.resumes === null ? store.reason || "Interrupted" : `Interrupted; goes on from step ${store.resumes}`],
  };
  return words[store.state] || ["ready", store.state];
}

/** The words and the icon of the button that starts, pauses and resumes a run. @param {any} store @returns {[string, string]} */
export function buttonWords(store) {
  if (store.shared) return ["Start", "play"];
  if (store.state === "running" || store.state === "starting") return ["Pause", "pause"];
  if (store.state === "queued") return ["Leave queue", "close"];
  if (store.state === "paused" || canResume(store)) return ["Resume", "play"];
  return ["finished", "stopped", "diverged", "failed", "interrupted"].includes(store.state) ? ["Restart", "reset"] : ["Start", "play"];
}

/** Whether the main button lets a run that has ended go on. @param {any} store */
export const canResume = (store) => ["interrupted", "failed", "stopped"].includes(store.state) && store.resumes !== null;

/** Why a run pauses or stopped, where its owner did not do it. @param {any} store */
export function reasonWords(store) {
  if (!["paused", "stopped"].includes(store.state) || !store.reason) return "";
  return `${store.reason[0].toUpperCase()}${store.reason.slice(1)}.`;
}

/** The place in line; the wait too where no notice beside the diagram says it. @param {any} store */
function queueWords(store) {
  if (store.ahead === null) return "Queued";
  const place = `Queued, ${store.ahead ? `${store.ahead} ahead` : "next in line"}`;
  return store.frames.length && store.wait ? `${place}, ${waitWords(store.wait)}` : place;
}

/** Two lines for who looks at the empty plot of a run that waits in line. @param {any} store */
export function queueLines(store) {
  const place = store.ahead ? `Queued, ${store.ahead} ${store.ahead === 1 ? "run" : "runs"} ahead` : store.ahead === 0 ? "Queued, next in line" : "Queued";
  return [place, store.wait ? `Starts by itself in ${waitWords(store.wait)}.` : "Starts by itself."];
}

/** @param {number} seconds */
function waitWords(seconds) {
  if (seconds >= 3600) return "an hour or more";
  if (seconds < 90) return `about ${seconds} s`;
  return `about ${seconds < 600 ? Math.round(seconds / 30) / 2 : Math.round(seconds / 60)} min`;
}

/** Where a step takes long, how long: what is switched shows at the next one. */
function slowWords(store) {
  const [before, last] = store.frames.slice(-2);
  if (!last || last.step <= before.step) return "";
  const seconds = (last.seconds - before.seconds) / (last.step - before.step);
  if (!(seconds > Math.max(0.7, 1.6 / (store.speed || 1e9)))) return "";
  return `A step takes ${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s; a change shows at the next one`;
}

function divergedWords(store, network) {
  const where = Object.values(store.diverged)[0];
  if (!where) return "Diverged";
  const layer = network?.layers.find((one) => one.id === where.layer);
  return `Diverged at step ${where.step} in ${layer ? `f(${layer.k})` : "the head"}`;
}

/**
 * What a shown step is called: its number, counted from 0; once all are taken, at the last frame, how many these are.
 * @param {string} state @param {boolean} live @param {number} step @param {number} steps
 */
export const stepCount = (state, live, step, steps) => (state === "finished" && live && step === steps - 1 ? steps : step);
