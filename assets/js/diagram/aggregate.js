// @ts-check
// What a row, a collapsed group or a line that stands for several layers shows: smallest, median and largest of its parts.

/**
 * @typedef {{smallest: number, median: number, largest: number, smallestAt: number, largestAt: number, count: number}} Spread
 */

/**
 * Smallest, median and largest of `values` at `parts`; null where none of them is a number.
 * `smallestAt` and `largestAt` are indices into `values`; the median of an even count is the geometric mean of the middle two.
 * @param {(number | null | undefined)[] | null | undefined} values
 * @param {number[]} parts
 * @returns {Spread | null}
 */
export function spreadOf(values, parts) {
  if (!values) return null;
  const known = parts.filter((part) => typeof values[part] === "number");
  if (known.length === 0) return null;
  if (known.length > 1) known.sort((a, b) => Number(values[a]) - Number(values[b]));
  const at = (/** @type {number} */ index) => Number(values[known[index]]);
  const last = known.length - 1;
  const lower = at(last >> 1);
  const upper = at((last + 1) >> 1);
  return {
    smallest: at(0),
    median: lower === upper ? lower : Math.sqrt(lower * upper),
    largest: at(last),
    smallestAt: known[0],
    largestAt: known[last],
    count: known.length,
  };
}

/**
 * Median of `values` at `parts`; null where none of them is a number.
 * @param {number[]} parts
 * @param {(number | null | undefined)[] | null | undefined} values
 * @returns {number | null}
 */
export function medianOf(parts, values) {
  if (values && parts.length === 1) return values[parts[0]] ?? null;
  return spreadOf(values, parts)?.median ?? null;
}
