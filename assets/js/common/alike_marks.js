// @ts-check
// Marks of one colour as one path: a browser's work grows with how many elements change, hardly with how much each of them draws.

/**
 * @param {() => Element} another  makes a further path where the marks are drawn
 * @returns {(colours: string[], outline: (index: number) => string) => void} draws a mark of each colour; "" is whatever a new path has
 */
export function createAlikeMarks(another) {
  /** @type {Map<string, any>} */
  const paths = new Map();
  return (colours, outline) => {
    /** @type {Map<string, string>} */
    const outlines = new Map();
    for (const [index, colour] of colours.entries()) outlines.set(colour, (outlines.get(colour) ?? "") + outline(index));
    const free = [...paths.keys()].filter((colour) => colour && !outlines.has(colour));
    for (const colour of outlines.keys()) {
      if (paths.has(colour)) continue;
      const unused = colour ? free.pop() : undefined;
      paths.set(colour, unused ? paths.get(unused) : another());
      if (unused) paths.delete(unused);
      if (colour) paths.get(colour).style.fill = colour;
    }
    for (const [colour, path] of paths) {
      const drawn = outlines.get(colour) ?? "";
      if (path.getAttribute("d") !== drawn) path.setAttribute("d", drawn);
    }
  };
}
