// @ts-check
// Which held-out rows of each class the network takes for which: a row is the truth, a column what it says.
import { isUnequal, metricWord } from "../common/metric_words.js";
import { clippedText, legendLines, mixer, sharpContext } from "./picture_parts.js";

const NAMES_MOST = 76;
const NAMED_CELL = 12;
const NUMBERED_CELL = 20;
// Classes whose share is written out, the worst first.
const CLASSES_SAID = 4;

/**
 * @param {HTMLCanvasElement} canvas
 * @param {any} state picture and header
 * @param {any} look tokens and width
 */
export function paintConfusion(canvas, { picture, header }, { tokens, width }) {
  const names = header?.classes ?? [];
  const count = picture?.size[0] ?? Math.max(2, names.length);
  const named = (width - NAMES_MOST) / count >= NAMED_CELL;
  const left = named ? NAMES_MOST : 0;
  const cell = Math.min(56, (width - left) / count);
  const context = sharpContext(canvas, left + cell * count, cell * count);
  const totals = Array.from({ length: count }, (_, row) => confusionRow(picture, row, count).reduce((sum, value) => sum + value, 0));
  const colours = { right: mixer(tokens.muted, tokens.class1), wrong: mixer(tokens.muted, tokens.over) };
  context.font = "12px 'Source Sans', 'Source Sans 3', sans-serif";
  context.textBaseline = "middle";
  for (let row = 0; row < count; row += 1) {
    const values = confusionRow(picture, row, count);
    if (named) {
      context.fillStyle = tokens.ink2;
      context.textAlign = "right";
      context.fillText(clippedText(context, String(names[row] ?? row), NAMES_MOST - 8), NAMES_MOST - 8, (row + 0.5) * cell);
    }
    for (let column = 0; column < count; column += 1) {
      const share = totals[row] ? values[column] / totals[row] : 0;
      const [red, green, blue] = (row === column ? colours.right : colours.wrong)(Math.round(255 * share));
      context.fillStyle = `rgb(${red} ${green} ${blue})`;
      const gap = cell > 8 ? 1 : 0.5;
      context.fillRect(left + column * cell, row * cell, cell - gap, cell - gap);
      if (cell < NUMBERED_CELL || !values[column]) continue;
      context.fillStyle = share > 0.5 ? tokens.card : tokens.ink;
      context.textAlign = "center";
      context.fillText(String(values[column]), left + (column + 0.5) * cell, (row + 0.5) * cell, cell - 4);
    }
  }
  return { sentence: confusionSentence(picture, names), legend: confusionLegend(picture, names, header, tokens) };
}

/** @param {any} picture @param {number} row @param {number} count @returns {number[]} */
function confusionRow(picture, row, count) {
  return picture ? picture.counts.slice(row * count, (row + 1) * count) : Array(count).fill(0);
}

/** @param {any} picture @returns {{right: number, all: number, worst: {share: number, row: number, column: number} | null}} */
function mixUps(picture) {
  const count = picture.size[0];
  let [right, all, worst] = [0, 0, /** @type {any} */ (null)];
  for (let row = 0; row < count; row += 1) {
    const values = confusionRow(picture, row, count);
    const total = values.reduce((sum, value) => sum + value, 0);
    all += total;
    right += values[row];
    values.forEach((value, column) => {
      if (row !== column && value && (!worst || value / total > worst.share)) worst = { share: value / total, row, column };
    });
  }
  return { right, all, worst };
}

/** @param {any} picture @param {string[]} names */
function confusionSentence(picture, names) {
  if (!picture) return "Held-out rows: the network has not been asked yet.";
  const { right, all, worst } = mixUps(picture);
  const often = worst ? `; most often ${names[worst.row] ?? worst.row} is taken for ${names[worst.column] ?? worst.column}, ${Math.round(100 * worst.share)} % of its rows` : "";
  return `${all} held-out rows: the class of ${right} is predicted correctly${often}.`;
}

/** Where classes are unequal, their mean share that is right, and the share of each of the worst. @param {any} picture @param {string[]} names @param {any} header */
function byClass(picture, names, header) {
  if (!isUnequal(header)) return [];
  const count = picture.size[0];
  const found = Array.from({ length: count }, (_, row) => {
    const values = confusionRow(picture, row, count);
    return { row, right: values[row], all: values.reduce((sum, value) => sum + value, 0) };
  }).filter(({ all }) => all);
  const mean = found.reduce((sum, { right, all }) => sum + right / all, 0) / found.length;
  const worst = found.sort((a, b) => a.right / a.all - b.right / b.all).slice(0, CLASSES_SAID);
  return [
    { text: `${metricWord(mean, "accuracy")} balanced: every class counts the same` },
    ...worst.map(({ row, right, all }) => ({ text: `${names[row] ?? row}: ${right} of ${all}` })),
  ];
}

/** @param {any} picture @param {string[]} names @param {any} header @param {Record<string, string>} tokens */
function confusionLegend(picture, names, header, tokens) {
  const lines = [
    { text: "Held-out rows: a line is a true class, a column what the network says, in the same order" },
    { mark: "■", colour: tokens.class1, text: "right" },
    { mark: "■", colour: tokens.over, text: "mixed up" },
  ];
  if (picture) {
    const { right, all } = mixUps(picture);
    lines.unshift({ text: `${right} of ${all} right` }, ...byClass(picture, names, header));
  }
  return legendLines("Classes", lines, tokens);
}
