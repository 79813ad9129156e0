// @ts-check
// The whole run as a picture of few columns: mean exponents of every layer in every column, kept up frame by frame.
import { logWithin } from "../common/numbers.js";

/**
 * @typedef {{columns: number, rows: number, layers: number, steps: number, z: (number | null)[][], dx: number, dy: number}} Cells
 */

// Stands below every place of the scale: all gradients of the cell are exactly 0.
const DEAD = -0.05;

/**
 * Make a store of columns over the steps 0…`steps`; `take` folds in frames it has not seen and returns all cells as
 * places 0..1 on the shared colour scale (null: nothing measured yet; below 0: exactly zero). A column between two frames holds the earlier one.
 * @param {{steps: number, layers: number, columns: number, rows: number, valuesOf: (frame: any) => (number | null)[] | null | undefined}} size
 */
export function createStepColumns({ steps, layers, columns, rows, valuesOf }) {
  const sums = new Float64Array(columns * rows);
  const counts = new Uint32Array(columns * rows);
  const living = new Uint8Array(columns * rows);
  /** @type {(number | null)[][]} */
  const z = Array.from({ length: rows }, () => new Array(columns).fill(null));
  let taken = 0;
  let lastColumn = -1;
  /** @type {any} */
  let firstFrame = null;

  /** @param {number} step */
  function columnOf(step) {
    return Math.min(columns - 1, Math.floor((step * columns) / (steps + 1)));
  }

  /** @param {any} frame */
  function fold(frame) {
    const values = valuesOf(frame);
    if (!values) return;
    const column = columnOf(frame.step);
    for (let from = lastColumn + 1; from < column; from += 1) hold(from);
    lastColumn = Math.max(lastColumn, column);
    for (let layer = 0; layer < layers; layer += 1) {
      const exponent = logWithin(values[layer], -7, 1);
      if (exponent === null) continue;
      const cell = column * rows + Math.floor((layer * rows) / layers);
      sums[cell] += (exponent + 7) / 8;
      counts[cell] += 1;
      if (values[layer] !== 0) living[cell] = 1;
    }
    for (let row = 0; row < rows; row += 1) {
      const cell = column * rows + row;
      z[row][column] = counts[cell] ? (living[cell] ? sums[cell] / counts[cell] : DEAD) : null;
    }
  }

  /** @param {number} column */
  function hold(column) {
    if (column > 0) for (const row of z) row[column] = row[column - 1];
  }

  return {
    steps,
    layers,
    columns,
    rows,
    /**
     * Whether these columns hold a beginning of `frames`, so that only the rest has to be folded in.
     * @param {any[]} frames
     */
    continues(frames) {
      return taken === 0 || (frames.length >= taken && frames[0] === firstFrame);
    },
    /** @param {any[]} frames */
    take(frames) {
      for (; taken < frames.length; taken += 1) fold(frames[taken]);
      firstFrame = frames[0] ?? null;
      return z;
    },
    /** Steps that have been drawn so far: the right edge of the last column. */
    end() {
      return ((lastColumn + 1) * (steps + 1)) / columns;
    },
  };
}
