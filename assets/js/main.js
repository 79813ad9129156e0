// @ts-check
// The page's entry: one instance a mount, called at each change of data.
/* global PAGE_STYLE, PAGE_SHARED */
import { createCommands } from "./frames/commands.js";
import { createCompare } from "./pages/compare.js";
import { createEvidence } from "./pages/evidence.js";
import { createFigure } from "./pages/figure.js";
import { createGallery } from "./pages/gallery.js";
import { createGuide } from "./pages/guide.js";
import { createLab } from "./pages/lab.js";
import { checkRoutes, onRoutes, routesBlocked } from "./frames/reach.js";
import { createRuns } from "./pages/runs.js";
import { createSweep } from "./pages/sweep.js";

/** @type {WeakMap<HTMLElement, {view: any, commands: any, root: HTMLElement, observer: ResizeObserver, forget: () => void}>} */
const instances = new WeakMap();

/** @param {any} component  what Streamlit hands to a component (v2) */
export default function skipviz(component) {
  const { parentElement, setStateValue } = component;
  const data = component.data?.[0];
  if (!data) return undefined;
  let instance = instances.get(parentElement);
  if (!document.getElementById("skipviz-style")) {
    const style = document.createElement("style");
    style.id = "skipviz-style";
    style.textContent = PAGE_STYLE;
    document.head.append(style);
  }
  if (!instance) {
    const root = document.createElement("div");
    root.className = "sv-root";
    parentElement.append(root);
    const observer = new ResizeObserver(() => {
      root.dataset.size = root.clientWidth >= 880 ? "wide" : root.clientWidth >= 600 ? "narrow" : "phone";
      document.documentElement.dataset.svSize = root.dataset.size;
      root.style.setProperty("--sv-left", `${root.getBoundingClientRect().left}px`);
      root.style.setProperty("--sv-width", `${root.clientWidth}px`);
    });
    observer.observe(root);
    const commands = createCommands(data.page);
    const views = { lab: createLab, figure: createFigure, gallery: createGallery, runs: createRuns, compare: createCompare, guide: createGuide, sweep: createSweep, evidence: createEvidence };
    const view = views[data.page](root, commands);
    const forget = onRoutes((blocked) => commands.feed(blocked));
    instance = /** @type {any} */ ({ view, commands, root, observer, forget });
    instances.set(parentElement, /** @type {any} */ (instance));
  }
  const { view, commands, root, observer, forget } = /** @type {any} */ (instance);
  const first = commands.connect(setStateValue);
  if (first && routesBlocked()) commands.feed(true);
  else if (first && data.view.inline) checkRoutes();
  commands.acknowledge(data.done, data.session);
  view.update({ ...PAGE_SHARED[data.page], ...data });
  document.getElementById("skipviz-beginning")?.remove();
  return () => {
    view.destroy();
    commands.destroy();
    forget();
    observer.disconnect();
    root.remove();
    instances.delete(parentElement);
  };
}
