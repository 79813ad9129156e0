// @ts-check
// Loss and metric of a run as lines: batch values thinned to the plot's columns, and the loss smoothed.

/**
 * @typedef {{x: number[], y: number[]}} Line
 * @typedef {{loss: Line, smooth: Line, metric: Line, heldOut: Line}} History
 */

/**
 * Lines through `frames` of one variant. The smoothed loss is an exponential average of log(1 + loss) over recorded
 * frames whose weight halves every `halfLife` frames, so that a huge loss at the start is soon forgotten; with more than two frames a column, a column keeps its smallest and largest batch value.
 * @param {any[]} frames
 * @param {string | undefined} variant
 * @param {number} halfLife frames
 * @param {number} columns px that there are to draw on
 * @returns {History}
 */
export function lossHistory(frames, variant, halfLife, columns) {
  const keep = 0.5 ** (1 / halfLife);
  const made = { loss: line(), smooth: line(), metric: line(), heldOut: line() };
  let average = NaN;
  for (const frame of frames) {
    const values = frame.variants[variant ?? Object.keys(frame.variants)[0]];
    if (!values) continue;
    if (typeof values.loss === "number") {
      const height = Math.log1p(Math.max(0, values.loss));
      average = Number.isNaN(average) ? height : keep * average + (1 - keep) * height;
      put(made.loss, frame.step, values.loss);
      put(made.smooth, frame.step, Math.expm1(average));
    }
    if (typeof values.metric === "number") put(made.metric, frame.step, values.metric);
    if (typeof values.held_out === "number") put(made.heldOut, frame.step, values.held_out);
  }
  return {
    loss: thinned(made.loss, columns),
    smooth: thinned(made.smooth, columns),
    metric: thinned(made.metric, columns),
    heldOut: thinned(made.heldOut, columns),
  };
}

/**
 * `points` with at most four a column: its first, smallest, largest and last, in order.
 * @param {Line} points
 * @param {number} columns
 * @returns {Line}
 */
function thinned(points, columns) {
  const count = points.x.length;
  if (count <= 2 * columns) return points;
  const made = line();
  for (let column = 0; column < columns; column += 1) {
    const from = Math.floor((column * count) / columns);
    const to = Math.floor(((column + 1) * count) / columns);
    let [low, high] = [from, from];
    for (let index = from; index < to; index += 1) {
      if (points.y[index] < points.y[low]) low = index;
      if (points.y[index] > points.y[high]) high = index;
    }
    for (const index of [...new Set([from, low, high, to - 1])].sort((a, b) => a - b)) put(made, points.x[index], points.y[index]);
  }
  return made;
}

/** @returns {Line} */
function line() {
  return { x: [], y: [] };
}

/** @param {Line} points @param {number} x @param {number} y */
function put(points, x, y) {
  points.x.push(x);
  points.y.push(y);
}
