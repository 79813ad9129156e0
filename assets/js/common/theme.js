// @ts-check
// Light or dark, as Streamlit shows the page now, sent to the frame around it too; and the switch between them.

/** @param {Element} node @returns {"light" | "dark"} */
export function themeOf(node) {
  const colour = getComputedStyle(node).getPropertyValue("--st-background-color").trim() || getComputedStyle(document.body).backgroundColor;
  const parts = colour.startsWith("#")
    ? [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16))
    : (colour.match(/[\d.]+/g) || ["255", "255", "255"]).map(Number);
  const theme = parts[0] * 0.3 + parts[1] * 0.59 + parts[2] * 0.11 < 128 ? "dark" : "light";
  document.documentElement.dataset.svTheme = theme;
  return theme;
}

/** Ask Streamlit for the other theme: it reads its choice from local storage when the page loads. @param {"light" | "dark"} now */
export function switchTheme(now) {
  const wanted = JSON.stringify(now === "dark" ? "Light" : "Dark");
  const base = location.pathname.replace(/[^/]*$/, "");
  for (const path of [base, `${base}lab`, `${base}gallery`, `${base}runs`, `${base}compare`, `${base}guide`, `${base}sweep`, `${base}evidence`]) localStorage.setItem(`stActiveTheme-${path}-v2`, wanted);
  location.reload();
}
