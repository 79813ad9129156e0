// @ts-check
// A QR code's modules as an SVG, dark on white in both themes, with the quiet zone that readers need.

const QUIET = 4;

/**
 * @param {string[]} rows  "1" for a dark module
 * @returns {SVGSVGElement}
 */
export function qrCode(rows) {
  const namespace = "http://www.w3.org/2000/svg";
  const size = rows.length + 2 * QUIET;
  const svg = document.createElementNS(namespace, "svg");
  svg.setAttribute("viewBox", `0 0 ${size} ${size}`);
  svg.setAttribute("class", "sv-qr");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", "QR code of the link");
  svg.setAttribute("shape-rendering", "crispEdges");
  const ground = document.createElementNS(namespace, "rect");
  for (const [name, value] of Object.entries({ width: size, height: size, fill: "#ffffff" })) ground.setAttribute(name, String(value));
  const dark = document.createElementNS(namespace, "path");
  dark.setAttribute("d", rows.map(rowPath).join(""));
  dark.setAttribute("fill", "#000000");
  svg.append(ground, dark);
  return svg;
}

/** @param {string} row @param {number} y */
function rowPath(row, y) {
  return [...row.matchAll(/1+/g)].map((run) => `M${run.index + QUIET} ${y + QUIET}h${run[0].length}v1h-${run[0].length}z`).join("");
}
