// @ts-check
// The outlines of plotly's marks, told where they lie: an element that is moved by a transform costs the browser a layer of its own.

/** A number as plotly writes it. */
const NUMBER = /-?\d*\.?\d+(?:e-?\d+)?/g;

/**
 * An outline around (0, 0), in plotly's absolute commands, as one around any place.
 * @param {string} around
 * @returns {(x: number, y: number) => string}
 */
export function movedOutline(around) {
  const commands = [...around.matchAll(/([A-Z])([^A-Z]*)/g)].map(([, letter, rest]) => ({ letter, numbers: (rest.match(NUMBER) ?? []).map(Number) }));
  return (x, y) => commands.map(({ letter, numbers }) => letter + moved(letter, numbers, x, y).map((number) => Math.round(100 * number) / 100).join(",")).join("");
}

/** @param {string} letter @param {number[]} numbers @param {number} x @param {number} y */
function moved(letter, numbers, x, y) {
  if (letter === "H") return numbers.map((number) => number + x);
  if (letter === "V") return numbers.map((number) => number + y);
  // Of an arc only the end is a place.
  const from = letter === "A" ? 5 : 0;
  return numbers.map((number, index) => (index < from ? number : number + ((index - from) % 2 ? y : x)));
}

/**
 * Draw the marks of a plot where they lie instead of moving them there.
 * @param {Element} plot  as plotly has just drawn it
 */
export function placeMarks(plot) {
  for (const mark of plot.querySelectorAll(".points > path.point[transform]")) {
    const [x, y] = (mark.getAttribute("transform")?.match(NUMBER) ?? []).map(Number);
    mark.setAttribute("d", movedOutline(mark.getAttribute("d") ?? "")(x, y));
    mark.removeAttribute("transform");
  }
}
