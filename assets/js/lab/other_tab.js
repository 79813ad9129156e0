// @ts-check
// The same run in another tab of this browser: what is switched there, this page follows, and tells Python.
import { countInForce } from "../common/in_force.js";
import { partsOf } from "../common/parts.js";

const EVENT_KINDS = ["skip", "layer", "rate"];
// ms after which an event that was posted and never came is given up.
const NEVER_CAME = 30000;
const LIVE_SETTINGS = ["on", "strength", "gain"];

/**
 * @param {any} store
 * @param {{data: () => any, tell: (command: any) => void, showSwitches: (network: any) => void}} outer
 */
export function createOtherTab(store, outer) {
  /** @type {{key: string, at: number}[]} what this page sent the run and has not seen among its events yet */
  let posted = [];
  /** @type {string | null} */
  let run = null;
  let seen = 0;
  const keyOf = (event) => `${event.kind} ${(event.ids ?? []).join(" ")}`;

  /** Take what is new among the events; true where all that this page has posted has come back. */
  function settled() {
    for (const { event } of store.events.slice(seen)) {
      const found = posted.findIndex((one) => one.key === keyOf(event));
      if (found >= 0) posted.splice(found, 1);
    }
    seen = store.events.length;
    posted = posted.filter((one) => performance.now() - one.at < NEVER_CAME);
    return posted.length === 0;
  }

  /** The changes that bring a kind of parts to how the run has them, gathered: one command for all that change alike. */
  function differences(kind, parts, now) {
    /** @type {Map<string, string[]>} */
    const alike = new Map();
    for (const part of parts) {
      const wanted = now[kind].get(part.id);
      const changed = wanted ? LIVE_SETTINGS.filter((name) => name in part && part[name] !== wanted[name]) : [];
      if (!changed.length) continue;
      const key = JSON.stringify(Object.fromEntries(changed.map((name) => [name, wanted[name]])));
      alike.set(key, [...(alike.get(key) ?? []), part.id]);
    }
    return [...alike].map(([key, ids]) => ({ ids, changes: JSON.parse(key) }));
  }

  return {
    /** @param {any} message  what this page tells the run */
    sent(message) {
      if (EVENT_KINDS.includes(message.kind)) posted.push({ key: keyOf(message), at: performance.now() });
    },
    /** Follow what was done elsewhere; a run that is over, or another one's, is not followed. */
    follow() {
      if (run !== store.id || seen > store.events.length) [run, seen, posted] = [store.id, 0, []];
      if (seen === store.events.length || !store.header || !store.mine || !store.active()) return;
      if (!settled()) return;
      const data = outer.data();
      const now = store.switchesAt(null, data.variant);
      for (const kind of ["skip", "layer"]) {
        const parts = partsOf(data.network, kind);
        for (const { ids, changes } of differences(kind, parts, now)) {
          for (const part of parts) if (ids.includes(part.id)) Object.assign(part, changes);
          outer.tell({ op: `${kind}s`, ids, changes, live: true });
        }
      }
      data.network.skips_on = countInForce(data.network.skips);
      outer.showSwitches(data.network);
      const rate = store.events.findLast((one) => one.event.kind === "rate")?.event.learning_rate;
      if (rate === undefined || rate === data.learning_rate) return;
      data.learning_rate = rate;
      outer.tell({ op: "rate", learning_rate: rate, live: true });
    },
  };
}
