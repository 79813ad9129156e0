// @ts-check
// The step that a page looks at, kept for the same tab's next page: the other theme loads it anew, and so may a person.

const KEY = "skipviz-looked";

/**
 * @param {() => {runs: (string | null)[], step: number | undefined} | null} now  what is looked at as the page goes, or null where it follows
 */
export function createLooked(now) {
  /** @type {{runs: string[], step: number} | null} */
  let kept = null;
  try {
    kept = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
    sessionStorage.removeItem(KEY);
  } catch {
    kept = null; // a browser that keeps nothing for this page
  }
  function keep() {
    const here = now();
    try {
      if (here) sessionStorage.setItem(KEY, JSON.stringify(here));
    } catch {
      // A browser that keeps nothing begins anew.
    }
  }
  window.addEventListener("pagehide", keep);
  return {
    /**
     * The step that was looked at in these runs, once so much of them is known; null from then on.
     * @param {(string | null)[]} runs @param {number} known  the last step that is here
     * @returns {number | null}
     */
    at(runs, known) {
      if (!kept || kept.runs.join() !== runs.join() || known < kept.step) return null;
      const { step } = kept;
      kept = null;
      return step;
    },
    /** Another step was chosen meanwhile. */
    forget() {
      kept = null;
    },
    destroy: () => window.removeEventListener("pagehide", keep),
  };
}
