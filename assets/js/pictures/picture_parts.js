// @ts-check
// What the pictures share: bytes, canvases of the screen's own sharpness, lines of a legend.
import { element } from "../common/dom.js";

/**
 * Bytes of base64 text.
 * @param {string} text
 * @returns {Uint8Array}
 */
export function bytesOf(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/**
 * Size a canvas in CSS px and return its context, scaled to them.
 * @param {HTMLCanvasElement} canvas
 * @param {number} width
 * @param {number} height
 * @returns {CanvasRenderingContext2D}
 */
export function sharpContext(canvas, width, height) {
  const density = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * density);
  canvas.height = Math.round(height * density);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.setTransform(density, 0, 0, density, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

/**
 * A title and lines under it; a line may begin with a coloured mark.
 * @param {string} title
 * @param {{mark?: string, colour?: string, text: string}[]} lines
 * @param {Record<string, string>} tokens
 * @returns {HTMLElement[]}
 */
export function legendLines(title, lines, tokens) {
  const head = element("div", {}, title);
  Object.assign(head.style, { fontSize: "13px", fontWeight: "600", color: tokens.ink });
  const rows = lines.map(({ mark, colour, text }) => {
    const sign = mark ? element("span", { "aria-hidden": "true" }, mark) : null;
    if (sign) Object.assign(sign.style, { color: colour, display: "inline-block", width: "16px", fontSize: "14px", lineHeight: "1" });
    return element("div", {}, sign, text);
  });
  return [head, ...rows];
}

/**
 * One grey image of bytes as a small canvas, to be drawn larger without smoothing.
 * @param {Uint8Array} bytes
 * @param {number} offset
 * @param {number} width px
 * @param {number} height px
 * @param {(byte: number) => [number, number, number]} colour
 */
export function imageOf(bytes, offset, width, height, colour) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const image = context.createImageData(width, height);
  for (let index = 0; index < width * height; index += 1) {
    const [red, green, blue] = colour(bytes[offset + index] ?? 0);
    image.data.set([red, green, blue, 255], 4 * index);
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

/**
 * `text`, cut with an ellipsis where it is wider than `width` px in the context's font.
 * @param {CanvasRenderingContext2D} context
 * @param {string} text
 * @param {number} width
 */
export function clippedText(context, text, width) {
  if (context.measureText(text).width <= width) return text;
  let kept = text;
  while (kept.length > 1 && context.measureText(`${kept}…`).width > width) kept = kept.slice(0, -1);
  return `${kept}…`;
}

/**
 * A colour between two, `byte` of 255 of the way.
 * @param {string} from #RRGGBB
 * @param {string} to
 * @returns {(byte: number) => [number, number, number]}
 */
export function mixer(from, to) {
  const parts = (/** @type {string} */ colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  const [a, b] = [parts(from), parts(to)];
  return (byte) => /** @type {[number, number, number]} */ (a.map((value, axis) => Math.round(value + ((b[axis] - value) * byte) / 255)));
}
