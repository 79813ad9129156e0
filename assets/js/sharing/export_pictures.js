// @ts-check
// The diagram and the plots as pictures that stand alone: SVG with its styles inside, PNG at twice the size.

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
 * @returns {Promise<Blob>}
 */
export async function diagramPicture(live, format) {
  if (!live) throw new Error("there is no diagram");
  const width = live.viewBox.baseVal?.width || live.clientWidth;
  const height = (live.viewBox.baseVal?.height || live.clientHeight) + UNDER;
  const copy = /** @type {SVGSVGElement} */ (live.cloneNode(true));
  inlined(live, copy);
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("viewBox", `0 0 ${width} ${height}`);
  copy.setAttribute("width", String(width));
  copy.setAttribute("height", String(height));
  const ground = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  for (const [name, value] of Object.entries({ width, height, fill: getComputedStyle(live).getPropertyValue("--sv-card").trim() || "#ffffff" })) ground.setAttribute(name, String(value));
  copy.prepend(ground);
  const svg = new Blob([new XMLSerializer().serializeToString(copy)], { type: "image/svg+xml" });
  return format === "svg" ? svg : rastered(svg, width, height);
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

async function rastered(svg, width, height) {
  const address = URL.createObjectURL(svg);
  try {
    const image = new Image(width * SCALE, height * SCALE);
    image.src = address;
    await image.decode();
    const canvas = Object.assign(document.createElement("canvas"), { width: width * SCALE, height: height * SCALE });
    canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
    return await blobOf(canvas);
  } finally {
    URL.revokeObjectURL(address);
  }
}

function blobOf(canvas) {
  return new Promise((resolve, reject) => canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no picture"))), "image/png"));
}

/**
 * A plot as plotly draws it, or a painted picture as it is; both on the card's colour.
 * @param {HTMLElement} host @param {string} format  svg or png @param {string} ground
 * @returns {Promise<Blob>}
 */
export async function plotPicture(host, format, ground) {
  const plots = /** @type {any[]} */ ([...host.querySelectorAll(".js-plotly-plot")]);
  if (!plots.length) {
    const canvas = host.querySelector("canvas");
    if (!canvas) throw new Error("nothing is drawn");
    return blobOf(canvas);
  }
  const Plotly = /** @type {any} */ (window).Plotly;
  const { width, height } = plots[0]._fullLayout;
  // The decision boundary is two plots, one over the other.
  const data = plots.flatMap((plot) => plot.data);
  const layout = { ...plots.at(-1).layout, paper_bgcolor: ground, width, height };
  const address = await Plotly.toImage({ data, layout, config: plots[0]._context }, { format, width, height, scale: format === "png" ? SCALE : 1 });
  return (await fetch(address)).blob();
}
