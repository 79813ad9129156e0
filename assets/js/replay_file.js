// @ts-check
// What a replay's file holds compressed: unpacked by the browser itself.

/**
 * Return the text that the element holds as base 64 of gzip.
 * @param {string} id
 */
export async function readPacked(id) {
  const bytes = Uint8Array.from(atob((document.getElementById(id)?.textContent ?? "").trim()), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

/** Run a script whose hash the page's own policy names. @param {string} source */
export function runPacked(source) {
  const script = document.createElement("script");
  script.textContent = source;
  document.head.append(script);
}
