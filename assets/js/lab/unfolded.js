// @ts-check
// What is unfolded of a drawing, kept for the same tab's next page of the same experiment.

const UNFOLDED_KEY = "skipviz-unfolded";

/** @param {() => {link: string, unfolded: (number | string)[]} | null} now  what is unfolded as the page goes */
export function createUnfolded(now) {
  /** @type {{link: string, unfolded: (number | string)[]} | null} */
  let kept = null;
  try {
    kept = JSON.parse(sessionStorage.getItem(UNFOLDED_KEY) ?? "null");
  } catch {
    kept = null; // a browser that keeps nothing for this page
  }
  function keep() {
    const here = now();
    try {
      if (here) sessionStorage.setItem(UNFOLDED_KEY, JSON.stringify({ link: here.link, unfolded: here.unfolded }));
    } catch {
      // A browser that keeps nothing begins with what there is room for.
    }
  }
  window.addEventListener("pagehide", keep);
  return {
    /** What was unfolded of an experiment before the page was loaded anew. @param {string} link @returns {(number | string)[] | null} */
    of: (link) => (link && kept?.link === link ? kept.unfolded : null),
    destroy: () => window.removeEventListener("pagehide", keep),
  };
}
