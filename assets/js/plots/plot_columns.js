// @ts-check
// The gradients of several networks on the rows of their diagrams: of two, mirrored at a spine; of more, one above the other.
import { rampColour, scaleOf } from "../diagram/diagram_paint.js";
import { formatNumber, formatPower, logWithin } from "../common/numbers.js";
import { attachTip } from "../common/tip.js";
import { createPlotHost } from "./plot_host.js";
import { collapsedBins, markSentences, markValues, partNumber, rowMarks } from "./row_marks.js";
import { theoryPoints } from "./row_bars.js";
import { columnAreas, forkSentences, shareBars, sideAxes, sideGuides, updateMarks, updateSentences } from "./row_sides.js";
import { barArrays, filled, numberArrays, polylines, stroke } from "./trace_arrays.js";

/** @typedef {import("./row_marks.js").RowMark} RowMark */
/** @typedef {{letter: string, name: string, diagram: any, network: any, values: any, variant: string, header: any, frame: number, theory: (number | null)[] | null}} Column
 *   one network: its diagram, itself as it stood then, its part of a frame, its run's header, the step, what is predicted of its states */

// px between two ticks of the axis.
const TICK_ROOM = 34;
// px of a bar that stands for nothing or next to nothing.
const SLIVER = 2;
// px that numbers take at the end of the axis.
const NUMBER_ROOM = 44;

/**
 * Make the plot. `update` takes any of: columns (`Column[]`), options (as of the rows' plot), theme, ramps,
 * bare (whether there are bars only).
 * The tip says what lies under the pointer.
 * @param {any} Plotly
 * @param {HTMLElement} parent
 * @param {any} figure columns_figure's, or one for each theme
 * @param {any} ramps
 */
export function createColumnsPlot(Plotly, parent, figure, ramps) {
  /** @type {{marks: RowMark[][], scale: ReturnType<typeof axisScale>} | null} */
  let drawn = null;
  const host = createPlotHost(Plotly, parent, figure, ramps, (state, look) => {
    if (!state.columns?.length) return null;
    const inputs = state.columns.map((column) => inputOf(state, column));
    const marks = inputs.map(rowMarks);
    const scale = axisScale(state, look);
    drawn = { marks, scale };
    return { data: traces(state.columns, inputs, look, marks, scale), layout: layoutOf(state, look, marks, scale) };
  });
  host.node.setAttribute("role", "img");
  const removeTip = attachTip(host.node, () => host.look().tokens, (x, y) => drawn && tip(host.state, drawn, x, y));
  return {
    node: host.node,
    /** @param {any} changes */
    update(changes) {
      host.update(changes);
      if (drawn) host.node.setAttribute("aria-label", described(host.state, drawn.marks));
    },
    /** Where the columns beside the bars lie, px; nothing of those without room. @returns {{bars: number, share?: {x: number}, update?: {x: number}} | null} */
    areas: () => drawn && drawn.scale.areas,
    destroy() {
      removeTip();
      host.destroy();
    },
  };
}

/** What a row's marks are made of, for one network. @param {any} state @param {Column} column */
function inputOf({ options }, { diagram, network, values, variant, header, frame, theory }) {
  return { diagram, network, values, baseline: null, before: null, theory, share: values, update: values, options, header, frame, variant };
}

/** Where a logarithm lies on the axis: px as they are drawn, from the spine outwards. @param {any} state @param {import("./plot_host.js").Look} look */
function axisScale(state, look) {
  const { meta } = look.figure.layout;
  const depth = Math.max(...state.columns.map(({ diagram }) => diagram.rows.reduce((most, row) => Math.max(most, ...(row.layers ?? []).map((layer) => layer + 1)), 0)));
  const mirrored = state.columns.length === 2;
  const areas = columnAreas(look, depth, state.bare ? Infinity : (mirrored ? 2 : 1) * meta.bars_least);
  const whole = areas.share ? areas.bars : look.width;
  const room = (mirrored ? whole / 2 : whole) - (state.columns.length > 2 ? TICK_ROOM / 2 : NUMBER_ROOM);
  return { ...areas, areas, whole, mirrored, unit: (meta.high - areas.low) / Math.max(20, room), sign: (index) => (mirrored && index === 0 ? -1 : 1) };
}

/** @param {Column[]} columns @param {any[]} inputs @param {import("./plot_host.js").Look} look @param {RowMark[][]} marks @param {ReturnType<typeof axisScale>} scale */
function traces(columns, inputs, look, marks, scale) {
  const numbers = [];
  const whiskers = polylines();
  const ranges = polylines();
  const parts = /** @type {Record<string, any>} */ ({ whiskers, "update-range": ranges });
  marks.forEach((own, index) => {
    const sets = markValues(inputs[index]);
    const place = { index, count: marks.length, colour: look.tokens[`variant-${columns[index].letter}`] };
    parts[`bars ${index}`] = barArrays(own.flatMap((mark) => barsOf(mark, sets.now, look, scale, index, marks.length)));
    parts[`theory ${index}`] = theoryLine(own, sets.theory, scale, index);
    numbers.push(...numbersOf(own, look, scale, index));
    for (const mark of own) if (mark.band && !mark.collapsed) drawWhisker(whiskers, mark, scale, index, marks.length);
    if (scale.areas.share) parts[`share ${index}`] = barArrays(shareBars(inputs[index], look, place));
    if (!scale.areas.update) return;
    const updates = updateMarks(inputs[index], look, place);
    parts[`update ${index}`] = updates.update;
    ranges.x.push(...updates["update-range"].x);
    ranges.y.push(...updates["update-range"].y);
  });
  parts.numbers = numberArrays(scale.mirrored || marks.length === 1 ? numbers : []);
  return look.figure.data.map((trace) => filled(trace, parts[trace.meta] ?? { x: [], y: [] }));
}

/**
 * The bars of one network's row: of a collapsed group one a block.
 * @param {RowMark} mark @param {(number | null)[] | null} values @param {import("./plot_host.js").Look} look @param {ReturnType<typeof axisScale>} scale @param {number} index @param {number} count
 */
function barsOf(mark, values, look, scale, index, count) {
  const stacked = count > 2 ? count : 1;
  const shift = (h) => shiftOf(h, index, stacked);
  const rows = mark.collapsed && values ? collapsedBins(mark, values, 3 * stacked).map(({ y, h, spread }) => ({ y, h, spread })) : [{ y: mark.y, h: mark.h, spread: mark.now }];
  return rows.filter(({ spread }) => spread).map(({ y, h, spread }) => {
    const median = /** @type {any} */ (spread).median;
    const length = Math.max((logWithin(median, scale.low, scale.high) ?? scale.low) - scale.low, SLIVER * scale.unit);
    const colour = median === 0 ? look.tokens.ink3 : median > 10 ? look.tokens.over : rampColour(look.ramps.bars, 0.22 + 0.78 * scaleOf(median));
    return { y: y + shift(h), h: h / stacked, from: 0, to: scale.sign(index) * length, colour };
  });
}

/** What is predicted of one network's states. @param {RowMark[]} own @param {(number | null)[] | null} values @param {ReturnType<typeof axisScale>} scale @param {number} index */
function theoryLine(own, values, scale, index) {
  const line = polylines();
  const points = own.filter((mark) => mark.theory).flatMap((mark) => theoryPoints(mark, values, scale));
  if (points.length) stroke(line, points.map(([x, y]) => [scale.sign(index) * (x - scale.low), y]));
  return line;
}

/** How far a network's bar lies off its row's middle, where `stacked` lie one above the other. @param {number} h @param {number} index @param {number} stacked */
function shiftOf(h, index, stacked) {
  return stacked === 1 ? 0 : ((index - (stacked - 1) / 2) * h) / stacked;
}

/** @param {ReturnType<typeof polylines>} whiskers @param {RowMark} mark @param {ReturnType<typeof axisScale>} scale @param {number} index @param {number} count */
function drawWhisker(whiskers, mark, scale, index, count) {
  const stacked = count > 2 ? count : 1;
  const y = mark.y + shiftOf(mark.h, index, stacked);
  const cap = Math.min(4, mark.h / stacked / 2 - 1);
  const [a, b] = /** @type {number[]} */ (mark.band).map((value) => scale.sign(index) * ((logWithin(value, scale.low, scale.high) ?? scale.low) - scale.low));
  stroke(whiskers, [[a, y - cap], [a, y + cap], [a, y], [b, y], [b, y - cap], [b, y + cap]]);
}

/** The first and the last measured row's number of one network. @param {RowMark[]} own @param {import("./plot_host.js").Look} look @param {ReturnType<typeof axisScale>} scale @param {number} index */
function numbersOf(own, look, scale, index) {
  const measured = own.filter((mark) => mark.now && !mark.collapsed && !mark.beside);
  const ends = measured.length > 1 ? [measured[0], measured[measured.length - 1]] : measured;
  return ends.map((mark) => {
    const { median } = /** @type {any} */ (mark.now);
    const length = Math.max((logWithin(median, scale.low, scale.high) ?? scale.low) - scale.low, SLIVER * scale.unit);
    const sign = scale.sign(index);
    return { x: sign * (length + 6 * scale.unit), y: mark.y, text: partNumber(median, mark), colour: median > 10 ? look.tokens.warning : look.tokens.ink2, place: sign < 0 ? "middle left" : "middle right" };
  });
}

/** @param {any} state @param {import("./plot_host.js").Look} look @param {RowMark[][]} marks @param {ReturnType<typeof axisScale>} scale */
function layoutOf(state, look, marks, scale) {
  const { layout } = look.figure;
  const height = state.columns[0].diagram.height;
  const last = Math.floor(scale.high);
  const every = [1, 2, 3, 4, 6, 12].find((step) => step / scale.unit >= TICK_ROOM) ?? 12;
  const powers = [];
  for (let power = last - (last % every || 0); (power - scale.low) / scale.unit >= TICK_ROOM; power -= every) powers.push(power);
  const right = powers.map((power) => [power - scale.low, formatPower(power)]);
  const left = scale.mirrored ? right.map(([place, words]) => [-place, words]) : [];
  const ticks = [...left, [0, `≤${formatPower(scale.low)}`], ...right].sort((a, b) => Number(a[0]) - Number(b[0]));
  const reach = (scale.mirrored ? scale.whole / 2 : scale.whole) * scale.unit;
  return {
    height: height + layout.meta.axis,
    yaxis: { ...layout.yaxis, range: [height, 0] },
    ...sideAxes(look, scale.areas),
    xaxis: { ...layout.xaxis, domain: [0, Math.min(1, scale.whole / look.width)], range: [scale.mirrored ? -reach : 0, reach], tickvals: ticks.map(([place]) => place), ticktext: ticks.map(([, words]) => words) },
    shapes: [...sideGuides(look, scale.areas), { type: "line", xref: "x", yref: "paper", x0: 0, x1: 0, y0: 0, y1: 1, line: { color: look.tokens.ink3, width: 1 }, layer: "above" }],
    meta: { ...layout.meta, rows: marks[0].map(({ name, y }) => ({ name, y })), legend: layout.meta.legend.map(([role, sign, said]) => [role, sign, named(state.columns, role, said)]) },
  };
}

/** What an exported picture says of a trace, with its network's own letter and name. @param {Column[]} columns @param {string} role @param {string} said */
function named(columns, role, said) {
  const column = columns[Number(role.split(" ")[1])];
  return column ? `${column.letter}, ${column.name}${said.slice(1)}` : said;
}

/** What stands in the row under the pointer, of each network a line. @param {any} state @param {{marks: RowMark[][], scale: any}} drawn @param {number} x @param {number} y */
function tip(state, { marks, scale }, x, y) {
  for (const [column, sentences] of [["update", updateSentences], ["share", forkSentences]]) {
    if (scale.areas[column] && x >= scale.areas[column].x - 8) return sideTip(state, sentences, y);
  }
  const at = (own) => own.find((mark) => Math.abs(y - mark.y) <= mark.h / 2 + 4);
  const found = marks.map(at);
  if (!found.some(Boolean)) return null;
  const mark = found[Number(scale.mirrored && x > scale.whole / 2)] ?? found.find(Boolean);
  const index = found.indexOf(mark);
  const lines = state.columns.map((column, place) => `${column.letter}: ${found[place] ? valueWords(found[place]) : "no such layer"}`);
  return [`${mark.name}`, ...lines, ...markSentences(mark, inputOf(state, state.columns[index]), scale.low).slice(1)];
}

/** The same of a column beside the bars. @param {any} state @param {(input: any, y: number) => string[] | null} sentences @param {number} y */
function sideTip(state, sentences, y) {
  const found = state.columns.map((column) => sentences(inputOf(state, column), y));
  const known = found.find(Boolean);
  return known ? [...state.columns.map(({ letter }, index) => `${letter}: ${found[index]?.[0] ?? "nothing here"}`), known[1]] : null;
}

/** @param {RowMark} mark */
function valueWords(mark) {
  if (mark.weightless) return "no weights";
  if (!mark.now) return "not measured yet";
  return mark.now.count === 1 ? partNumber(mark.now.median, mark) : `median ${formatNumber(mark.now.median)} of ${mark.now.count}`;
}

/** The bars in a sentence a network, for those who cannot see them. @param {any} state @param {RowMark[][]} marks */
function described(state, marks) {
  const words = state.columns.map(({ letter, name }, index) => {
    const known = marks[index].filter((mark) => mark.now);
    if (!known.length) return `${letter}, ${name}: not measured yet.`;
    const [last, first] = [known[0], known[known.length - 1]];
    return `${letter}, ${name}: ${formatNumber(/** @type {any} */ (last.now).median)} at ${last.name}, ${formatNumber(/** @type {any} */ (first.now).median)} at ${first.name}.`;
  });
  return `Gradient per layer, side by side. ${words.join(" ")}`;
}
