// @ts-check
// Whether skips carry anything: the one meaning of on and off, as `Skip.in_force` has it in Python.

/** Whether a skip is on and of another strength than 0, or of a learned one. @param {any} skip @returns {boolean} */
export function inForce(skip) {
  return skip.on && (skip.learned || skip.strength !== 0);
}

/** How many skips carry something. @param {any[]} skips @returns {number} */
export function countInForce(skips) {
  return skips.filter(inForce).length;
}

/**
 * What lets skips carry something: where all of them are of strength 0, the switch alone would change nothing.
 * @param {any[]} skips @returns {{on: boolean, strength?: number}}
 */
export function switchedOn(skips) {
  return skips.length && skips.every((skip) => skip.strength === 0 && !skip.learned) ? { on: true, strength: 1 } : { on: true };
}

/**
 * What a click on a line of these skips changes.
 * @param {any[]} skips  of a network  @param {string[]} names
 */
export function toggled(skips, names) {
  const own = skips.filter((skip) => names.includes(skip.id));
  return own.some(inForce) ? { on: false } : switchedOn(own);
}
