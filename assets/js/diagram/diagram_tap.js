// @ts-check
// Which part of the diagram a press means: what lies under it, through the handles of states, and for a finger what is nearest.

/** px around a finger's tip within which the nearest part is meant: a target of 40 px, as far as no other is nearer. */
const FINGER_REACH = 20;
const FINGER_STEP = 4;
const DIRECTIONS = 16;
/** px that a press may move and still be no drag. */
const SLOP = { finger: 10, mouse: 3 };

/** Whether a press is a finger's. @param {PointerEvent} event */
export const isFinger = (event) => event.pointerType === "touch";

/** Whether a press has moved so far that it is a drag. @param {{x: number, y: number, finger: boolean}} from @param {PointerEvent} event */
export function isDrag(from, event) {
  return Math.hypot(event.clientX - from.x, event.clientY - from.y) > (from.finger ? SLOP.finger : SLOP.mouse);
}

/**
 * The part that a press at (x, y) of the window means.
 * @param {SVGSVGElement | null} svg @param {string} selector  of parts @param {number} x @param {number} y @param {boolean} finger
 * @returns {any} the part, or null
 */
export function partAt(svg, selector, x, y, finger) {
  for (let radius = 0; svg && radius <= (finger ? FINGER_REACH : 0); radius += FINGER_STEP) {
    for (let turn = 0; turn < (radius ? DIRECTIONS : 1); turn += 1) {
      const angle = (2 * Math.PI * turn) / DIRECTIONS;
      const part = partUnder(svg, selector, x + radius * Math.cos(angle), y + radius * Math.sin(angle));
      if (part) return part;
    }
  }
  return null;
}

/** @param {SVGSVGElement} svg @param {string} selector @param {number} x @param {number} y */
function partUnder(svg, selector, x, y) {
  for (const node of /** @type {Document} */ (svg.getRootNode()).elementsFromPoint(x, y)) {
    // What lies over the diagram, as the transport does, hides what is beneath.
    if (!svg.contains(node)) return null;
    const part = node.closest(selector);
    if (part) return part;
  }
  return null;
}
