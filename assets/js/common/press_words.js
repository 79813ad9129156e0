// @ts-check
// The word for a press: a person without a mouse taps.

/** Whether there is a mouse or the like, that points without pressing. */
export const hasMouse = () => !matchMedia("(hover: none), (pointer: coarse)").matches;

/** A sentence that speaks of clicks, as it is for who reads it. @param {string} text */
export function pressWords(text) {
  return hasMouse() ? text : text.replace(/\b([Cc])lick/g, (_, letter) => (letter === "C" ? "Tap" : "tap"));
}
