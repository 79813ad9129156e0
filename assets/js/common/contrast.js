// @ts-check
// What is read on a colour.

/** Black or white: one of the two has a contrast of 4.5 with any colour (WCAG 2.2). @param {string} colour `#RRGGBB` */
export function inkOn(colour) {
  const [red, green, blue] = [1, 3, 5].map((place) => linear(parseInt(colour.slice(place, place + 2), 16) / 255));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 ? "#000000" : "#ffffff";
}

/** @param {number} part  0…1, of sRGB */
const linear = (part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
