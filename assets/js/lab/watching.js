// @ts-check
// Looking on at a run or a classroom: the line that says so, what is refused, and the drawings that follow its document.
import { element, writeText } from "../common/dom.js";
import { routeTo, routesBlocked } from "../frames/reach.js";

const STEERS = ["skips", "layers", "toggleSkip", "toggleValve", "selectLayer", "addSkip", "insert", "remove", "all", "main", "step", "stop", "reset", "speed", "rate"];
// What a press on a part of somebody's own module does, which shows what it is.
const LOOKS = { selectSkip: "selectSkip", selectLayer: "selectLayer", toggleSkip: "selectSkip", toggleValve: "selectLayer" };
const MAKES = ["addSkip", "insert", "remove"];
const EDITS = ["selectLayer", "addSkip", "insert", "remove"];
// ms that lie at least between two drawings of one run, while a strength is being dragged.
const GATHER = 300;
// ms for which a classroom is looked for before a person is told that nobody leads it: its owner's page may be coming back.
const LOOK_FOR = 12_000;

/**
 * @param {{store: any, data: () => any, ask: (command: any) => void, refuse: (title: string, sentence: string) => void,
 *   take: (view: any) => void, adopt: (run: string | null) => void, hides: (group: string) => boolean, asking: () => boolean}} outer
 */
export function createWatching(outer) {
  const { store } = outer;
  let version = -1;
  let waiting = false;
  // Whether this page has shown a run of the lesson.
  let begun = false;
  let asked = 0;
  let timer = 0;
  let looking = false;
  let lookedAt = -Infinity;
  // Since when nobody leads the classroom that is followed, on this page's clock; 0 while somebody does.
  let alone = 0;
  let aloneTimer = 0;
  const words = element("span", { class: "sv-watch-words" });
  // What is shown may be more than Python knows, once the server was restarted and nobody leads: so it is named.
  const mine = element("button", { type: "button", class: "sv-mine", onclick: () => outer.ask({ op: "mine", run: store.id, link: version > 0 ? outer.data().link : "" }) });
  const root = element("div", { class: "sv-watch", role: "status", hidden: true }, words, mine);
  const watch = () => outer.data()?.watch ?? null;

  async function look() {
    clearTimeout(timer);
    timer = 0;
    lookedAt = performance.now();
    const data = outer.data();
    if (routesBlocked() || watch()?.alone) {
      waiting = false;
      if (outer.asking()) lookSoon(GATHER);
      else outer.ask({ op: "measure" });
      return;
    }
    looking = true;
    const query = new URLSearchParams(watch()?.follow ? { follow: watch().follow } : { run: store.id });
    if (data.compact) query.set("compact", "1");
    const number = ++asked;
    try {
      const answer = await fetch(routeTo(`skipviz/view?${query}`));
      if (number !== asked) return;
      waiting = looking = false;
      if (!answer.ok) return;
      const view = await answer.json();
      if (number !== asked || !watch()) return;
      // It is drawn for all who watch: which network one of them looks at is its page's.
      const chosen = view.columns.find(({ variant }) => variant === outer.data().variant);
      if (chosen) Object.assign(view, { variant: chosen.variant, network: chosen.network, diagram: chosen.diagram });
      outer.take({ ...outer.data(), ...view, undo: 0, redo: 0, zoom: data.zoom, message: null, select: null });
      if (view.pending) lookSoon(600);
    } catch {
      if (number === asked) waiting = looking = false;
    }
  }
  function lookSoon(wait) {
    clearTimeout(timer);
    timer = window.setTimeout(look, wait);
  }

  function sentence() {
    const now = watch();
    const live = store.active();
    const recorded = store.header?.torch && store.header.torch !== now.torch ? ` It was recorded with torch ${store.header.torch}; here is ${now.torch}.` : "";
    if (!now.follow && outer.data().network.watched) return live ? "Live: a script on this machine trains this module." : `Recorded while its own script trained it: move the time slider.${recorded}`;
    if (!now.follow) return `${live ? "You are watching a live run." : "You are watching a recorded run: move the time slider."}${recorded}`;
    const own = now.own ? " This is what your class sees." : "";
    if (alone) return aloneSentence();
    if (now.ended) return `The lesson has ended. What it showed last stays here.${own}`;
    begun ||= Boolean(store.id);
    if (!store.id) return begun ? `The lesson goes on: here is its next network, not started yet.${own}` : `The lesson has not started; this page follows by itself.${own}`;
    return `${live ? "You are following a live lesson." : "You are following a lesson; its run is over, the next one comes by itself."}${own}`;
  }

  function aloneSentence() {
    const long = performance.now() - alone >= LOOK_FOR;
    if (version > 0) return long ? "Nobody leads this lesson now. What it showed last stays here, and this page follows when it goes on." : "Looking for the lesson again …";
    return long ? "There is no such lesson now: its link is old, or its page is closed. This page follows once it is there." : "Looking for the lesson …";
  }

  /** Note whether somebody leads what is followed: a version of 0 says that nobody does. @param {number} version */
  function noteLeader(version) {
    if (Boolean(alone) === (version === 0)) return;
    clearTimeout(aloneTimer);
    alone = version === 0 ? performance.now() : 0;
    if (alone) aloneTimer = window.setTimeout(update, LOOK_FOR + 50);
  }

  /** Have the drawing of what was done to the run since the one that is here was made. */
  function sync() {
    if (!watch() || timer || looking || store.id !== outer.data().run || store.edits === null || store.edits === outer.data().edits) return;
    lookSoon(Math.max(0, lookedAt + GATHER - performance.now()));
  }

  function update() {
    const now = watch();
    root.hidden = !now;
    if (!now) {
      version = -1;
      waiting = looking = false;
      asked += 1;
      noteLeader(1);
      return;
    }
    if (now.follow && now.version > version) version = now.version;
    if (now.follow && version <= 0) noteLeader(0);
    writeText(words, sentence());
    writeText(mine, (alone && version <= 0) || outer.data().network.watched ? "Open the lab" : "Make it mine");
    root.dataset.kind = now.ended ? "ended" : store.active() && !alone ? "live" : "recorded";
  }

  return {
    root, sync, update,
    /** Whether the page waits for the drawing of what it already has frames of. */
    waiting: () => waiting,
    /** Whether Python tells of a classroom's past, or knows nothing of it any more. @param {any} next */
    stale(next) {
      const stale = Boolean(next.watch?.follow) && next.watch.version < version;
      if (stale && next.watch.version === 0) noteLeader(0);
      else if (next.watch?.version > 0) noteLeader(next.watch.version);
      if (stale) update();
      return stale;
    },
    /** A classroom's news: another run, or another experiment that has not begun. @param {any} message */
    followed(message) {
      const now = watch();
      if (!now || message.follow !== now.follow) return;
      noteLeader(message.version);
      if (message.version === 0) return update();
      const known = message.version === version && message.run === store.id;
      version = message.version;
      outer.data().watch = { ...now, version, ended: message.ended };
      if (known) return update();
      if (message.run !== store.id) outer.adopt(message.run);
      waiting = true;
      look();
    },
    /** Refuse in `act` what a watcher may not, and what the lesson leaves out. @param {Record<string, any>} act */
    guard(act) {
      for (const name of [...STEERS, "selectSkip"]) {
        const own = act[name];
        act[name] = (...given) => {
          const module = watch() && outer.data().network.watched;
          if (module && name in LOOKS) return LOOKS[name] === name ? own(...given) : act[LOOKS[name]](...given);
          if (module) return outer.refuse("Its script trains it.", "Only the script can change this module.");
          if (outer.data().network.opened && MAKES.includes(name)) return outer.refuse("Its own file says what it is made of.", "Here its layers and skips are switched, skips scaled, and gradients dampened.");
          if (watch()) return name === "selectSkip" ? undefined : outer.refuse("You are watching.", "Make it mine, and you can change it.");
          if (outer.hides("edit") && name === "selectSkip") return undefined;
          if (outer.hides("edit") && EDITS.includes(name)) return outer.refuse("Not in this lesson.", "It leaves editing out; skips and valves can be switched.");
          return own(...given);
        };
      }
      return act;
    },
    destroy() {
      clearTimeout(timer);
      clearTimeout(aloneTimer);
      asked += 1;
    },
  };
}
