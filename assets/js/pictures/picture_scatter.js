// @ts-check
// What the network predicts of held-out rows against the truth, in the table's own unit: right ones lie on the diagonal.
import { formatNumber } from "../common/numbers.js";
import { legendLines, sharpContext } from "./picture_parts.js";

const SCATTER_DOT = 2.2;
const AXIS_ROOM = 18;

/**
 * @param {HTMLCanvasElement} canvas
 * @param {any} state picture
 * @param {any} look tokens and width
 */
export function paintScatter(canvas, { picture }, { tokens, width }) {
  const side = width - AXIS_ROOM;
  const context = sharpContext(canvas, width, width);
  context.fillStyle = tokens.muted;
  context.fillRect(AXIS_ROOM, 0, side, side);
  context.beginPath();
  context.moveTo(AXIS_ROOM, side);
  context.lineTo(width, 0);
  context.strokeStyle = tokens.ink3;
  context.lineWidth = 1;
  context.setLineDash([4, 3]);
  context.stroke();
  context.setLineDash([]);
  if (picture) dots(context, picture, side, tokens);
  scatterAxes(context, picture, side, tokens);
  return { sentence: scatterSentence(picture), legend: scatterLegend(picture, tokens) };
}

/** @param {CanvasRenderingContext2D} context @param {any} picture @param {number} side @param {Record<string, string>} tokens */
function dots(context, picture, side, tokens) {
  const [low, high] = picture.extent;
  const place = (/** @type {number} */ value) => Math.min(1, Math.max(0, (value - low) / (high - low))) * side;
  context.fillStyle = tokens.accent;
  context.globalAlpha = 0.7;
  picture.truth.forEach((/** @type {number} */ truth, /** @type {number} */ index) => {
    context.beginPath();
    context.arc(AXIS_ROOM + place(truth), side - place(picture.predicted[index]), SCATTER_DOT, 0, 2 * Math.PI);
    context.fill();
  });
  context.globalAlpha = 1;
}

/** @param {CanvasRenderingContext2D} context @param {any} picture @param {number} side @param {Record<string, string>} tokens */
function scatterAxes(context, picture, side, tokens) {
  context.font = "12px 'Source Sans', 'Source Sans 3', sans-serif";
  context.fillStyle = tokens.ink2;
  context.textBaseline = "middle";
  context.textAlign = "center";
  context.fillText("true", AXIS_ROOM + side / 2, side + AXIS_ROOM / 2 + 1);
  context.save();
  context.translate(AXIS_ROOM / 2 - 1, side / 2);
  context.rotate(-Math.PI / 2);
  context.fillText("predicted", 0, 0);
  context.restore();
  if (!picture) return;
  const [low, high] = picture.extent.map(formatNumber);
  context.textAlign = "left";
  context.fillText(low, AXIS_ROOM, side + AXIS_ROOM / 2 + 1);
  context.textAlign = "right";
  context.fillText(high, AXIS_ROOM + side, side + AXIS_ROOM / 2 + 1);
}

/** The mean distance between predicted and true numbers. @param {any} picture */
function meanMiss(picture) {
  const misses = picture.truth.map((/** @type {number} */ truth, /** @type {number} */ index) => Math.abs(truth - picture.predicted[index]));
  return misses.reduce((/** @type {number} */ sum, /** @type {number} */ miss) => sum + miss, 0) / misses.length;
}

/** @param {any} picture */
function scatterSentence(picture) {
  if (!picture) return "Held-out rows: the network has not been asked yet.";
  return `${picture.truth.length} held-out rows: the predicted number is off by ${formatNumber(meanMiss(picture))} on average.`;
}

/** @param {any} picture @param {Record<string, string>} tokens */
function scatterLegend(picture, tokens) {
  const lines = [
    { mark: "●", colour: tokens.accent, text: "a held-out row" },
    { mark: "┄", colour: tokens.ink3, text: "predicted as it is" },
    { text: "Outside the field: at its edge" },
  ];
  if (picture) lines.unshift({ text: `Off by ${formatNumber(meanMiss(picture))} on average` });
  return legendLines("Predicted and true", lines, tokens);
}
