// @ts-check
// The bars' column: bars, whiskers, collapsed groups, hollow bars of the network without skips, ticks of before, numbers.
import { rampColour, scaleOf } from "../diagram/diagram_paint.js";
import { formatNumber, logWithin } from "../common/numbers.js";
import { markValues, partName, partNumber, collapsedBins } from "./row_marks.js";
import { polylines, stroke } from "./trace_arrays.js";

/** @typedef {import("./row_marks.js").RowMark} RowMark */

// px between two numbers on neighbouring rows below which only the first and the last are written.
const NUMBER_PITCH = 26;
const NUMBER_LINE = 15;
// px of a hollow bar whose value is 0 or below the axis, so that it still reads as one.
const HOLLOW_LEAST = 4;

/**
 * Everything in the bars' column.
 * @param {any} state
 * @param {import("./plot_host.js").Look} look
 * @param {RowMark[]} marks
 * @param {any} areas
 */
export function gradientDrawing(state, look, marks, areas) {
  const drawing = { bars: [], envelope: polylines(), pale: "", whiskers: polylines(), medians: polylines(), baselines: polylines(), theory: polylines(), before: polylines(), numbers: [] };
  const sets = markValues(state);
  const written = numbersWritten(marks, look);
  const predicted = marks.filter((mark) => mark.theory);
  if (predicted.length) stroke(drawing.theory, predicted.flatMap((mark) => theoryPoints(mark, sets.theory, areas)));
  marks.forEach((mark, index) => {
    const context = { drawing, look, areas, mark, sets };
    if (mark.collapsed) drawCollapsed(context);
    else drawRow(context, written.has(index));
  });
  return drawing;
}

/**
 * Rows whose number is written: all where there is room, else the first and the last; zero and over-range always.
 * @param {RowMark[]} marks
 * @param {import("./plot_host.js").Look} look
 */
function numbersWritten(marks, look) {
  const rows = marks.map((mark, index) => ({ mark, index })).filter(({ mark }) => !mark.collapsed);
  const pitches = rows.slice(1).map(({ mark }, index) => mark.y - rows[index].mark.y);
  const roomy = Math.min(...pitches, 99) >= NUMBER_PITCH && look.figure.layout.meta.page === "figure";
  // A row without weights, such as a head of pooling, has no number.
  const measured = rows.filter(({ mark }) => mark.now);
  const ends = [measured[0]?.index, measured[measured.length - 1]?.index];
  const chosen = new Set();
  let last = -Infinity;
  for (const { mark, index } of rows) {
    const notable = mark.now && (mark.now.median === 0 || mark.now.median > 10);
    if (!roomy && !ends.includes(index) && !(notable && mark.y - last >= NUMBER_LINE - 3)) continue;
    chosen.add(index);
    last = mark.y;
  }
  return chosen;
}

/**
 * @param {any} context
 * @param {boolean} written whether the row's number is written
 */
function drawRow({ drawing, look, areas, mark }, written) {
  const { now, baseline, before } = mark;
  const { low, high, unit } = areas;
  const half = mark.h / 2;
  let end = low;
  if (now) {
    const over = now.median > 10;
    end = logWithin(now.median, low, high) ?? low;
    const colour = over ? look.tokens.over : barColour(look, now.median);
    const sliver = now.median === 0 ? 2 * unit : Math.max(end - low, 1.5 * unit);
    drawing.bars.push({ y: mark.y, h: mark.h, from: low, to: low + sliver, colour: now.median === 0 ? look.tokens.ink3 : colour });
    const [least, most] = mark.band ?? [now.smallest, now.largest];
    if (most > least) {
      const [a, b] = [least, most].map((value) => logWithin(value, low, high) ?? low);
      const cap = Math.min(4, half - 1);
      stroke(drawing.whiskers, [[a, mark.y - cap], [a, mark.y + cap], [a, mark.y], [b, mark.y], [b, mark.y - cap], [b, mark.y + cap]]);
      end = Math.max(end, b);
    }
  }
  if (baseline) {
    const x = Math.max(logWithin(baseline.median, low, high) ?? low, low + HOLLOW_LEAST * unit);
    const out = half + 2;
    stroke(drawing.baselines, [[low, mark.y - out], [x, mark.y - out], [x, mark.y + out], [low, mark.y + out]]);
    if (written) end = Math.max(end, x);
  }
  if (before) {
    const x = logWithin(before.median, low, high) ?? low;
    stroke(drawing.before, [[x, mark.y - half], [x, mark.y + half]]);
    if (written) end = Math.max(end, x);
  }
  const below = now && now.median > 0 && Math.log10(now.median) < low;
  if (below && !written) drawing.numbers.push({ x: end + 3 * unit, y: mark.y, text: "≤", colour: look.tokens.ink3, place: "middle right" });
  if (mark.weightless) drawing.numbers.push({ x: low + 7 * unit, y: mark.y, text: mark.scaled ? "only a scale" : "no weights", colour: look.tokens.ink3, place: "middle right" });
  if (now && written) {
    const colour = now.median > 10 ? look.tokens.warning : look.tokens.ink2;
    drawing.numbers.push({ x: end + 7 * unit, y: mark.y, text: partNumber(now.median, mark), colour, place: "middle right" });
  }
}

/** Where the line of what is predicted goes through one row. @param {RowMark} mark @param {(number | null)[] | null} values @param {any} areas @returns {[number, number][]} */
export function theoryPoints(mark, values, { low, high }) {
  const at = (value) => logWithin(value, low, high) ?? low;
  if (!mark.collapsed || !values) return [[at(/** @type {any} */ (mark.theory).median), mark.y]];
  return collapsedBins(mark, values, 4).filter(({ spread }) => spread).map(({ y, spread }) => [at(/** @type {any} */ (spread).median), y]);
}

/** @param {any} context */
function drawCollapsed({ drawing, look, areas, mark, sets }) {
  if (!mark.now) return;
  const { low, high, unit } = areas;
  const at = (/** @type {number} */ value) => Math.max(logWithin(value, low, high) ?? low, low + unit);
  const bins = collapsedBins(mark, sets.now, 2);
  const known = bins.filter(({ spread }) => spread);
  const outer = known.flatMap(({ y, h, spread }) => edge(y, h, at(spread.largest)));
  const inner = known.flatMap(({ y, h, spread }) => edge(y, h, at(spread.smallest))).reverse();
  stroke(drawing.envelope, [...outer, ...inner]);
  drawing.pale = paleColour(look, mark.now.median);
  for (const { y, h, spread } of known) {
    const colour = spread.smallest > 10 ? look.tokens.over : barColour(look, spread.median);
    drawing.bars.push({ y, h, from: low, to: at(spread.smallest), colour });
  }
  if (sets.baseline) stroke(drawing.baselines, outline(collapsedBins(mark, sets.baseline, 2), at));
  if (sets.before && !sets.baseline) stroke(drawing.before, outline(collapsedBins(mark, sets.before, 4), at));
  const x = at(mark.now.median);
  stroke(drawing.medians, [[x, mark.y - mark.h / 2], [x, mark.y + mark.h / 2]]);
  const right = low + (areas.bars + areas.numbers) * unit;
  const lines = collapsedNumbers(mark, look.width < 320);
  lines.forEach((text, index) => {
    const y = mark.y + (index - (lines.length - 1) / 2) * (NUMBER_LINE + 2);
    drawing.numbers.push({ x: right, y, text, colour: look.tokens.ink2, place: "middle left" });
  });
}

/**
 * The stepped line through the medians of a collapsed group's bins.
 * @param {ReturnType<typeof collapsedBins>} bins
 * @param {(value: number) => number} at
 * @returns {[number, number][]}
 */
function outline(bins, at) {
  return bins.filter(({ spread }) => spread).flatMap(({ y, h, spread }) => edge(y, h, at(/** @type {any} */ (spread).median)));
}

/** @param {number} y @param {number} h @param {number} x @returns {[number, number][]} */
function edge(y, h, x) {
  return [[x, y - h / 2], [x, y + h / 2]];
}

/**
 * @param {RowMark} mark
 * @param {boolean} narrow
 */
function collapsedNumbers(mark, narrow) {
  const { smallest, median, largest, smallestAt } = /** @type {any} */ (mark.now);
  const words = narrow ? ["max", "med", "min"] : ["largest", "median", "smallest"];
  const place = `at ${partName(smallestAt, mark.name.startsWith("h") ? "state" : "weight")}`;
  const lines = [`${words[0]} ${formatNumber(largest)}`, `${words[1]} ${partNumber(median, mark)}`, `${words[2]} ${partNumber(smallest, mark)}`, place];
  const room = Math.floor(mark.h / (NUMBER_LINE + 2));
  if (room >= 4) return smallest < median / 30 ? lines : lines.slice(0, 3);
  if (room >= 3) return lines.slice(0, 3);
  return room >= 1 ? [lines[1]] : [];
}

/**
 * @param {import("./plot_host.js").Look} look
 * @param {number} value
 */
function barColour(look, value) {
  return rampColour(look.ramps.bars, 0.22 + 0.78 * scaleOf(value));
}

/**
 * @param {import("./plot_host.js").Look} look
 * @param {number} value
 */
function paleColour(look, value) {
  return rampColour(look.ramps.bars, 0.12 + 0.3 * scaleOf(value));
}
