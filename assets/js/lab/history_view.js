// @ts-check
// The view of an earlier step of a run: its skips, valves and boxes with the switches they had then, which nothing changes there.
import { withSwitches, withStrengths } from "../diagram/diagram_switches.js";

// What changes the network, which is the one of the latest step.
const CHANGES = ["skips", "layers", "toggleSkip", "toggleValve", "addSkip", "insert", "remove", "all", "arrange"];

/**
 * @param {any} store
 * @param {{data: () => any, showSwitches: (network: any) => void}} outer  `showSwitches` draws skips, valves and boxes as a network has them
 */
export function createHistoryView(store, outer) {
  let marked = false;

  /** The network at the step looked at; null at the latest one. */
  function network() {
    if (store.cursor === null || store.shared || !store.frames.length) return null;
    const { network: latest, variant } = outer.data();
    return withStrengths(withSwitches(latest, store.switchesAt(store.frame(), variant)), store.frame()?.variants[variant]);
  }

  return {
    network,
    /** How many skips are on, or were. */
    on: () => (network() ?? outer.data().network).skips_on,
    /** Draw the network as it was, and as it is once the latest step is looked at again. */
    mark() {
      const back = network();
      if (back || marked) outer.showSwitches(back ?? outer.data().network);
      marked = back !== null;
    },
    /**
     * Refuse in `act` what would change the network while an earlier step is looked at.
     * @param {Record<string, any>} act @param {(title: string, sentence: string) => void} refuse
     */
    guard(act, refuse) {
      for (const name of CHANGES) {
        const own = act[name];
        if (!own) continue;
        act[name] = (...given) => {
          if (!network()) return own(...given);
          const last = store.frames.at(-1).step;
          return refuse(`You are looking at step ${store.frame().step}.`, `Go to step ${last}, the latest, to change the network.`);
        };
      }
      return act;
    },
  };
}
