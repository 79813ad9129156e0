// @ts-check
// A guided tour: a card beside one control after the other, each step brought about by the page's own commands.
import { element, writeText } from "./dom.js";
import { explain, explanationTitle } from "./explain.js";
import { createSpotlight } from "./spotlight.js";
import { tourInBrowser, tourInTab } from "./tour_memory.js";

// ms between two looks at what a step waits for, and at where its control stands.
const LOOK_AGAIN = 120;
const OWN = "skipviz";
/** What was said of a link's tour that does not open, once. */
let toldOfTour = "";

/**
 * @typedef {{text: string, target: string, page: string, experiment: string, layout: string, train: number | null, skips: boolean | null, shut: string[], opened: string[], terms: string[]}} TourStep
 * @param {HTMLElement} host  the page
 * @param {{here: string, go: (page: string) => void, problem: (title: string, sentence: string) => void,
 *   reach: (step: TourStep, once: (name: string, does: () => void) => void) => string}} page
 *   `reach` does what is next for a step's state, each thing once, and says what is waited for, or nothing once it is there
 */
export function createTour(host, page) {
  /** @type {any} */
  let data = null;
  let tour = { id: OWN, steps: /** @type {TourStep[]} */ ([]) };
  let offered = tour;
  let at = 0;
  let open = false;
  let going = false;
  let reached = false;
  let revealed = false;
  let timer = 0;
  /** @type {Set<string>} what was asked for, for this step's state */
  let asked = new Set();
  /** @type {any} */
  let opener = null;
  const entry = element("button", { type: "button", class: "sv-link sv-tour-entry", hidden: true, onclick: () => show(resumesAt(), entry) });
  const title = element("strong", { id: "sv-tour-title" });
  const text = element("p", { id: "sv-tour-text" });
  const terms = element("div", { class: "sv-tour-terms" });
  const status = element("p", { class: "sv-quiet", role: "status" });
  const back = element("button", { type: "button", class: "sv-button", onclick: () => show(at - 1) }, "Back");
  const next = element("button", { type: "button", class: "sv-copy", onclick: () => (at + 1 < tour.steps.length ? show(at + 1) : leave(true)) });
  const stop = element("button", { type: "button", class: "sv-link", onclick: () => leave(false) }, "Leave");
  const card = element(
    "div", { class: "sv-tour", role: "dialog", "aria-labelledby": "sv-tour-title", "aria-describedby": "sv-tour-text" },
    title, text, terms, status, element("div", { class: "sv-tour-buttons" }, stop, back, next),
  );
  card.onkeydown = (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    leave(false);
  };
  const spotlight = createSpotlight(card);
  // Over the whole document: the page lies under the set-up.
  const layer = element("div", { class: "sv-page sv-tour-layer" }, ...spotlight.parts, card);
  const offer = createOffer(() => show(0, entry), () => entry.focus());

  function resumesAt() {
    const inTab = tourInTab.read();
    return Math.min((tour.id === OWN ? tourInBrowser.read().at : inTab.id === tour.id && inTab.at) || 0, tour.steps.length - 1);
  }
  const kept = () => {
    tourInTab.write({ id: tour.id, at, on: open, steps: tour.id === OWN ? null : tour.steps });
    if (tour.id === OWN) tourInBrowser.write({ offered: true, at: at % tour.steps.length });
  };
  function thing() {
    const { selector, panel } = data.tour.targets[tour.steps[at].target];
    const within = panel ? host.querySelector(`[aria-label="Figure 4.9, ${panel}"]`) : host;
    return [...(within?.querySelectorAll(selector) ?? [])].find((node) => node.checkVisibility() && node.getBoundingClientRect().width > 0) ?? null;
  }

  /** @param {number} step @param {HTMLElement} [from]  what the focus returns to */
  function show(step, from) {
    opener = from ?? opener;
    offer.remove();
    [at, open, reached, revealed, asked] = [step, true, false, false, new Set()];
    kept();
    const { page: place, text: said, terms: named } = tour.steps[at];
    if (place !== page.here) {
      going = true;
      clearInterval(timer);
      return page.go(place);
    }
    title.textContent = `Tour, step ${at + 1} of ${tour.steps.length}`;
    text.textContent = said;
    terms.replaceChildren(...named.map((name) => explain(name, explanationTitle(name))));
    back.hidden = at === 0;
    next.textContent = at + 1 < tour.steps.length ? "Next" : "Done";
    entry.hidden = true;
    if (!layer.isConnected) document.body.append(layer);
    clearInterval(timer);
    timer = window.setInterval(look, LOOK_AGAIN);
    look();
    next.focus({ preventScroll: true });
  }
  function look() {
    if (!reached) {
      const words = page.reach(tour.steps[at], (name, does) => {
        if (asked.has(name)) return;
        asked.add(name);
        does();
      });
      reached = words === "";
      writeText(status, words);
    }
    layer.dataset.theme = host.dataset.theme;
    const found = thing();
    if (found && !revealed) spotlight.reveal(found);
    revealed ||= Boolean(found) && reached;
    spotlight.place(found);
  }
  /** @param {boolean} over  whether it was gone through */
  function leave(over) {
    const control = thing();
    open = false;
    if (over) at = 0;
    kept();
    tour = offered;
    close();
    const focus = opener?.isConnected && opener.checkVisibility() ? opener : control?.matches("button, [tabindex]") ? control : control?.querySelector("button, [tabindex]") ?? host.querySelector(".sv-main");
    focus?.focus({ preventScroll: true });
    opener = null;
  }
  function close() {
    clearInterval(timer);
    layer.remove();
    drawEntry();
  }
  function drawEntry() {
    const step = resumesAt();
    const own = tour.id === OWN;
    // The lab's drawing needs the room: there it stands only for a lesson's tour, or one that was left on the way.
    entry.hidden = open || Boolean(data.watch) || (own && page.here === "lab" && (step === 0 || tourInTab.read().id !== OWN));
    entry.textContent = step ? `Resume the tour, step ${step + 1} of ${tour.steps.length}` : own ? "Take the tour, six steps" : "Take this lesson’s tour";
  }
  function begin() {
    const last = tourInTab.read();
    const given = data.view.tour;
    if (given?.problem && toldOfTour !== given.problem) page.problem("This link’s tour does not open.", (toldOfTour = given.problem));
    offered = given?.steps ? { id: given.text, steps: given.steps } : { id: OWN, steps: data.tour.steps };
    tour = last.on && last.id === "preview" && last.steps?.length ? { id: "preview", steps: last.steps } : offered;
    const looksOn = Boolean(data.watch) || data.view.projector;
    if (looksOn) return;
    if (last.id === tour.id ? last.on && tour.steps[last.at]?.page === page.here : Boolean(given?.steps)) return show(last.id === tour.id ? last.at : 0);
    const newcomer = tour.id === OWN && page.here === "figure" && !location.search && !data.view.hide.length && !tourInBrowser.read().offered;
    if (newcomer) {
      tourInBrowser.write({ offered: true });
      host.append(offer);
    }
  }
  const onEscape = (event) => {
    if (event.key !== "Escape" || event.defaultPrevented || !open) return;
    event.preventDefault();
    leave(false);
  };
  const onScroll = () => open && card.isConnected && spotlight.place(thing());
  const onResize = () => {
    revealed = false;
    onScroll();
  };
  document.addEventListener("keydown", onEscape);
  document.addEventListener("scroll", onScroll, true);
  window.addEventListener("resize", onResize);
  return {
    entry,
    /** @param {any} now  what Python knows */
    update(now) {
      const first = !data;
      data = now;
      if (first) begin();
      if (!open) drawEntry();
    },
    /** Go through a tour that is being written. @param {TourStep[]} steps */
    preview(steps) {
      tour = { id: "preview", steps };
      show(0, host.querySelector(".sv-share"));
    },
    destroy() {
      clearInterval(timer);
      layer.remove();
      document.removeEventListener("keydown", onEscape);
      document.removeEventListener("scroll", onScroll, true);
      window.removeEventListener("resize", onResize);
      // Who goes to another page by themselves has left the tour, which can be resumed.
      if (open && !going) tourInTab.write({ on: false });
    },
  };
}

/** The card that a newcomer meets once. @param {() => void} take @param {() => void} declined  @returns {HTMLElement} */
function createOffer(take, declined) {
  const no = element("button", { type: "button", class: "sv-link" }, "No, thanks");
  const root = element(
    "section", { class: "sv-tour-offer", "aria-label": "A tour" },
    element("strong", {}, "New here?"), element("p", {}, "Six steps show what a skip connection does to a gradient, on the pages themselves."),
    element("div", { class: "sv-tour-buttons" }, no, element("button", { type: "button", class: "sv-copy", onclick: take }, "Take the tour")),
  );
  no.onclick = () => {
    root.remove();
    declined();
  };
  return root;
}
