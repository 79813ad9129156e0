// @ts-check
// The line along which a grid of numbers has one value: marching squares, rounded as plotly rounds its contours.

// Of the usual distance between two points of a line, times its smoothing: nearer ones are one, as in plotly.
const CLOSE = 0.2;

/** @typedef {[number, number]} Point */

/**
 * The outline of all places where `z` crosses `level`, for a path.
 * @param {number[][]} z  rows, each of columns
 * @param {number} level
 * @param {number} smoothing  from 0, straight between the grid's lines, to 1.3
 * @param {(column: number, row: number) => Point} place  px of a place of the grid, which may lie between two columns or two rows
 */
export function levelOutline(z, level, smoothing, place) {
  const lines = levelLines(z, level).map(({ points, closed }) => ({ closed, points: withoutClose(points, CLOSE * smoothing, closed).map(([column, row]) => place(column, row)) }));
  return lines.filter(({ points }) => points.length > 1).map(({ points, closed }) => smoothPath(points, smoothing, closed)).join("");
}

/**
 * In the grid's own units; a closed line does not name its first point again.
 * @param {number[][]} z @param {number} level @returns {{points: Point[], closed: boolean}[]}
 */
function levelLines(z, level) {
  const [links, columns, upright] = [crossedEdges(z, level), z[0].length, z.length * z[0].length];
  const at = (/** @type {number} */ edge) => {
    const [column, row] = [edge % columns, Math.floor((edge % upright) / columns)];
    const [across, up] = edge < upright ? [1, 0] : [0, 1];
    const share = (level - z[row][column]) / (z[row + up][column + across] - z[row][column]);
    return /** @type {Point} */ ([column + across * share, row + up * share]);
  };
  /** @type {ReturnType<typeof levelLines>} */
  const lines = [];
  // Those that begin at the grid's rim first: what is left goes around.
  for (const closed of [false, true]) {
    for (const [first, ends] of links) {
      if (!closed && ends.length > 1) continue;
      const points = [];
      for (let edge = /** @type {number | undefined} */ (first); edge !== undefined; ) {
        points.push(at(edge));
        const next = links.get(edge)?.find((one) => links.has(one));
        links.delete(edge);
        edge = next;
      }
      lines.push({ points, closed });
    }
  }
  return lines;
}

/**
 * From each edge of the grid that is crossed to the next one or two along the line. An edge to the right of a place of the grid is
 * numbered as that place, one upwards by all places more.
 * @param {number[][]} z @param {number} level @returns {Map<number, number[]>}
 */
function crossedEdges(z, level) {
  const [columns, upright] = [z[0].length, z.length * z[0].length];
  /** @type {Map<number, number[]>} */
  const links = new Map();
  const join = (/** @type {number} */ one, /** @type {number} */ other) => {
    links.set(one, [...(links.get(one) ?? []), other]);
    links.set(other, [...(links.get(other) ?? []), one]);
  };
  for (let row = 0; row + 1 < z.length; row += 1) {
    for (let column = 0; column + 1 < columns; column += 1) {
      const corners = [z[row][column], z[row][column + 1], z[row + 1][column + 1], z[row + 1][column]];
      const above = corners.map((value) => value > level);
      if (above.every((one) => one === above[0])) continue;
      const here = row * columns + column;
      const sides = [here, upright + here + 1, here + columns, upright + here];
      const crossed = sides.filter((_, side) => above[side] !== above[(side + 1) % 4]);
      if (crossed.length === 2) join(crossed[0], crossed[1]);
      else {
        // A saddle: the two corners that its middle is not like are cut off.
        const cut = above[0] === corners.reduce((sum, value) => sum + value) / 4 >= level ? 1 : 0;
        for (const corner of [cut, cut + 2]) join(sides[(corner + 3) % 4], sides[corner]);
      }
    }
  }
  return links;
}

/** @param {Point[]} points @param {number} share  of the usual distance @param {boolean} closed @returns {Point[]} */
function withoutClose(points, share, closed) {
  const far = (/** @type {Point} */ one, /** @type {Point} */ other) => Math.hypot(one[0] - other[0], one[1] - other[1]);
  const all = closed ? [...points, points[0]] : points;
  const least = (share * all.slice(1).reduce((sum, point, index) => sum + far(point, all[index]), 0)) / Math.max(1, all.length - 1);
  /** @type {Point[]} */
  const kept = [];
  for (const [index, point] of points.entries()) {
    if (!kept.length || far(point, kept[kept.length - 1]) >= least) kept.push(point);
    // The end of an open line stays where it is.
    else if (!closed && index === points.length - 1 && kept.length > 1) kept[kept.length - 1] = point;
  }
  return kept;
}

/** Through all points, as plotly's `smoothopen` and `smoothclosed` lead it. @param {Point[]} points @param {number} smoothing @param {boolean} closed */
function smoothPath(points, smoothing, closed) {
  const words = (/** @type {Point} */ [x, y]) => `${Math.round(100 * x) / 100},${Math.round(100 * y) / 100}`;
  const last = points.length - 1;
  if (last < 2) return `M${points.map(words).join("L")}${closed ? "Z" : ""}`;
  const around = (/** @type {number} */ index) => points[(index + points.length) % points.length];
  const handles = points.map((point, index) => pointHandles(around(index - 1), point, around(index + 1), smoothing));
  const curve = (/** @type {number} */ from, /** @type {number} */ to) => `C${words(handles[from][1])} ${words(handles[to][0])} ${words(points[to])}`;
  const inner = points.slice(1).map((_, index) => curve(index, index + 1));
  if (closed) return `M${words(points[0])}${inner.join("")}${curve(last, 0)}Z`;
  inner[0] = `Q${words(handles[1][0])} ${words(points[1])}`;
  inner[last - 1] = `Q${words(handles[last - 1][1])} ${words(points[last])}`;
  return `M${words(points[0])}${inner.join("")}`;
}

/** The handles before and after a point, of a centripetal Catmull-Rom spline. @param {Point} before @param {Point} point @param {Point} after @param {number} smoothing @returns {[Point, Point]} */
function pointHandles(before, point, after, smoothing) {
  const [back, forth] = [before, after].map((other) => [other[0] - point[0], other[1] - point[1]]);
  const [near, far] = [back, forth].map(([x, y]) => Math.hypot(x, y) ** 0.5);
  const slope = [0, 1].map((axis) => (far * far * back[axis] - near * near * forth[axis]) * smoothing);
  const along = (/** @type {number} */ divisor, /** @type {number} */ sign) => /** @type {Point} */ ([0, 1].map((axis) => point[axis] + (divisor && (sign * slope[axis]) / divisor)));
  return [along(3 * far * (near + far), 1), along(3 * near * (near + far), -1)];
}
