// @ts-check
// Points of one number by another, and the curve that the network draws through them.
import { legendLines, sharpContext } from "./picture_parts.js";

const DOT = 1.8;

/**
 * @param {HTMLCanvasElement} canvas
 * @param {any} state picture and header
 * @param {any} look tokens and width
 */
export function paintCurve(canvas, { picture, header }, { tokens, width }) {
  const points = header?.points ?? { x: [], y: [], held_out: [] };
  const [left, right, bottom, top] = picture?.extent ?? curveExtent(points);
  const context = sharpContext(canvas, width, width);
  const at = (/** @type {number} */ x) => ((x - left) / (right - left)) * width;
  const up = (/** @type {number} */ y) => width - ((y - bottom) / (top - bottom)) * width;
  context.fillStyle = tokens.muted;
  context.fillRect(0, 0, width, width);
  context.lineWidth = 1;
  points.x.forEach((/** @type {number} */ x, /** @type {number} */ index) => {
    context.beginPath();
    context.arc(at(x), up(points.y[index]), DOT, 0, 2 * Math.PI);
    context.fillStyle = context.strokeStyle = points.held_out[index] ? tokens.class1 : tokens.ink3;
    if (points.held_out[index]) context.stroke();
    else context.fill();
  });
  if (picture) {
    const step = (right - left) / (picture.fitted.length - 1);
    context.beginPath();
    picture.fitted.forEach((/** @type {number} */ y, /** @type {number} */ index) => context.lineTo(at(left + index * step), up(y)));
    context.strokeStyle = tokens.accent;
    context.lineWidth = 2;
    context.lineJoin = "round";
    context.stroke();
  }
  return { sentence: curveSentence(picture, points), legend: curveLegend(tokens) };
}

/** @param {{x: number[], y: number[]}} points */
function curveExtent({ x, y }) {
  return x.length ? [Math.min(...x), Math.max(...x), Math.min(...y), Math.max(...y)] : [-1, 1, -1, 1];
}

/** @param {any} picture @param {any} points */
function curveSentence(picture, points) {
  const count = points.x.length;
  if (!picture) return `Curve: ${count} points; the network has not been asked yet.`;
  const [low, high] = [Math.min(...picture.fitted), Math.max(...picture.fitted)].map((value) => value.toFixed(2).replace("-", "−"));
  return `Curve: ${count} points; the network's curve runs between ${low} and ${high}.`;
}

/** @param {Record<string, string>} tokens */
function curveLegend(tokens) {
  const lines = [
    { mark: "—", colour: tokens.accent, text: "the network" },
    { mark: "●", colour: tokens.ink3, text: "trained on" },
    { mark: "○", colour: tokens.class1, text: "held out" },
  ];
  return legendLines("Curve", lines, tokens);
}
