// @ts-check
// Images, the masks of what is to be found in them and those that the network gives, one above the other.
import { bytesOf, imageOf, legendLines, mixer, sharpContext } from "./picture_parts.js";

const MASK_GAP = 6;
const ROW_NAME = 15;
const MASK_MOST = 96;
const ROW_NAMES = ["image", "truth", "predicted"];

/**
 * @param {HTMLCanvasElement} canvas
 * @param {any} state picture
 * @param {any} look tokens and width
 */
export function paintMasks(canvas, { picture }, look) {
  const { tokens } = look;
  drawMaskRows(canvas, picture, look, [tokens.ink, tokens.ink2, tokens.class1].map((ink) => mixer(tokens.muted, ink)));
  // Scored where the network's own numbers are: a byte of the picture can't tell one half from a little more.
  const dice = picture?.dice ?? [];
  const scores = dice.map((/** @type {number} */ score) => score / (2 - score));
  const lines = [{ text: "Held-out images; predicted: the deeper, the surer" }];
  if (picture?.slice) lines.push({ text: `Slice ${picture.slice[0]} of ${picture.slice[1]} along the depth; scores of whole volumes` });
  if (scores.length) lines.unshift({ text: `IoU ${inWords(scores)}` }, { text: `Dice ${inWords(dice)}` });
  return { sentence: maskSentence(scores), legend: legendLines("Masks", lines, tokens) };
}

/**
 * Draw a row of images, one of true masks and one of predicted ones.
 * @param {HTMLCanvasElement} canvas
 * @param {any} picture
 * @param {any} look tokens and width
 * @param {((byte: number) => [number, number, number])[]} colours of each row's bytes
 */
export function drawMaskRows(canvas, picture, { tokens, width, height: tallest }, colours) {
  const count = picture?.count ?? 3;
  const cell = Math.floor(Math.min(tallest / 3 - ROW_NAME - 2, MASK_MOST, (width - MASK_GAP * (count - 1)) / count));
  const context = sharpContext(canvas, count * (cell + MASK_GAP) - MASK_GAP, 3 * (cell + ROW_NAME + 2));
  const layers = picture ? [picture.images, picture.truth, picture.predicted].map(bytesOf) : null;
  ROW_NAMES.forEach((name, row) => {
    const y = row * (cell + ROW_NAME + 2) + ROW_NAME;
    context.font = "12px 'Source Sans', 'Source Sans 3', sans-serif";
    context.textBaseline = "middle";
    context.fillStyle = tokens.ink2;
    context.fillText(name, 0, y - ROW_NAME / 2);
    for (let index = 0; index < count; index += 1) {
      const x = index * (cell + MASK_GAP);
      context.imageSmoothingEnabled = false;
      if (layers) {
        const [height, across] = picture.size;
        const scale = cell / Math.max(height, across);
        context.drawImage(imageOf(layers[row], index * height * across, across, height, colours[row]), x, y, across * scale, height * scale);
      } else {
        context.fillStyle = tokens.muted;
        context.fillRect(x, y, cell, cell);
      }
    }
  });
}

/** @param {number[]} scores */
function inWords(scores) {
  return scores.map((score) => score.toFixed(2)).join(", ");
}

/** @param {number[]} scores */
function maskSentence(scores) {
  if (!scores.length) return "Masks: the network has not been asked yet.";
  return `Masks of ${scores.length} held-out images; the predicted mask and the true one overlap by ${scores.map((score) => `${Math.round(100 * score)} %`).join(", ")}.`;
}
