// @ts-check
// Numbers as a person reads them, and logarithms held inside an axis.

const RAISED_DIGITS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/**
 * An integer in raised figures: -12 → "⁻¹²".
 * @param {number} integer
 * @returns {string}
 */
export function raised(integer) {
  const digits = String(Math.abs(integer)).replace(/\d/g, (digit) => RAISED_DIGITS[Number(digit)]);
  return integer < 0 ? `⁻${digits}` : digits;
}

/**
 * A measured number in at most three figures: 0.116, 1.21, 4.5·10⁻¹¹, "–" where there is none.
 * @param {number | null | undefined} value
 * @returns {string}
 */
export function formatNumber(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (value < 0) return `−${formatNumber(-value)}`;
  if (value === 0) return "0";
  if (value >= 0.00995 && value < 0.9995) return trimmed(value.toFixed(3));
  if (value >= 0.9995 && value < 9995) return trimmed(value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0));
  const [mantissa, exponent] = value.toExponential(1).split("e");
  return `${mantissa}·10${raised(Number(exponent))}`;
}

/** A factor to two places: -0.5 → "×−0.50". @param {number} value */
export function factor(value) {
  return `×${value.toFixed(2).replace("-", "−")}`;
}

/**
 * A power of ten as an axis writes it: -4 → "10⁻⁴", -1 → "0.1", 0 → "1", 1 → "10".
 * @param {number} exponent
 * @returns {string}
 */
export function formatPower(exponent) {
  if (exponent === 0) return "1";
  if (exponent === 1) return "10";
  return exponent === -1 ? "0.1" : `10${raised(exponent)}`;
}

/**
 * A share between 0 and 1 as whole per cent; what is above none and below all is never written as 0 or 100.
 * @param {number} share
 * @returns {string}
 */
export function formatPercent(share) {
  const rounded = Math.round(share * 100);
  if (rounded === 100 && share < 1) return "> 99 %";
  if (rounded === 0 && share > 0) return "< 1 %";
  return `${rounded} %`;
}

/**
 * log₁₀ of a gradient held inside [low, high]; null stays null and 0 is `low`.
 * @param {number | null | undefined} value
 * @param {number} low
 * @param {number} high
 * @returns {number | null}
 */
export function logWithin(value, low, high) {
  if (value === null || value === undefined || Number.isNaN(value)) return null;
  return value <= 0 ? low : Math.min(high, Math.max(low, Math.log10(value)));
}

/** @param {string} text */
function trimmed(text) {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}
