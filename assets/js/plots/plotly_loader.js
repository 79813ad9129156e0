// @ts-check
// plotly.js, once a page: from our own route, else from plotly's public CDN with an integrity hash.
import { routeTo } from "../frames/reach.js";

/**
 * Load plotly.js; resolves to it, rejects when neither place can be reached.
 * @param {{url: string, cdn: string, integrity: string}} source
 * @returns {Promise<any>}
 */
export function loadPlotly(source) {
  const page = /** @type {any} */ (window);
  if (page.Plotly && !page.skipvizPlotly) return Promise.resolve(page.Plotly);
  if (!page.skipvizPlotly) {
    page.skipvizPlotly = scriptLoaded(routeTo(source.url), "").catch(() => scriptLoaded(source.cdn, source.integrity));
  }
  return page.skipvizPlotly;
}

function scriptLoaded(url, integrity) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = url;
    if (integrity) {
      script.integrity = integrity;
      script.crossOrigin = "anonymous";
    }
    script.onload = () => (/** @type {any} */ (window).Plotly ? resolve(/** @type {any} */ (window).Plotly) : reject(new Error("plotly.js did not load")));
    script.onerror = () => reject(new Error("plotly.js could not be fetched"));
    document.head.append(script);
  });
}
