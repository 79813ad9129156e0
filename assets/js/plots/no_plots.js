// @ts-check
// Where plotly.js cannot be loaded, each plot's place says so; what is drawn without it goes on.
import { element } from "../common/dom.js";

const NO_PLOT_WORDS = "The plot is not here: plotly.js could not be loaded. The rest of the page works on; load the page again to try once more.";

/**
 * Say in each of `places` why it stays empty; said once, however often it is asked for.
 * @param {HTMLElement[]} places
 */
export function sayNoPlots(places) {
  for (const place of places) {
    if (!place.querySelector(".sv-no-plot")) place.append(element("p", { class: "sv-no-plot", role: "note" }, NO_PLOT_WORDS));
  }
}
