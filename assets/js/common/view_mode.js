// @ts-check
// How the pages are looked at: groups of controls that a lesson hides, and a projector's large type. Sent to the whole
// document, whose style sheets do the rest.
import { element, iconButton, isText } from "./dom.js";

// A projector's type is at least so many times as large, and drawings grow at most to the other.
export const LEAST_ZOOM = 1.5;
export const MOST_ZOOM = 2.2;
// px of width under which a screen is no projector's, whatever its link says: a phone that reads the wall's code.
const NARROW = 880;
// px of a projector's screen that the heads over the diagram and the margins take.
const HEADS = 152;

/** px that a projector's screen leaves for the diagram with its axis. */
export function projectorRoom() {
  return window.innerHeight - HEADS;
}

/**
 * @param {(command: any) => void} ask
 * @param {boolean} projects  whether this page has a projector's view
 */
export function createViewMode(ask, projects) {
  const mode = { hide: /** @type {string[]} */ ([]), projector: false, sent: "", zoom: LEAST_ZOOM };
  const leave = iconButton("close", "Leave the projector's view (Esc)", () => project(false), "sv-square sv-leave");
  const enter = iconButton("projector", "Projector: large type, nothing else (P)", () => project(true), "sv-bare sv-project");
  const all = element("button", { type: "button", class: "sv-link sv-show-all", title: "This lesson leaves some controls out", onclick: () => showAll() }, "Show all controls");
  const foot = element("button", { type: "button", class: "sv-link sv-show-all", onclick: () => showAll() }, "Show all controls");
  const projected = () => mode.projector && projects && window.innerWidth >= NARROW;
  document.body.append(leave);

  function apply() {
    const root = document.documentElement;
    root.dataset.svHide = mode.hide.join(" ");
    if (projected()) root.dataset.svProjector = "";
    else delete root.dataset.svProjector;
    enter.hidden = !projects || window.innerWidth < NARROW;
    all.hidden = foot.hidden = mode.hide.length === 0;
    leave.hidden = !projected();
  }
  function tell() {
    const height = projected() ? Math.round(projectorRoom() / mode.zoom) - 24 : null;
    const now = JSON.stringify([mode.hide, mode.projector, height]);
    if (now !== mode.sent) ask({ op: "view", hide: mode.hide, projector: mode.projector, height });
    mode.sent = now;
  }
  function project(on) {
    mode.projector = on;
    mode.zoom = LEAST_ZOOM;
    apply();
    tell();
    window.dispatchEvent(new Event("resize"));
  }
  function showAll() {
    mode.hide = [];
    apply();
    tell();
  }
  function onKey(event) {
    const lettered = isText(event.target) || event.target.closest?.("select");
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || lettered || !projects) return;
    if (event.key === "Escape" && mode.projector) project(false);
    else if (event.key.toLowerCase() === "p" && !enter.hidden) project(!mode.projector);
  }
  let timer = 0;
  function onResize() {
    clearTimeout(timer);
    mode.zoom = LEAST_ZOOM;
    apply();
    if (mode.projector) timer = window.setTimeout(tell, 300);
  }
  document.addEventListener("keydown", onKey);
  window.addEventListener("resize", onResize);
  return {
    enter, all, foot,
    /** @param {any} view  what Python knows of it */
    update(view) {
      const first = mode.sent === "";
      mode.hide = view.hide;
      mode.projector = view.projector;
      if (first) mode.sent = JSON.stringify([mode.hide, mode.projector, null]);
      apply();
      if (first && projected()) tell();
    },
    hides: (group) => mode.hide.includes(group),
    projected,
    /** Ask for a higher drawing where its width leaves it smaller than others are; never for a lower one, which might be wider. @param {number} zoom */
    enlarge(zoom) {
      if (!projected() || zoom >= mode.zoom - 0.01) return;
      mode.zoom = zoom;
      tell();
    },
    destroy() {
      clearTimeout(timer);
      document.removeEventListener("keydown", onKey);
      window.removeEventListener("resize", onResize);
      leave.remove();
    },
  };
}
