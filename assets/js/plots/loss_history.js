// @ts-check
// Loss and metric of a run as lines: batch values thinned to the plot's columns, and the loss smoothed.

/**
 * @typedef {{x: number[], y: number[]}} Line
 * @typedef {{loss: Line, smooth: Line, metric: Line, heldOut: Line, heldOutLoss: Line, smoothBand: Line, heldOutBand: Line}} History  bands, of several seeds, as outlines
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
  const made = { loss: line(), smooth: line(), metric: line(), heldOut: line(), heldOutLoss: line() };
  const smooth = smoother(keep);
  const ends = [0, 1].map((end) => ({ end, smooth: smoother(keep), loss: line(), heldOut: line() }));
  for (const frame of frames) {
    const values = frame.variants[variant ?? Object.keys(frame.variants)[0]];
    if (!values) continue;
    if (typeof values.loss === "number") {
      put(made.loss, frame.step, values.loss);
      put(made.smooth, frame.step, smooth(values.loss));
    }
    for (const one of ends) {
      const { loss, held_out: held } = values.bands ?? {};
      if (loss) put(one.loss, frame.step, one.smooth(loss[one.end]));
      if (held) put(one.heldOut, frame.step, held[one.end]);
    }
    if (typeof values.metric === "number") put(made.metric, frame.step, values.metric);
    if (typeof values.held_out === "number") put(made.heldOut, frame.step, values.held_out);
    if (typeof values.held_out_loss === "number") put(made.heldOutLoss, frame.step, values.held_out_loss);
  }
  return {
    loss: thinned(made.loss, columns),
    smooth: thinned(made.smooth, columns),
    metric: thinned(made.metric, columns),
    heldOut: thinned(made.heldOut, columns),
    heldOutLoss: thinned(made.heldOutLoss, columns),
    smoothBand: bandOutline(ends.map(({ loss }) => thinned(loss, columns))),
    heldOutBand: bandOutline(ends.map(({ heldOut }) => thinned(heldOut, columns))),
  };
}

/** Smooths one value after the other. @param {number} keep  what stays of the average at each */
function smoother(keep) {
  let average = NaN;
  return (/** @type {number} */ value) => {
    const height = Math.log1p(Math.max(0, value));
    average = Number.isNaN(average) ? height : keep * average + (1 - keep) * height;
    return Math.expm1(average);
  };
}

/** What lies between two lines, as one that goes around it. @param {Line[]} ends @returns {Line} */
export function bandOutline([low, high]) {
  return { x: [...high.x, ...[...low.x].reverse()], y: [...high.y, ...[...low.y].reverse()] };
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
