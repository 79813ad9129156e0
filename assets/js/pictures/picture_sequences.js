// @ts-check
// Held-out sequences: tokens in (or a source's), those wanted and those given; below them who attends to whom in the first sequence.
import { bytesOf, imageOf, legendLines, mixer, sharpContext } from "./picture_parts.js";

const ROW_GAP = 2;
const SEQUENCE_GAP = 8;
const SEQUENCE_ROW = 15;
const MAP_NAME = 16;
const MAP_GAP = 6;
const MAP_MOST = 92;
// px: the narrowest cell that a token's number can be read in.
const READABLE = 12;

/**
 * @param {HTMLCanvasElement} canvas
 * @param {any} state picture
 * @param {any} look tokens and width
 */
export function paintSequences(canvas, { picture }, { tokens, width }) {
  const [count, length] = picture?.size ?? [3, 8];
  const heads = picture?.attention ? picture.heads : 0;
  const columns = Math.min(Math.max(heads, 1), 4);
  const map = heads ? Math.floor(Math.min(MAP_MOST, (width - MAP_GAP * (columns - 1)) / columns)) : 0;
  const top = count * (3 * (SEQUENCE_ROW + ROW_GAP) + SEQUENCE_GAP);
  const rows = Math.ceil(heads / columns);
  const context = sharpContext(canvas, width, top + (heads ? MAP_NAME + rows * (map + MAP_GAP) : 0));
  const colour = mixer(tokens.muted, tokens.accent);
  for (let index = 0; index < count; index += 1) {
    ["given", "truth", "predicted"].forEach((name, row) => {
      const y = index * (3 * (SEQUENCE_ROW + ROW_GAP) + SEQUENCE_GAP) + row * (SEQUENCE_ROW + ROW_GAP);
      const cell = width / length;
      for (let at = 0; at < length; at += 1) {
        const token = picture?.[name][index][at];
        const wrong = row === 2 && picture && token !== picture.truth[index][at];
        tokenCell(context, { x: at * cell, y, cell }, { token, most: picture?.tokens ?? 1, wrong, strong: row !== 1 }, { tokens, colour });
      }
    });
  }
  if (heads) attentionMaps(context, picture, { top, map, columns }, tokens);
  return { sentence: sequenceSentence(picture), legend: sequenceLegend(picture, tokens) };
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {{x: number, y: number, cell: number}} box
 * @param {{token: number | undefined, most: number, wrong: boolean, strong: boolean}} what
 * @param {{tokens: Record<string, string>, colour: (byte: number) => number[]}} look
 */
function tokenCell(context, { x, y, cell }, { token, most, wrong, strong }, { tokens, colour }) {
  const share = token === undefined ? 0 : (110 * token) / Math.max(1, most - 1);
  context.fillStyle = `rgb(${colour(share).join(" ")})`;
  context.fillRect(x, y, Math.max(1, cell - (cell > 4 ? 1 : 0)), SEQUENCE_ROW);
  if (wrong) {
    context.strokeStyle = tokens.over;
    context.lineWidth = 2;
    context.strokeRect(x + 1, y + 1, Math.max(1, cell - 3), SEQUENCE_ROW - 2);
  }
  if (token === undefined || cell < READABLE) return;
  context.fillStyle = wrong ? tokens.warning : strong ? tokens.ink : tokens.ink2;
  context.font = `${wrong ? 600 : 400} 11px 'Source Sans', 'Source Sans 3', sans-serif`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(String(token), x + cell / 2 - 0.5, y + SEQUENCE_ROW / 2 + 0.5, cell - 2);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {any} picture
 * @param {{top: number, map: number, columns: number}} place
 * @param {Record<string, string>} tokens
 */
function attentionMaps(context, picture, { top, map, columns }, tokens) {
  const length = picture.size[1];
  const bytes = bytesOf(picture.attention);
  const colour = mixer(tokens.muted, tokens.ink);
  context.fillStyle = tokens.ink2;
  context.font = "12px 'Source Sans', 'Source Sans 3', sans-serif";
  context.textAlign = "left";
  context.textBaseline = "middle";
  context.fillText(`attention of ${picture.layer}, first sequence`, 0, top + MAP_NAME / 2 - 2);
  context.imageSmoothingEnabled = false;
  for (let head = 0; head < picture.heads; head += 1) {
    const x = (head % columns) * (map + MAP_GAP);
    const y = top + MAP_NAME + Math.floor(head / columns) * (map + MAP_GAP);
    context.drawImage(imageOf(bytes, head * length * length, length, length, colour), x, y, map, map);
  }
}

/** @param {any} picture */
function wholeSequences(picture) {
  return picture.predicted.filter((/** @type {number[]} */ row, /** @type {number} */ index) => row.every((token, at) => token === picture.truth[index][at])).length;
}

/** @param {any} picture */
function sequenceSentence(picture) {
  if (!picture) return "Sequences: the network has not been asked yet.";
  const tokens = picture.predicted.flat();
  const right = tokens.filter((/** @type {number} */ token, /** @type {number} */ at) => token === picture.truth.flat()[at]).length;
  return `${picture.size[0]} held-out sequences: ${wholeSequences(picture)} given without a mistake, ${right} of ${tokens.length} tokens right.`;
}

/** @param {any} picture @param {Record<string, string>} tokens */
function sequenceLegend(picture, tokens) {
  const rows = picture?.source ? "source, target" : "given, wanted";
  const lines = [{ text: `Held-out, three rows each: ${rows}, predicted` }, { mark: "☐", colour: tokens.over, text: "wrong" }];
  if (picture) lines.unshift({ text: `${wholeSequences(picture)} of ${picture.size[0]} without a mistake` });
  if (picture?.attention) lines.push({ text: "Maps: a head each; a row is a position, strongest where it looks" });
  return legendLines("Sequences", lines, tokens);
}
