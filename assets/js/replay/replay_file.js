// @ts-check
// What a replay's file holds compressed: unpacked by the browser itself.
import { bytesOf } from "../pictures/picture_parts.js";

/**
 * Return the text that the element holds as base 64 of gzip.
 * @param {string} id
 */
export async function readPacked(id) {
  const bytes = bytesOf((document.getElementById(id)?.textContent ?? "").trim());
  const stream = new Blob([/** @type {any} */ (bytes)]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

/** Run a script whose hash the page's own policy names. @param {string} source */
export function runPacked(source) {
  const script = document.createElement("script");
  script.textContent = source;
  document.head.append(script);
}
