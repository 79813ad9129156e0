// @ts-check
// A card beside what it speaks of: an arrow to it, everything else dimmer, never over the thing itself.
import { element } from "./dom.js";

// px between the thing's ring and the card, around the thing, and between the card and the screen's edge.
const APART = 16;
const AROUND_THING = 6;
const FROM_EDGE = 8;
// px of the header, under which what is scrolled into sight begins.
const UNDER_HEADER = 64;
const OPPOSITE = { right: "left", left: "right", below: "top", above: "bottom" };

/** @param {HTMLElement} card  fixed; it is moved, and nothing else */
export function createSpotlight(card) {
  const ring = element("div", { class: "sv-tour-ring", "aria-hidden": "true" });
  const arrow = element("div", { class: "sv-tour-arrow", "aria-hidden": "true" });
  let placed = "";
  return {
    parts: [ring, arrow],
    /** Bring a thing into sight, with room for the card. @param {Element} thing */
    reveal(thing) {
      const { top, bottom, height } = thing.getBoundingClientRect();
      const narrow = window.innerWidth < 2 * card.offsetWidth + 2 * APART;
      const needed = narrow ? card.offsetHeight + APART + FROM_EDGE : 0;
      if (top >= UNDER_HEADER && bottom <= window.innerHeight && Math.max(top - UNDER_HEADER, window.innerHeight - bottom) >= needed) return;
      const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
      thing.scrollIntoView({ block: narrow || height > window.innerHeight / 2 ? "start" : "center", inline: "nearest", behavior: still ? "instant" : "smooth" });
    },
    /** Stand beside a thing, or at the screen's foot where it is not to be seen. @param {Element | null} thing */
    place(thing) {
      const box = thing?.getBoundingClientRect() ?? null;
      const [width, height, wide, high] = [card.offsetWidth, card.offsetHeight, window.innerWidth, window.innerHeight];
      const key = `${box && [box.left, box.top, box.width, box.height]} ${width} ${height} ${wide} ${high}`;
      if (key === placed) return;
      placed = key;
      ring.hidden = arrow.hidden = !box;
      if (!box) return moveTo(card, (wide - width) / 2, high - height - 3 * APART);
      const thingBox = { left: box.left - AROUND_THING, right: box.right + AROUND_THING, top: box.top - AROUND_THING, bottom: box.bottom + AROUND_THING };
      moveTo(ring, thingBox.left, thingBox.top);
      ring.style.width = `${thingBox.right - thingBox.left}px`;
      ring.style.height = `${thingBox.bottom - thingBox.top}px`;
      const room = { right: wide - thingBox.right - width, left: thingBox.left - width, above: thingBox.top - height, below: high - thingBox.bottom - height };
      // Beside a mark of the diagram stands its row, which the card is not to cover.
      const order = thing instanceof SVGElement ? ["left", "above", "below", "right"] : ["right", "left", "below", "above"];
      const side = order.find((one) => room[one] >= APART + FROM_EDGE) ?? order.reduce((one, other) => (room[other] > room[one] ? other : one));
      stand(side, thingBox, { width, height, wide, high });
    },
  };

  /** @param {string} side @param {any} box @param {any} sizes */
  function stand(side, box, { width, height, wide, high }) {
    const across = side === "above" || side === "below";
    const middle = across ? (box.left + box.right) / 2 : (box.top + box.bottom) / 2;
    const along = clamped(middle - (across ? width : height) / 2, FROM_EDGE, (across ? wide - width : high - height) - FROM_EDGE);
    const off = { right: box.right + APART, left: box.left - APART - width, below: box.bottom + APART, above: box.top - APART - height }[side];
    const kept = clamped(off, FROM_EDGE, (across ? high - height : wide - width) - FROM_EDGE);
    moveTo(card, across ? along : kept, across ? kept : along);
    arrow.dataset.side = OPPOSITE[side];
    const tip = clamped(middle, along + 18, along + (across ? width : height) - 18);
    const edge = { right: box.right + 2, left: box.left - APART, below: box.bottom + 2, above: box.top - APART }[side];
    moveTo(arrow, across ? tip - 8 : edge, across ? edge : tip - 8);
  }
}

/** @param {number} value @param {number} least @param {number} most */
const clamped = (value, least, most) => Math.max(least, Math.min(value, most));

/** @param {HTMLElement} node @param {number} left @param {number} top */
function moveTo(node, left, top) {
  node.style.left = `${left}px`;
  node.style.top = `${top}px`;
}
