// @ts-check
// What keys do wherever the focus is in a lab: Space starts and pauses, Ctrl+Z undoes, Escape lets go of what is chosen.
import { isText, takesSpace } from "../common/dom.js";

/**
 * @param {HTMLElement} root  the lab's
 * @param {{chosen: () => boolean, act: {main: () => void, deselect: () => void, travel: (operation: string) => void}}} lab
 */
export function createLabKeys(root, lab) {
  let pointed = false;
  const onPointer = () => (pointed = true);
  /** @param {KeyboardEvent} event */
  const onEscape = (event) => {
    if (event.key !== "Escape" || !lab.chosen()) return;
    lab.act.deselect();
    event.preventDefault();
  };
  /** @param {any} event */
  const onKey = (event) => {
    if (event.key === "Tab") pointed = false;
    // Space is left to what takes it: a button or a part of the diagram that was reached by keys.
    if (event.key === " " && !event.defaultPrevented && !event.repeat && !takesSpace(event.target, pointed) && !root.querySelector(".sv-main:disabled")) {
      event.preventDefault();
      return lab.act.main();
    }
    // Undo is left to a field whose text has an undo of its own.
    if (event.defaultPrevented || !(event.ctrlKey || event.metaKey) || event.altKey || event.key.toLowerCase() !== "z" || isText(event.target)) return;
    event.preventDefault();
    lab.act.travel(event.shiftKey ? "redo" : "undo");
  };
  root.addEventListener("keydown", onEscape);
  document.addEventListener("pointerdown", onPointer, true);
  document.addEventListener("keydown", onKey);
  return {
    destroy() {
      document.removeEventListener("keydown", onKey);
      document.removeEventListener("pointerdown", onPointer, true);
    },
  };
}
