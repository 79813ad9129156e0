// @ts-check
// Held-out digits with what the network reads; a wrong one has an amber frame, a cross and its true name.
import { bytesOf, imageOf, legendLines, mixer, sharpContext } from "./picture_parts.js";

const CELL_GAP = 6;
const CAPTION = 16;
const SMALLEST_CELL = 26;

/**
 * @param {HTMLCanvasElement} canvas
 * @param {any} state picture
 * @param {any} look tokens and width
 */
export function paintDigits(canvas, { picture }, { tokens, width }) {
  const columns = Math.max(2, Math.min(6, Math.floor((width + CELL_GAP) / (SMALLEST_CELL + CELL_GAP))));
  const cell = Math.floor((width - CELL_GAP * (columns - 1)) / columns);
  const count = picture?.count ?? 24;
  const context = sharpContext(canvas, width, Math.ceil(count / columns) * (cell + CAPTION + 2) + 2);
  const bytes = picture ? bytesOf(picture.images) : null;
  const wrong = [];
  for (let index = 0; index < count; index += 1) {
    const x = (index % columns) * (cell + CELL_GAP);
    const y = Math.floor(index / columns) * (cell + CAPTION + 2);
    const box = { x, y, cell };
    if (!bytes) {
      context.fillStyle = tokens.muted;
      context.fillRect(x, y, cell, cell);
      continue;
    }
    const [height, across] = picture.size;
    const image = imageOf(bytes, index * height * across, across, height, mixer(tokens.muted, tokens.ink));
    context.imageSmoothingEnabled = false;
    context.drawImage(image, x, y, cell, cell);
    const right = picture.label[index] === picture.predicted[index];
    if (!right) wrong.push(`${picture.label[index]} as ${picture.predicted[index]}`);
    caption(context, box, tokens, picture.predicted[index], right ? null : picture.label[index]);
  }
  return { sentence: digitSentence(picture, wrong), legend: digitLegend(picture, wrong.length, tokens) };
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {{x: number, y: number, cell: number}} box
 * @param {Record<string, string>} tokens
 * @param {number} predicted
 * @param {number | null} truth of a digit read wrongly
 */
function caption(context, { x, y, cell }, tokens, predicted, truth) {
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.font = `${truth === null ? 400 : 600} 12px 'Source Sans', 'Source Sans 3', sans-serif`;
  context.fillStyle = truth === null ? tokens.ink2 : tokens.warning;
  const text = truth === null ? String(predicted) : cell >= 44 ? `✕ ${predicted} (${truth})` : `✕${predicted}(${truth})`;
  context.fillText(text, x + cell / 2, y + cell + CAPTION / 2 + 1, cell);
  if (truth === null) return;
  context.strokeStyle = tokens.over;
  context.lineWidth = 2;
  context.strokeRect(x + 1, y + 1, cell - 2, cell - 2);
}

/** @param {any} picture @param {string[]} wrong */
function digitSentence(picture, wrong) {
  if (!picture) return "Held-out digits: the network has not been asked yet.";
  const right = picture.count - wrong.length;
  return `${picture.count} held-out digits: ${right} read correctly${wrong.length ? `, ${wrong.length} wrongly (${wrong.slice(0, 8).join(", ")}${wrong.length > 8 ? ", …" : ""})` : ""}.`;
}

/** @param {any} picture @param {number} wrong @param {Record<string, string>} tokens */
function digitLegend(picture, wrong, tokens) {
  const lines = [{ text: "Held-out digits, below each what the network reads" }, { mark: "✕", colour: tokens.warning, text: "wrong (truth)" }];
  if (picture) lines.unshift({ text: `${picture.count - wrong} of ${picture.count} right` });
  return legendLines("Digits", lines, tokens);
}
