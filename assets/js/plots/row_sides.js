// @ts-check
// The columns beside the bars: the skips' share of the energy at every fork, and update ÷ weight of every layer.
import { medianOf, spreadOf } from "../diagram/aggregate.js";
import { rampColour } from "../diagram/diagram_paint.js";
import { formatNumber, formatPercent, logWithin } from "../common/numbers.js";
import { partName } from "./row_marks.js";
import { polylines, stroke } from "./trace_arrays.js";

const UPDATE_LOW = -6;
// px above and below a fork's bar where the pointer still means it.
const FORK_REACH = 9;

/**
 * The gradients that came back to a fork beside the trunk: through its skips, and along the edges of branches that read it.
 * @param {{skips: number[], edges?: number[]}} fork
 * @param {any} frame of one variant
 * @returns {(number | null | undefined)[]}
 */
function besideTrunk(fork, frame) {
  return [...fork.skips.map((part) => frame?.skip_grad?.[part]), ...(fork.edges ?? []).map((part) => frame?.edge_grad?.[part])];
}

/**
 * The part of the gradient's energy at a fork that came back through its skips: ‖skip‖² ÷ (‖skip‖² + ‖trunk‖²), 0..1;
 * several skips are summed, and so are the trunks of a folded stack. Null where nothing is known or all is zero.
 * @param {{skips: number[], trunk: number[], edges?: number[]}} fork
 * @param {{skip_grad?: (number | null)[], trunk_grad?: (number | null)[]} | null | undefined} frame of one variant
 * @returns {number | null}
 */
export function forkShare(fork, frame) {
  if (!frame) return null;
  const skips = besideTrunk(fork, frame).map((part) => part ?? 0);
  const trunks = fork.trunk.map((part) => frame.trunk_grad?.[part] ?? 0);
  // Measured against the largest, for squares of gradients below 1e-162 are 0.
  const largest = Math.max(0, ...skips, ...trunks);
  if (largest === 0) return null;
  const [skip, trunk] = [skips, trunks].map((list) => list.reduce((sum, value) => sum + (value / largest) ** 2, 0));
  return skip / (skip + trunk);
}

/**
 * Where each column lies, px from the element's left edge; columns that would leave the bars no room are left out.
 * @param {import("./plot_host.js").Look} look
 * @param {number} layers
 * @param {number} [least]  px that bars need
 */
export function columnAreas({ figure, width }, layers, least = figure.layout.meta.bars_least) {
  const meta = figure.layout.meta;
  const shown = [...meta.columns].filter((column) => column !== "bars");
  const rest = () => width - meta.numbers - shown.reduce((sum, column) => sum + meta.gaps[column] + meta.widths[column], 0);
  while (shown.length && rest() < least) shown.pop();
  const bars = Math.max(20, rest());
  const low = layers >= meta.deep_from ? meta.low.deep : meta.low.shallow;
  /** @type {any} */
  const areas = { bars, numbers: meta.numbers, low, high: meta.high, unit: (meta.high - low) / bars };
  let x = bars + meta.numbers;
  for (const column of shown) {
    x += meta.gaps[column];
    areas[column] = { x, width: meta.widths[column] };
    x += meta.widths[column];
  }
  return areas;
}

/** Where the axes of the columns beside the bars lie. @param {import("./plot_host.js").Look} look @param {any} areas */
export function sideAxes({ figure: { layout }, width }, areas) {
  const there = [["share", "xaxis2"], ["update", "xaxis3"]].filter(([, axis]) => layout[axis]);
  return Object.fromEntries(there.map(([column, axis]) => {
    const area = areas[column];
    return [axis, area
      ? { ...layout[axis], domain: [area.x / width, Math.min(1, (area.x + area.width) / width)] }
      : { ...layout[axis], visible: false, domain: [0, 1] }];
  }));
}

/** The healthy pace of updates, where they are drawn. @param {import("./plot_host.js").Look} look @param {any} areas */
export const sideGuides = ({ tokens }, areas) => (areas.update ? [guide("x3", -3, tokens.ink3, "4px,3px", 1.5)] : []);

/**
 * @param {string} axis
 * @param {number} x
 * @param {string} color
 * @param {string} dash
 * @param {number} width
 */
export function guide(axis, x, color, dash, width) {
  return { type: "line", xref: axis, yref: "paper", x0: x, x1: x, y0: 0, y1: 1, line: { color, dash, width }, layer: "above" };
}

/** @typedef {{index: number, count: number, colour: string}} Place  one of several networks whose marks share a row, and its colour */

// px of a bar or a dot in rows that several networks share.
const SHARED_BAR = 7;

/** How far one network's mark lies off its row's middle, where the row has `room` px. @param {number} room @param {Place | null} place */
const besideOthers = (room, place) => (place ? (place.index - (place.count - 1) / 2) * Math.min(SHARED_BAR, room / place.count) : 0);

/**
 * @param {any} state
 * @param {import("./plot_host.js").Look} look
 * @param {Place | null} [place]
 */
export function shareBars(state, look, place = null) {
  const pitch = forkPitch(state.diagram);
  const alone = look.figure.layout.meta.page === "figure" ? 8 : Math.min(9, Math.max(6, pitch / 9));
  const thickness = place ? Math.min(SHARED_BAR, pitch / place.count) : alone;
  const bars = [];
  for (const fork of state.diagram.forks ?? []) {
    const share = forkShare(fork, state.share);
    if (share === null) continue;
    const y = fork.y + besideOthers(pitch, place);
    bars.push({ y, h: thickness, from: 0, to: share, colour: look.figure.layout.meta.skip_ramp_end });
    bars.push({ y, h: thickness, from: share, to: 1, colour: rampColour(look.ramps.trunk, 0.62) });
  }
  return bars;
}

/** @param {any} diagram */
function forkPitch(diagram) {
  const rows = diagram.forks.map((fork) => fork.y).sort((a, b) => a - b);
  return Math.min(...rows.slice(1).map((y, index) => y - rows[index]), 80);
}

/**
 * @param {any} state
 * @param {import("./plot_host.js").Look} look
 * @param {Place | null} [place]
 */
export function updateMarks(state, look, place = null) {
  const line = polylines();
  const dots = { x: [], y: [], marker: { symbol: [], size: [], color: [] } };
  const pale = rampColour(look.ramps.bars, 0.5);
  for (const row of state.diagram.rows) {
    if (row.kind === "joint" || !row.layers?.length) continue;
    const spread = spreadOf(state.update?.update_ratio, row.layers);
    if (!spread) continue;
    const y = row.y + besideOthers(row.h, place);
    const exponent = spread.median > 0 ? Math.log10(spread.median) : -Infinity;
    const [symbol, size, color] = exponent < UPDATE_LOW ? ["triangle-left", 6, place?.colour ?? pale]
      : exponent > 0 ? ["triangle-right", 8, look.tokens.over] : ["circle", 6, place?.colour ?? look.tokens.accent];
    dots.x.push(Math.min(-0.15, Math.max(UPDATE_LOW + 0.2, exponent)));
    dots.y.push(y);
    dots.marker.symbol.push(symbol);
    dots.marker.size.push(size);
    dots.marker.color.push(color);
    if (spread.count > 1 && spread.largest > spread.smallest) {
      stroke(line, [[logWithin(spread.smallest, UPDATE_LOW, 0) ?? 0, y], [logWithin(spread.largest, UPDATE_LOW, 0) ?? 0, y]]);
    }
  }
  return { update: dots, "update-range": line };
}

/**
 * @param {any} state
 * @param {number} y
 */
export function forkSentences(state, y) {
  const fork = (state.diagram.forks ?? []).find((one) => Math.abs(y - one.y) <= FORK_REACH);
  const share = fork ? forkShare(fork, state.share) : null;
  if (!fork || share === null) return null;
  const beside = besideTrunk(fork, state.share);
  const from = [].concat(fork.state).map((state_) => `h(${state_})`);
  return [
    `${formatPercent(share)} through ${beside.length > 1 ? "the skips" : fork.edges ? "the branch" : "the skip"}, ${formatPercent(1 - share)} through the trunk`,
    `Energy share at ${from.length > 3 ? `${from.length} forks` : from.join(", ")}: ‖skip‖² ÷ (‖skip‖² + ‖trunk‖²)`,
    `${fork.edges ? "beside the trunk" : "skip"} ${formatNumber(medianOf([...beside.keys()], beside))}, trunk ${formatNumber(medianOf(fork.trunk, state.share.trunk_grad))}`,
  ];
}

/**
 * @param {any} state
 * @param {number} y
 */
export function updateSentences(state, y) {
  const row = state.diagram.rows.find((one) => one.layers?.length && one.kind !== "joint" && Math.abs(y - one.y) <= one.h / 2 + 2);
  const ratio = row ? medianOf(row.layers, state.update?.update_ratio) : null;
  if (!row || ratio === null) return null;
  const name = row.layers.length === 1 ? partName(row.layers[0], "weight") : `median of ${row.layers.length} layers`;
  return [`${name}: ${formatNumber(ratio)}`, "‖Δθ‖ ÷ ‖θ‖ of the step just taken", "About 10⁻³ (dashed) is a healthy pace"];
}
