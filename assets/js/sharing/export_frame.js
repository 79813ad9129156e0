// @ts-check
// What an exported picture has around it, so that it can stand on a slide: title, axes with units, legend, caption.
import { parseSvg } from "../common/dom.js";

const SPACE = "http://www.w3.org/2000/svg";
// Fonts of the system only: the page's own is not there where a picture stands alone.
const FONT = "system-ui, sans-serif";
// px: around all, the narrowest picture, a line of the caption, a sign of the legend.
const PAD = 16;
const LEAST = 460;
const LINE = 17;
const SIGN = 26;
// Letters of a link that are written; the whole of it is what a press on it opens.
const LINK_MOST = 220;

/**
 * @typedef {{sign: "line" | "ramp" | "hollow" | "tick" | "dot" | "mark" | "valve", colours: string[], text: string, width?: number, dash?: string, mark?: string}} Key
 * @typedef {{title: string, caption: string[], link: string, keys: Key[], wedges?: string}} Frame
 * @typedef {{node: SVGElement, width: number, height: number, across: {text: string, at: number}[], up: string, rows: {name: string, y: number}[]}} Content
 * @typedef {{ground: string, ink: string, ink2: string}} Look
 */

/**
 * @param {Content} content  what is drawn, with the names of its axes
 * @param {Frame} frame @param {Look} look
 * @returns {SVGSVGElement}
 */
export function framedPicture(content, frame, look) {
  const names = Math.max(0, ...content.rows.map(({ name }) => textWidth(name, 11) + 6));
  const left = PAD + (content.up ? 20 : 0) + names;
  const width = Math.ceil(Math.max(LEAST, left + content.width + PAD));
  const svg = /** @type {any} */ (svgNode("svg", { xmlns: SPACE, "font-family": FONT }));
  let y = PAD;
  /** @param {string[]} lines @param {Record<string, any>} style */
  const write = (lines, style, parent = svg) => {
    for (const line of lines) {
      y += style.step;
      parent.append(svgText(line, { x: PAD, y: y - style.step * 0.28, "font-size": style.size, "font-weight": style.weight, fill: style.fill, class: style.name }));
    }
  };
  write(brokenLines(frame.title, width - 2 * PAD, 17, "600"), { step: 22, size: 17, weight: 600, fill: look.ink, name: "frame-title" });
  y += 8;
  const held = svgNode("g", { transform: `translate(${left} ${y})` });
  held.append(content.node);
  svg.append(held);
  for (const { name, y: at } of content.rows) svg.append(svgText(name, { x: left - 5, y: y + at + 4, "font-size": 11, "text-anchor": "end", fill: look.ink2, class: "frame-row" }));
  if (content.up) svg.append(svgText(content.up, { transform: `translate(${PAD + 10} ${y + content.height / 2}) rotate(-90)`, "font-size": 13, "text-anchor": "middle", fill: look.ink, class: "frame-axis" }));
  y += content.height;
  for (const { text, at } of content.across) svg.append(svgText(text, { x: left + at, y: y + 14, "font-size": 13, "text-anchor": "middle", fill: look.ink, class: "frame-axis" }));
  y += (content.across.length ? 22 : 4) + 6;
  y = writeKeys(svg, frame, look, y, width);
  y += 4;
  write(frame.caption.flatMap((line) => brokenLines(line, width - 2 * PAD, 12.5)), { step: LINE, size: 12.5, fill: look.ink2, name: "frame-caption" });
  if (frame.link) {
    const anchor = svgNode("a", { href: frame.link });
    svg.append(anchor);
    const written = frame.link.length > LINK_MOST ? `${frame.link.slice(0, LINK_MOST)}…` : frame.link;
    write(brokenLines(written, width - 2 * PAD, 12.5), { step: LINE, size: 12.5, fill: look.ink2, name: "frame-caption" }, anchor);
  }
  const height = Math.ceil(y + PAD);
  for (const [name, value] of Object.entries({ width, height, viewBox: `0 0 ${width} ${height}` })) svg.setAttribute(name, String(value));
  svg.prepend(svgNode("rect", { width, height, fill: look.ground }));
  svg.prepend(Object.assign(document.createElementNS(SPACE, "title"), { textContent: frame.title }));
  return svg;
}

/** @param {SVGSVGElement} svg @param {Frame} frame @param {Look} look @param {number} top @param {number} width */
function writeKeys(svg, { keys, wedges }, look, top, width) {
  let [x, y] = [PAD, top];
  if (wedges) {
    const drawn = parseSvg(wedges);
    drawn.setAttribute("x", String(PAD));
    drawn.setAttribute("y", String(y));
    svg.append(drawn, svgText("gradient along a line", { x: PAD + Number(drawn.getAttribute("width")) + 10, y: y + 16, "font-size": 13, fill: look.ink, class: "frame-key" }));
    y += Number(drawn.getAttribute("height")) + 10;
  }
  for (const key of keys) {
    const lines = brokenLines(key.text, width - 2 * PAD - SIGN - 8, 13);
    const room = SIGN + 8 + Math.max(...lines.map((line) => textWidth(line, 13)));
    if (x > PAD && x + room > width - PAD) [x, y] = [PAD, y + 20];
    svg.append(...signOf(key, x, y + 8));
    for (const [index, line] of lines.entries()) svg.append(svgText(line, { x: x + SIGN + 8, y: y + 12 + index * LINE, "font-size": 13, fill: look.ink, class: "frame-key" }));
    y += (lines.length - 1) * LINE;
    x = lines.length > 1 ? width : x + room + 20;
  }
  return keys.length ? y + 22 : y;
}

/** @param {Key} key @param {number} x @param {number} y  its middle */
function signOf({ sign, colours, width = 2, dash, mark }, x, y) {
  const colour = colours[0];
  if (sign === "ramp") return colours.map((one, index) => svgNode("rect", { x: x + (index * SIGN) / colours.length, y: y - 5, width: SIGN / colours.length + 0.2, height: 10, fill: one }));
  if (sign === "hollow") return [svgNode("rect", { x: x + 1, y: y - 5, width: SIGN - 2, height: 10, fill: "none", stroke: colour, "stroke-width": 1.25 })];
  if (sign === "tick") return [svgNode("rect", { x: x + SIGN / 2 - 1, y: y - 6, width: 2, height: 12, fill: colour })];
  if (sign === "dot") return [svgNode("circle", { cx: x + SIGN / 2, cy: y, r: 3.5, fill: colour })];
  if (sign === "valve") return [svgNode("path", { d: `M${x + 7} ${y - 5}h12l-6 9z`, fill: colours[1] ?? colour, stroke: colour })];
  if (sign === "mark") return [svgText(mark ?? "", { x: x + SIGN / 2, y: y + 5, "font-size": 14, "text-anchor": "middle", fill: colour })];
  const line = svgNode("line", { x1: x, x2: x + SIGN, y1: y, y2: y, stroke: colour, "stroke-width": width });
  if (dash && dash !== "solid") line.setAttribute("stroke-dasharray", dash);
  return [line];
}

/** @param {string} name @param {Record<string, any>} attributes */
function svgNode(name, attributes) {
  const node = document.createElementNS(SPACE, name);
  for (const [key, value] of Object.entries(attributes)) if (value !== undefined) node.setAttribute(key, String(value));
  return node;
}

/** @param {string} text @param {Record<string, any>} attributes */
function svgText(text, attributes) {
  return Object.assign(svgNode("text", attributes), { textContent: text });
}

/** @type {CanvasRenderingContext2D | null} */
let measuring = null;

/** px that a text takes. @param {string} text @param {number} size @param {string} [weight] */
function textWidth(text, size, weight = "400") {
  measuring ??= document.createElement("canvas").getContext("2d");
  if (!measuring) return 0.55 * size * text.length;
  measuring.font = `${weight} ${size}px ${FONT}`;
  // Where the picture is opened, the font may be another and wider one.
  return 1.06 * measuring.measureText(text).width;
}

/** A text in lines that fit, broken at spaces, or anywhere in a word that is longer than a line. @param {string} text @param {number} width @param {number} size @param {string} [weight] */
function brokenLines(text, width, size, weight) {
  const lines = [""];
  for (const word of text.split(" ")) {
    let rest = word;
    const joined = lines[lines.length - 1] ? `${lines[lines.length - 1]} ${rest}` : rest;
    if (textWidth(joined, size, weight) <= width) {
      lines[lines.length - 1] = joined;
      continue;
    }
    if (lines[lines.length - 1]) lines.push("");
    while (textWidth(rest, size, weight) > width) {
      let kept = rest.length - 1;
      while (kept > 1 && textWidth(rest.slice(0, kept), size, weight) > width) kept -= 1;
      lines.splice(-1, 1, rest.slice(0, kept), "");
      rest = rest.slice(kept);
    }
    lines[lines.length - 1] = rest;
  }
  return lines;
}
