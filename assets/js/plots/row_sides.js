// @ts-check
// The columns beside the bars: the skips' share of the energy at every fork, and update ÷ weight of every layer.
import { spreadOf } from "../diagram/aggregate.js";
import { rampColour } from "../diagram/diagram_paint.js";
import { logWithin } from "../common/numbers.js";
import { polylines, stroke } from "./trace_arrays.js";

const UPDATE_LOW = -6;

/**
 * The gradients that came back to a fork beside the trunk: through its skips, and along the edges of branches that read it.
 * @param {{skips: number[], edges?: number[]}} fork
 * @param {any} frame of one variant
 * @returns {(number | null | undefined)[]}
 */
export function besideTrunk(fork, frame) {
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
 * @param {any} state
 * @param {import("./plot_host.js").Look} look
 */
export function shareBars(state, look) {
  const thickness = look.figure.layout.meta.page === "figure" ? 8 : Math.min(9, Math.max(6, forkPitch(state.diagram) / 9));
  const bars = [];
  for (const fork of state.diagram.forks ?? []) {
    const share = forkShare(fork, state.share);
    if (share === null) continue;
    bars.push({ y: fork.y, h: thickness, from: 0, to: share, colour: look.figure.layout.meta.skip_ramp_end });
    bars.push({ y: fork.y, h: thickness, from: share, to: 1, colour: rampColour(look.ramps.trunk, 0.62) });
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
 */
export function updateMarks(state, look) {
  const line = polylines();
  const dots = { x: [], y: [], marker: { symbol: [], size: [], color: [] } };
  const pale = rampColour(look.ramps.bars, 0.5);
  for (const row of state.diagram.rows) {
    if (row.kind === "joint" || !row.layers?.length) continue;
    const spread = spreadOf(state.update?.update_ratio, row.layers);
    if (!spread) continue;
    const exponent = spread.median > 0 ? Math.log10(spread.median) : -Infinity;
    const [symbol, size, color] = exponent < UPDATE_LOW ? ["triangle-left", 6, pale]
      : exponent > 0 ? ["triangle-right", 8, look.tokens.over] : ["circle", 6, look.tokens.accent];
    dots.x.push(Math.min(-0.15, Math.max(UPDATE_LOW + 0.2, exponent)));
    dots.y.push(row.y);
    dots.marker.symbol.push(symbol);
    dots.marker.size.push(size);
    dots.marker.color.push(color);
    if (spread.count > 1 && spread.largest > spread.smallest) {
      stroke(line, [[logWithin(spread.smallest, UPDATE_LOW, 0) ?? 0, row.y], [logWithin(spread.largest, UPDATE_LOW, 0) ?? 0, row.y]]);
    }
  }
  return { update: dots, "update-range": line };
}
