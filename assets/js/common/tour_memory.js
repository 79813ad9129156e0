// @ts-check
// Where a tour stands: in this tab, so that it goes on behind a reload; our own in this browser, so that it is offered once.

const TOUR_KEY = "skipviz-tour";

/** @param {() => Storage} storage */
function memoryIn(storage) {
  return {
    /** @returns {any} */
    read() {
      try {
        return JSON.parse(storage().getItem(TOUR_KEY) ?? "null") ?? {};
      } catch {
        return {}; // a browser that keeps nothing for this page
      }
    },
    /** @param {any} changes */
    write(changes) {
      try {
        storage().setItem(TOUR_KEY, JSON.stringify({ ...this.read(), ...changes }));
      } catch {
        // A browser that keeps nothing is offered the tour again.
      }
    },
  };
}

/** In this tab: `{id, at, on, steps}`, the tour that was taken last. */
export const tourInTab = memoryIn(() => sessionStorage);
/** In this browser: `{offered, at}` of our own tour. */
export const tourInBrowser = memoryIn(() => localStorage);
