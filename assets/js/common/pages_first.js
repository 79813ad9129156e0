// @ts-check
// The Tab key reaches the pages before the set-up, which Streamlit puts first: wherever the links to them are drawn.

const FIRST = '[data-testid="stSkipToContent"], [data-testid="stTopNavLink"], .sv-pages button';

/** Put the links to the pages first in the order of the Tab key, as often as they are drawn anew. @returns {() => void} to stop it */
export function keepPagesFirst() {
  const mark = () => {
    for (const node of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(FIRST))) node.tabIndex = 1;
  };
  const renewed = new MutationObserver(mark);
  const header = document.querySelector('[data-testid="stHeader"]');
  if (header) renewed.observe(header, { childList: true, subtree: true });
  mark();
  return () => renewed.disconnect();
}
