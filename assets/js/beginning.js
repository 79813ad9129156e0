// @ts-check
// Shows the first page's beginning, which the server has drawn, in the theme and for the width at hand.
{
  const host = /** @type {HTMLElement} */ (document.getElementById("skipviz-beginning"));
  const inside = host.attachShadow({ mode: "closed" });
  inside.append(/** @type {HTMLTemplateElement} */ (host.querySelector("template")).content);
  const page = /** @type {HTMLElement} */ (inside.querySelector(".sv-root"));
  let kept = null;
  try {
    kept = localStorage.getItem(`stActiveTheme-${location.pathname}-v2`);
  } catch {
    // A browser that keeps nothing has the theme of its system.
  }
  const dark = kept ? kept.includes("Dark") : matchMedia("(prefers-color-scheme: dark)").matches;
  const width = innerWidth - 40;
  page.dataset.theme = /** @type {HTMLElement} */ (page.querySelector(".sv-page")).dataset.theme = dark ? "dark" : "light";
  page.dataset.size = width >= 880 ? "wide" : width >= 600 ? "narrow" : "phone";
  const words = /** @type {HTMLElement} */ (page.querySelector(".sv-intro p"));
  if (matchMedia("(hover: none), (pointer: coarse)").matches) words.textContent = (words.textContent ?? "").replace("Click", "Tap");
  for (const picture of /** @type {NodeListOf<HTMLElement>} */ (page.querySelectorAll("[data-of]"))) if (picture.dataset.of !== page.dataset.theme) picture.remove();
}
