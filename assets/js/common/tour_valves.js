// @ts-check
// Which valves a tour's step has still to turn.

/**
 * @param {any[]} layers  as they stand @param {import("./tour.js").TourStep} step
 * @returns {{close: string[], open: string[], any: boolean}}  ids
 */
export function valvesToTurn(layers, step) {
  const among = (/** @type {string[]} */ ids, /** @type {(gain: number) => boolean} */ turns) => layers.filter((layer) => ids.includes(layer.id) && turns(layer.gain)).map((layer) => layer.id);
  const [close, open] = [among(step.shut, (gain) => gain > 0), among(step.opened, (gain) => gain === 0)];
  return { close, open, any: close.length + open.length > 0 };
}

/** Turn them, each once. @param {{close: string[], open: string[]}} valves @param {(name: string, does: () => void) => void} once @param {(ids: string[]) => void} toggle */
export function turnValves({ close, open }, once, toggle) {
  if (close.length) once("shut", () => toggle(close));
  if (open.length) once("opened", () => toggle(open));
}
