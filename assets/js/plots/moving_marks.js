// @ts-check
// Moves the marks that plotly has drawn to other numbers. Axes, styles and which marks there are stay plotly's: where one
// of these changes, it draws anew, which takes a hundred times as long.
import { createAlikeMarks } from "../common/alike_marks.js";
import { writeText } from "../common/dom.js";
import { levelOutline } from "./level_line.js";
import { movedOutline } from "./mark_outlines.js";

/** @typedef {{node: SVGElement, x: (value: number) => number, y: (value: number) => number, painted: WeakMap<Element, string>, colours?: Uint32Array, alike?: ReturnType<typeof createAlikeMarks>}} Drawn
 *   a trace as plotly drew it, where numbers lie in its subplot (px), the colours that its marks were given since, and how marks alike are drawn */

const MOVERS = { bar: moveBars, scatter: moveScatter, heatmap: moveCells, contour: moveLevel };
// Entries of a table of colours: more than a channel has values.
const COLOURS_KEPT = 1024;

/**
 * All of a drawing that only plotly can change, as text.
 * @param {import("./plot_host.js").Composed} composed
 */
export function unmovedParts({ data, layout }) {
  const parts = data.map((trace) => {
    const { uid, z, x0, dx, y0, dy, zmin, zmax } = trace;
    return [uid, showsMarks(trace), z?.length, z?.[0]?.length, x0, dx, y0, dy, zmin, zmax];
  });
  return JSON.stringify([layout, parts]);
}

/**
 * What plotly has drawn in `plot`, to be moved; null where it has marks that cannot be.
 * @param {any} plot
 * @returns {Map<string, Drawn> | null}
 */
export function drawnMarks(plot) {
  if (plot._fullLayout.hovermode) return null; // plotly says what it drew itself
  const found = new Map();
  for (const node of plot.querySelectorAll(".trace, .hm, .contour")) {
    const trace = node.__data__?.[0]?.trace;
    const axes = trace && [plot._fullLayout[axisName(trace.xaxis)], plot._fullLayout[axisName(trace.yaxis)]];
    if (!axes?.every((axis) => axis?.type === "linear" && !axis.autorange)) return null;
    if (trace.mode?.includes("markers")) learnShapes(node, trace);
    found.set(trace.uid, { node, x: axes[0].l2p, y: axes[1].l2p, painted: new WeakMap() });
  }
  return plot.data.every((trace) => !showsMarks(trace) || (isMovable(trace) && isWhole(found.get(trace.uid)?.node, trace))) ? found : null;
}

/** @param {any} trace */
const isMovable = ({ type, orientation, xgap, zsmooth }) => type in MOVERS && (type !== "bar" || orientation === "h") && !xgap && [undefined, false, "fast"].includes(zsmooth);

/** Whether plotly has drawn each of a trace's marks. @param {Element | undefined} node @param {any} trace */
function isWhole(node, { type, mode, x }) {
  if (type === "contour") return Boolean(node?.querySelector(".contourlevel path"));
  const groups = type === "bar" || mode?.includes("markers") ? [".points"] : mode?.includes("text") ? [".text"] : [];
  return Boolean(node) && groups.every((name) => node?.querySelector(name)?.childElementCount === x.length);
}

/** @param {any} trace */
export const showsMarks = (trace) => trace.visible !== false && Boolean(trace.x?.length || trace.y?.length || trace.z?.length);

/** x2 → xaxis2. @param {string} name */
const axisName = (name) => `${name[0]}axis${name.slice(1)}`;

/**
 * Move what is drawn to the numbers of `data`, and have the plot say so; false where that takes a shape that plotly has not drawn yet.
 * @param {any} plot
 * @param {Map<string, Drawn>} drawn
 * @param {any[]} data  traces of the same parts
 */
export function moveMarks(plot, drawn, data) {
  const shown = data.filter(showsMarks);
  if (!shown.every((trace) => !trace.mode?.includes("markers") || shapesOf(trace).every((name) => shapes.has(name)))) return false;
  for (const trace of shown) MOVERS[trace.type](/** @type {Drawn} */ (drawn.get(trace.uid)), trace);
  plot.data = data;
  return true;
}

/** The outlines of marks, as plotly draws them around a place, by symbol and size. @type {Map<string, ReturnType<typeof movedOutline>>} */
const shapes = new Map();
/** @param {any} trace */
const shapesOf = ({ x, marker }) => x.map((/** @type {any} */ _, /** @type {number} */ index) => `${one(marker.symbol, index)} ${one(marker.size, index)}`);
/** A mark's own part of what may be for all marks alike. @param {any} all @param {number} index */
const one = (all, index) => (Array.isArray(all) ? all[index] : all);

/** @param {Element} node @param {any} trace */
function learnShapes(node, trace) {
  const paths = node.querySelectorAll(".points path");
  for (const [index, name] of shapesOf(trace).entries()) if (paths[index]) shapes.set(name, movedOutline(paths[index].getAttribute("d") ?? ""));
}

/** @param {Drawn} drawn @param {any} trace */
function moveBars(drawn, trace) {
  const { x, y } = drawn;
  moveAlike(drawn, trace.marker.color, (index) => {
    const [foot, half] = [trace.y[index], trace.width[index] / 2];
    const [low, high] = [px(y(foot - half)), px(y(foot + half))];
    return `M${px(x(trace.base[index]))},${low}V${high}H${px(x(trace.base[index] + trace.x[index]))}V${low}Z`;
  });
}

/** Draw the marks in a trace's group of them. @param {Drawn} drawn @param {string[]} colours @param {(index: number) => string} outline */
function moveAlike(drawn, colours, outline) {
  const group = /** @type {Element} */ (drawn.node.querySelector(".points"));
  let paths = 0;
  drawn.alike ??= createAlikeMarks(() => {
    // plotly's first mark is the first path, and further ones are like it; a bar's path is in a group of its own.
    const mark = /** @type {Element} */ (countedNodes(group, (paths += 1)).at(-1));
    return mark.firstElementChild ?? mark;
  });
  drawn.alike(colours, outline);
}

/** @param {Drawn} drawn @param {any} trace */
function moveScatter(drawn, trace) {
  if (trace.mode.includes("lines")) moveLine(drawn, trace);
  if (trace.mode.includes("markers")) moveDots(drawn, trace);
  if (trace.mode.includes("text")) moveWords(drawn, trace);
}

/** A line of several parts becomes one path. @param {Drawn} drawn @param {any} trace */
function moveLine({ node, x, y, painted }, trace) {
  let path = "";
  let pen = "M";
  for (let index = 0; index < trace.x.length; index += 1) {
    if (trace.x[index] === null || trace.y[index] === null) {
      pen = "M";
      continue;
    }
    path += `${pen}${px(x(trace.x[index]))},${px(y(trace.y[index]))}`;
    pen = "L";
  }
  const [fill] = node.querySelectorAll(".js-fill");
  if (fill) {
    setMark(fill, "d", path && `${path}Z`);
    if (trace.fillcolor.startsWith("#")) paintMark(painted, /** @type {SVGElement} */ (fill), trace.fillcolor);
  }
  const [line, ...others] = node.querySelectorAll(".js-line");
  for (const other of others) other.remove();
  if (line) setMark(line, "d", path || "M0,0");
}

/** @param {Drawn} drawn @param {any} trace */
function moveDots(drawn, trace) {
  const names = shapesOf(trace);
  const colours = Array.isArray(trace.marker.color) ? trace.marker.color : names.map(() => "");
  moveAlike(drawn, colours, (index) => shapes.get(names[index])?.(drawn.x(trace.x[index]), drawn.y(trace.y[index])) ?? "");
}

/** @param {Drawn} drawn @param {any} trace */
function moveWords({ node, x, y, painted }, trace) {
  const words = countedNodes(/** @type {Element} */ (node.querySelector(".text")), trace.x.length);
  for (const [index, word] of words.entries()) {
    const text = /** @type {SVGElement} */ (word.firstChild);
    const place = Array.isArray(trace.textposition) ? trace.textposition[index] : trace.textposition;
    setMark(text, "x", px(x(trace.x[index])));
    setMark(text, "y", px(y(trace.y[index])));
    setMark(text, "text-anchor", place.endsWith("left") ? "end" : "start");
    writeText(text, trace.text[index]);
    if (Array.isArray(trace.textfont.color)) paintMark(painted, text, trace.textfont.color[index]);
  }
}

/** The line of a contour's one level. @param {Drawn} drawn @param {any} trace */
function moveLevel({ node, x, y }, { z, x0, dx, y0, dy, contours, line }) {
  const [path, ...others] = node.querySelectorAll(".contourlevel path");
  for (const other of others) other.remove();
  setMark(path, "d", levelOutline(z, contours.start, line.smoothing ?? 1, (column, row) => [x(x0 + column * dx), y(y0 + row * dy)]));
}

/** Cells of one size, without gaps: a picture with a pixel each, the lowest row last. @param {Drawn} drawn @param {any} trace */
function moveCells(drawn, trace) {
  const { z, zmin, zmax, colorscale } = trace;
  const canvas = Object.assign(document.createElement("canvas"), { width: z[0].length, height: z.length });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
  const picture = context.createImageData(canvas.width, canvas.height);
  const pixels = new Uint32Array(picture.data.buffer);
  const colours = scaleColours(drawn, colorscale);
  for (const [row, cells] of z.entries()) {
    const from = (z.length - 1 - row) * canvas.width;
    for (let column = 0; column < canvas.width; column += 1) {
      const place = (cells[column] - zmin) / (zmax - zmin);
      if (cells[column] !== null) pixels[from + column] = colours[Math.round(Math.min(1, Math.max(0, place)) * (COLOURS_KEPT - 1))];
    }
  }
  context.putImageData(picture, 0, 0);
  drawn.node.querySelector("image")?.setAttributeNS("http://www.w3.org/1999/xlink", "href", canvas.toDataURL());
}

/** A colour scale as a table of pixels, made once for a drawing. @param {Drawn} drawn @param {[number, string][]} scale @returns {Uint32Array} */
function scaleColours(drawn, scale) {
  if (drawn.colours) return drawn.colours;
  const canvas = Object.assign(document.createElement("canvas"), { width: COLOURS_KEPT, height: 1 });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const ramp = context.createLinearGradient(0, 0, COLOURS_KEPT, 0);
  for (const [place, colour] of scale) ramp.addColorStop(place, colour);
  context.fillStyle = ramp;
  context.fillRect(0, 0, COLOURS_KEPT, 1);
  drawn.colours = new Uint32Array(context.getImageData(0, 0, COLOURS_KEPT, 1).data.buffer);
  return drawn.colours;
}

/** A group's marks, as many as are needed: further ones like its last. @param {Element} group @param {number} count */
function countedNodes(group, count) {
  while (group.childElementCount > count) group.lastElementChild?.remove();
  while (group.childElementCount < count) group.append(/** @type {Element} */ (group.lastElementChild).cloneNode(true));
  return [...group.children];
}

/** @param {Element} node @param {string} name @param {string} value */
function setMark(node, name, value) {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

/** @param {WeakMap<Element, string>} painted @param {SVGElement} node @param {string} colour */
function paintMark(painted, node, colour) {
  if (painted.get(node) === colour) return;
  painted.set(node, colour);
  node.style.fill = colour;
}

/** As plotly writes numbers: to a hundredth. @param {number} value */
const px = (value) => String(Math.round(value * 100) / 100);
