// @ts-check
// Reads a number as a person types it into a field. The sidebar's `typed_number.py` reads the same.

const LONGEST = 60;
const SPELLINGS = { "\u00a0": " ", "\u2009": " ", "\u202f": " ", "\u2212": "-", "\u2013": "-", "\u2019": "'" };
const TYPED_FORM = /^([+-]?) ?([0-9][0-9., ']*|[.,][0-9]+)(?:[eE]([+-]?[0-9]{1,4}))?$/;
const GROUPS = /^[0-9]{1,3}(?:([., '])[0-9]{3})(?:\1[0-9]{3})*$/;
const TWO_WAYS = /^[1-9][0-9]{0,2}[.,][0-9]{3}$/;

/**
 * The number that was typed, null where it is none. Its decimal mark is a point or a comma; where one mark stands before three
 * digits, as in 1,000, it parts thousands in a field of whole numbers, and is the decimal mark in any other.
 * @param {string} text
 * @param {boolean} whole
 * @returns {number | null}
 */
export function typedNumber(text, whole) {
  const usual = text.replace(/[\u00a0\u2009\u202f\u2212\u2013\u2019]/g, (odd) => SPELLINGS[odd]).trim();
  const found = text.length <= LONGEST ? TYPED_FORM.exec(usual) : null;
  if (!found) return null;
  const [, sign, digits, power] = found;
  const mark = decimalMark(digits, whole && power === undefined);
  const place = mark ? digits.indexOf(mark) : digits.length;
  const [before, after] = [digits.slice(0, place), digits.slice(place + 1)];
  if (!/^[0-9]*$/.test(before) && !GROUPS.test(before)) return null;
  if (!/^[0-9]*$/.test(after)) return null;
  const value = Number(`${sign}${before.replace(/[^0-9]/g, "") || "0"}.${after || "0"}e${power ?? "0"}`);
  return Number.isFinite(value) ? value : null;
}

/** @param {string} digits  of an unsigned number @param {boolean} whole */
function decimalMark(digits, whole) {
  const mark = digits.charAt(Math.max(digits.lastIndexOf("."), digits.lastIndexOf(",")));
  return digits.split(mark).length > 2 || (whole && TWO_WAYS.test(digits)) ? "" : mark;
}

/** How a number was read that can be read in two ways, "" where there is one. @param {string} text @param {number} value */
export const readAs = (text, value) => (TWO_WAYS.test(text.trim()) ? `${text.trim()} was read as ${value}.` : "");
