// @ts-check
// Images, the class of every pixel in them and the one that the network tells, each class in a colour of its own.
import { element } from "../common/dom.js";
import { drawMaskRows } from "./picture_masks.js";
import { bytesOf, legendLines, mixer } from "./picture_parts.js";

const IGNORED_CLASS = 255;

/**
 * @param {HTMLCanvasElement} canvas
 * @param {any} state picture and header
 * @param {any} look figure, tokens and width
 */
export function paintClassMasks(canvas, { picture, header }, look) {
  const { tokens, figure } = look;
  /** @type {string[]} */
  const colours = figure.layout.meta.classes;
  const solid = [...colours, tokens.card].map((colour) => mixer(colour, colour)(0));
  const ofClass = (/** @type {number} */ place) => solid[Math.min(place, colours.length)];
  drawMaskRows(canvas, picture, look, [mixer(tokens.muted, tokens.ink), ofClass, ofClass]);
  const names = header?.classes ?? [];
  const scores = (picture?.iou ?? []).map((/** @type {number | null} */ score) => (score === null ? "–" : score.toFixed(2)));
  const lines = [{ text: "Held-out images; the likeliest class of each pixel" }];
  if (scores.length) lines.unshift({ text: `Mean IoU ${scores.join(", ")}` });
  if (picture && bytesOf(picture.truth).includes(IGNORED_CLASS)) lines.push({ text: "Left blank: pixels that are ignored" });
  return { sentence: classMaskSentence(scores), legend: [...legendLines("Classes of pixels", lines, tokens), classKey(names, colours)] };
}

/**
 * The classes' colours and names, side by side.
 * @param {string[]} names
 * @param {string[]} colours
 */
function classKey(names, colours) {
  const key = element("div", {});
  Object.assign(key.style, { display: "flex", flexWrap: "wrap", columnGap: "10px" });
  names.forEach((name, place) => {
    const mark = element("span", { "aria-hidden": "true" }, "■");
    Object.assign(mark.style, { color: colours[place], fontSize: "14px", marginRight: "4px" });
    key.append(element("span", {}, mark, name));
  });
  return key;
}

/** @param {string[]} scores */
function classMaskSentence(scores) {
  if (!scores.length) return "Classes of pixels: the network has not been asked yet.";
  return `Classes of pixels in ${scores.length} held-out images; their mean IoU is ${scores.join(", ")}.`;
}
