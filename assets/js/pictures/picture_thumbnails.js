// @ts-check
// Somebody's own held-out pictures, in grey or colour, with the class that the network takes each for.
import { bytesOf, clippedText, imageOf, legendLines, mixer, sharpContext } from "./picture_parts.js";

const THUMB_GAP = 8;
const THUMB_CAPTION = 17;
const SMALLEST_THUMB = 44;

/**
 * @param {HTMLCanvasElement} canvas
 * @param {any} state picture and header
 * @param {any} look tokens and width
 */
export function paintThumbnails(canvas, { picture, header }, { tokens, width }) {
  const columns = Math.max(2, Math.min(4, Math.floor((width + THUMB_GAP) / (SMALLEST_THUMB + THUMB_GAP))));
  const cell = Math.floor((width - THUMB_GAP * (columns - 1)) / columns);
  const count = picture?.count ?? 12;
  const context = sharpContext(canvas, width, Math.ceil(count / columns) * (cell + THUMB_CAPTION));
  const bytes = picture ? bytesOf(picture.images) : null;
  const names = header?.classes ?? [];
  const wrong = [];
  for (let index = 0; index < count; index += 1) {
    const box = { x: (index % columns) * (cell + THUMB_GAP), y: Math.floor(index / columns) * (cell + THUMB_CAPTION), cell };
    context.fillStyle = tokens.muted;
    context.fillRect(box.x, box.y, cell, cell);
    if (!bytes) continue;
    drawThumbnail(context, box, picture, bytes, index, tokens);
    const predicted = classNamed(names, picture.predicted[index]);
    const right = picture.label[index] === picture.predicted[index];
    if (!right) wrong.push(`${classNamed(names, picture.label[index])} as ${predicted}`);
    nameThumbnail(context, box, predicted, right, tokens);
  }
  return { sentence: thumbnailSentence(picture, wrong), legend: thumbnailLegend(picture, wrong.length, tokens) };
}

/** @param {string[]} names @param {number} place @returns {string} */
function classNamed(names, place) {
  return names[place] ?? String(place);
}

/**
 * Draw a picture as large as its cell lets it be, its sides in their own proportion.
 * @param {CanvasRenderingContext2D} context
 * @param {{x: number, y: number, cell: number}} box
 * @param {any} picture
 * @param {Uint8Array} bytes
 * @param {number} index
 * @param {Record<string, string>} tokens
 */
function drawThumbnail(context, { x, y, cell }, picture, bytes, index, tokens) {
  const [height, across] = picture.size;
  const length = height * across * picture.channels;
  const image =
    picture.channels === 3
      ? colourImage(bytes.subarray(index * length, (index + 1) * length), across, height)
      : imageOf(bytes, index * length, across, height, mixer("#000000", "#FFFFFF"));
  const scale = cell / Math.max(height, across);
  context.imageSmoothingEnabled = false;
  context.drawImage(image, x + (cell - across * scale) / 2, y + (cell - height * scale) / 2, across * scale, height * scale);
  context.strokeStyle = tokens.line;
  context.lineWidth = 1;
  context.strokeRect(x + 0.5, y + 0.5, cell - 1, cell - 1);
}

/** @param {Uint8Array} bytes red, green and blue of each pixel @param {number} width @param {number} height */
function colourImage(bytes, width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const image = context.createImageData(width, height);
  for (let pixel = 0; pixel < width * height; pixel += 1) image.data.set([...bytes.subarray(3 * pixel, 3 * pixel + 3), 255], 4 * pixel);
  context.putImageData(image, 0, 0);
  return canvas;
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {{x: number, y: number, cell: number}} box
 * @param {string} predicted
 * @param {boolean} right
 * @param {Record<string, string>} tokens
 */
function nameThumbnail(context, { x, y, cell }, predicted, right, tokens) {
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.font = `${right ? 400 : 600} 12px 'Source Sans', 'Source Sans 3', sans-serif`;
  context.fillStyle = right ? tokens.ink2 : tokens.warning;
  context.fillText(clippedText(context, right ? predicted : `✕ ${predicted}`, cell + THUMB_GAP - 2), x + cell / 2, y + cell + THUMB_CAPTION / 2);
  if (right) return;
  context.strokeStyle = tokens.over;
  context.lineWidth = 2;
  context.strokeRect(x + 1, y + 1, cell - 2, cell - 2);
}

/** @param {any} picture @param {string[]} wrong */
function thumbnailSentence(picture, wrong) {
  if (!picture) return "Your held-out pictures: the network has not been asked yet.";
  const listed = `${wrong.slice(0, 6).join(", ")}${wrong.length > 6 ? ", …" : ""}`;
  return `${picture.count} held-out pictures: ${picture.count - wrong.length} named correctly${wrong.length ? `, ${wrong.length} wrongly (${listed})` : ""}.`;
}

/** @param {any} picture @param {number} wrong @param {Record<string, string>} tokens */
function thumbnailLegend(picture, wrong, tokens) {
  const lines = [{ text: "Held-out pictures, below each what the network takes it for" }, { mark: "✕", colour: tokens.warning, text: "wrong" }];
  if (picture) lines.unshift({ text: `${picture.count - wrong} of ${picture.count} right` });
  return legendLines("Pictures", lines, tokens);
}
