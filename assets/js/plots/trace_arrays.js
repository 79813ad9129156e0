// @ts-check
// Lists of marks as the columns that plotly's traces take.

/**
 * A template trace with its columns; without any it is hidden, since what plotly need not look at costs nothing.
 * @param {any} trace
 * @param {any} columns
 */
export function filled(trace, columns) {
  if (columns.y.length === 0) return { ...trace, visible: false };
  const made = { ...trace, ...columns };
  for (const style of ["marker", "textfont"]) if (columns[style]) made[style] = { ...trace[style], ...columns[style] };
  return made;
}

/** An open list of polylines, kept apart by nulls. */
export function polylines() {
  return { /** @type {(number | null)[]} */ x: [], /** @type {(number | null)[]} */ y: [] };
}

/**
 * @param {{x: (number | null)[], y: (number | null)[]}} line
 * @param {[number, number][]} points
 */
export function stroke(line, points) {
  for (const [x, y] of points) {
    line.x.push(x);
    line.y.push(y);
  }
  line.x.push(null);
  line.y.push(null);
}

/** @param {{y: number, h: number, from: number, to: number, colour: string}[]} bars */
export function barArrays(bars) {
  return {
    y: bars.map((bar) => bar.y),
    x: bars.map((bar) => bar.to - bar.from),
    base: bars.map((bar) => bar.from),
    width: bars.map((bar) => bar.h),
    marker: { color: bars.map((bar) => bar.colour) },
  };
}

/** @param {{x: number, y: number, text: string, colour: string, place: string}[]} numbers */
export function numberArrays(numbers) {
  return {
    x: numbers.map((number) => number.x),
    y: numbers.map((number) => number.y),
    text: numbers.map((number) => number.text),
    textposition: numbers.map((number) => number.place),
    textfont: { color: numbers.map((number) => number.colour) },
  };
}
