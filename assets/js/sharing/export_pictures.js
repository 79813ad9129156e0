// @ts-check
// The diagram and the plots as pictures that stand alone: SVG with its styles inside, PNG at twice the size, both framed.
import { framedPicture } from "./export_frame.js";
import { parseSvg } from "../common/dom.js";

/** @typedef {import("./export_frame.js").Frame} Frame */

const SCALE = 2;
// px under a diagram, where its last word has descenders that the page lets stand over its edge.
const UNDER = 5;
const STYLED = [
  "fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "stroke-linejoin", "stroke-opacity", "opacity", "visibility",
  "font-family", "font-size", "font-style", "font-weight", "text-anchor", "dominant-baseline", "letter-spacing", "paint-order",
];

/**
 * @param {SVGSVGElement | null} live  as the page shows it
 * @param {string} format  svg or png
 * @param {Omit<Frame, "keys">} frame
 * @returns {Promise<Blob>}
 */
export async function diagramPicture(live, format, frame) {
  if (!live) throw new Error("there is no diagram");
  const width = live.viewBox.baseVal?.width || live.clientWidth;
  const height = (live.viewBox.baseVal?.height || live.clientHeight) + UNDER;
  const copy = /** @type {SVGSVGElement} */ (live.cloneNode(true));
  inlined(live, copy);
  copy.setAttribute("viewBox", `0 0 ${width} ${height}`);
  copy.setAttribute("width", String(width));
  copy.setAttribute("height", String(height));
  return finished({ node: copy, width, height, across: [], up: "", rows: [] }, { ...frame, keys: diagramKeys(live) }, live, format);
}

// Every element gets what the style sheets say of it; what is not shown is left out.
function inlined(live, copy) {
  const copies = [...copy.querySelectorAll("*")];
  for (const [index, node] of [...live.querySelectorAll("*")].entries()) {
    const style = getComputedStyle(node);
    if (style.display === "none") {
      copies[index].remove();
      continue;
    }
    for (const name of STYLED) {
      const value = style.getPropertyValue(name);
      if (value) copies[index].style.setProperty(name, value);
    }
    for (const name of ["tabindex", "class"]) copies[index].removeAttribute(name);
  }
}

/** What the marks of this diagram mean. @param {SVGSVGElement} live @returns {import("./export_frame.js").Key[]} */
function diagramKeys(live) {
  const token = tokenOf(live);
  const has = (selector) => Boolean(live.querySelector(selector));
  /** @type {[string, import("./export_frame.js").Key][]} */
  const keys = [
    [".trunk", { sign: "line", colours: [token("trunk")], text: "trunk" }],
    [".skip:not(.off)", { sign: "line", colours: [token("skip")], text: "skip" }],
    [".skip.off", { sign: "line", colours: [token("skip-off")], dash: "4 3", width: 1.5, text: "skip, switched off" }],
    [".joint", { sign: "mark", mark: "+", colours: [token("ink")], text: "sum" }],
    [".valve", { sign: "valve", colours: [token("ink3"), token("card")], text: "gain: lets the gradient back" }],
    [".valve.shut", { sign: "valve", colours: [token("ink")], text: "filled: gain 0, shut" }],
    [".box.off", { sign: "hollow", colours: [token("ink3")], text: "dashed, crossed: layer off" }],
  ];
  return keys.filter(([selector]) => has(selector)).map(([, key]) => key);
}

/**
 * A plot as plotly draws it, or a painted picture as it is, in its frame.
 * @param {HTMLElement} host @param {string} format  svg or png
 * @param {Omit<Frame, "keys" | "title">} frame
 * @returns {Promise<Blob>}
 */
export async function plotPicture(host, format, frame) {
  const plots = /** @type {any[]} */ ([...host.querySelectorAll(".js-plotly-plot")]);
  const content = plots.length ? await plotContent(plots) : canvasContent(host.querySelector("canvas"));
  const said = plots.length ? plots[0].layout.meta : {};
  const beside = host.querySelector(".sv-picture-legend");
  const [title, keys] = beside ? legendBeside(beside) : [said.title, plotKeys(plots[0])];
  return finished(content, { ...frame, title, keys }, host, format);
}

/** @param {any[]} plots  the decision boundary is two, one over the other */
async function plotContent(plots) {
  const { width, height, ...full } = plots[0]._fullLayout;
  const { axes = {}, rows = [] } = plots[0].layout.meta;
  const data = plots.flatMap((plot) => plot.data);
  const layout = { ...plots.at(-1).layout, paper_bgcolor: "rgba(0,0,0,0)", width, height };
  const address = await /** @type {any} */ (window).Plotly.toImage({ data, layout, config: plots[0]._context }, { format: "svg", width, height });
  const node = parseSvg(decodeURIComponent(address.slice(address.indexOf(",") + 1)));
  const place = (axis) => axis._offset + axis._length / 2;
  const across = Object.entries(axes).filter(([name]) => name !== "y" && full[name.replace("x", "xaxis")]?._length > 0 && plots[0].data.some((trace) => (trace.xaxis ?? "x") === name && trace.visible !== false));
  return { node, width, height, across: across.map(([name, text]) => ({ text, at: place(full[name.replace("x", "xaxis")]) })), up: axes.y ?? "", rows };
}

/** @param {HTMLCanvasElement | null} canvas */
function canvasContent(canvas) {
  if (!canvas) throw new Error("nothing is drawn");
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  const node = document.createElementNS("http://www.w3.org/2000/svg", "image");
  for (const [name, value] of Object.entries({ width, height, href: canvas.toDataURL() })) node.setAttribute(name, String(value));
  return { node, width, height, across: [], up: "", rows: [] };
}

/** What a plot's traces mean: those that are drawn, in the order of the figure's own list. @param {any} plot @returns {import("./export_frame.js").Key[]} */
function plotKeys(plot) {
  const drawn = new Map(plot.data.filter((trace) => trace.visible !== false && (trace.y?.length || trace.z?.length)).map((trace) => [trace.meta, trace]));
  return plot.layout.meta.legend.filter(([role]) => drawn.has(role)).map(([role, sign, text]) => {
    const { marker, line, colorscale, fillcolor } = drawn.get(role);
    const colours = [...new Set([].concat(colorscale?.map(([, colour]) => colour) ?? (sign === "ramp" ? fillcolor : undefined) ?? marker?.color ?? line?.color))];
    const few = colours.length > 8 ? colours.filter((_, index) => index % Math.ceil(colours.length / 8) === 0) : colours;
    return { sign, colours: few.length ? few : [line?.color ?? "#888888"], text, width: line?.width, dash: line?.dash?.replaceAll("px", "").replaceAll(",", " ") };
  });
}

/** The title and the lines that stand beside a picture. @param {Element} legend @returns {[string, import("./export_frame.js").Key[]]} */
function legendBeside(legend) {
  const [head, ...lines] = [...legend.children];
  const single = lines.flatMap((line) => (line.querySelectorAll("[aria-hidden]").length > 1 ? [...line.children] : [line]));
  const keys = single.filter((line) => line.textContent).map((line) => {
    const sign = /** @type {HTMLElement | null} */ (line.querySelector("[aria-hidden]"));
    const mark = sign?.textContent ?? "·";
    return /** @type {import("./export_frame.js").Key} */ ({ sign: "mark", mark, colours: [getComputedStyle(sign ?? line).color], text: (line.textContent ?? "").slice(sign ? mark.length : 0) });
  });
  return [head?.textContent ?? "", keys];
}

/** @param {Element} node */
function tokenOf(node) {
  const style = getComputedStyle(node);
  return (name) => style.getPropertyValue(`--sv-${name}`).trim() || { card: "#ffffff" }[name] || "#16161d";
}

/** @param {import("./export_frame.js").Content} content @param {Frame} frame @param {Element} place  whose colours hold @param {string} format */
async function finished(content, frame, place, format) {
  const token = tokenOf(place);
  const picture = framedPicture(content, frame, { ground: token("card"), ink: token("ink"), ink2: token("ink2") });
  const svg = new Blob([new XMLSerializer().serializeToString(picture)], { type: "image/svg+xml" });
  return format === "svg" ? svg : rastered(svg, Number(picture.getAttribute("width")), Number(picture.getAttribute("height")));
}

async function rastered(svg, width, height) {
  const address = URL.createObjectURL(svg);
  try {
    const image = new Image(width * SCALE, height * SCALE);
    image.src = address;
    await image.decode();
    const canvas = Object.assign(document.createElement("canvas"), { width: width * SCALE, height: height * SCALE });
    canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise((resolve, reject) => canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no picture"))), "image/png"));
  } finally {
    URL.revokeObjectURL(address);
  }
}
