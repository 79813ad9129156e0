// @ts-check
// What a replay's file or a notebook's cell holds compressed: unpacked by the browser itself.
import { bytesOf } from "../pictures/picture_parts.js";

/** Return the text that the element holds as base 64 of gzip. @param {string} id */
export const readPacked = (id) => unpack(bytesOf((document.getElementById(id)?.textContent ?? "").trim()));

/** Return the text that was packed by gzip. @param {Uint8Array | DataView} bytes */
export async function unpack(bytes) {
  const stream = new Blob([/** @type {any} */ (bytes)]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

/** Run a script whose hash the page's own policy names. @param {string} source */
export function runPacked(source) {
  const script = document.createElement("script");
  script.textContent = source;
  document.head.append(script);
}
