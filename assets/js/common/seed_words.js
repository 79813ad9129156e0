// @ts-check
// What is said of several seeds: of whose median the numbers are, how they are trained, how wide a number is spread.
import { formatNumber } from "./numbers.js";

/**
 * Whose median the numbers of a frame are; nothing where there is one seed.
 * @param {{name: string, values: any}[]} parts  each network's part of the frame @param {any} header  the run's
 */
export function medianWords(parts, header) {
  const count = header?.seeds?.count ?? 1;
  if (count === 1) return "";
  const fewer = parts.filter(({ values }) => values?.members < count);
  const lost = fewer.map(({ name, values }) => `${count - values.members} of them diverged${parts.length > 1 ? ` (${name})` : ""}`);
  return `Median of ${count} seeds${lost.length ? `, ${lost.join(", ")}` : ""}; the picture is the first’s.`;
}

/** How the seeds are trained, behind how long that takes. @param {any} header */
export function seedsWords(header) {
  const { count, batched, reason } = header?.seeds ?? { count: 1 };
  if (count === 1) return "";
  return `, ${count} seeds ${batched ? "at once" : `one after the other${reason ? `: ${reason}` : ""}`}`;
}

/**
 * A number's band: "10–90 %: 0.1…0.3"; nothing where there is none.
 * @param {any} values  a network's part of a frame @param {[number | null, number | null] | null | undefined} band
 */
export function bandWords(values, band) {
  if (!band || band[0] === null || band[1] === null) return "";
  return `median of ${values.members}, 10–90 %: ${formatNumber(band[0])}…${formatNumber(band[1])}`;
}
