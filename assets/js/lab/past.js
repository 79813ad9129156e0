// @ts-check
// An earlier step of a run: its skips, valves and boxes stand as they stood then, and nothing is changed there.
import { networkThen, withStrengths } from "../diagram/diagram_standing.js";

// What changes the network, which is the one of the latest step.
const CHANGES = ["skips", "layers", "toggleSkip", "toggleValve", "addSkip", "insert", "remove", "all"];

/**
 * @param {any} store
 * @param {{data: () => any, stand: (network: any) => void}} outer  `stand` draws skips, valves and boxes as they stand in a network
 */
export function createPast(store, outer) {
  let marked = false;

  /** The network as it stood at the step looked at; null at the latest one. */
  function then() {
    if (store.cursor === null || store.shared || !store.frames.length) return null;
    const { network, variant } = outer.data();
    return withStrengths(networkThen(network, store.standing(store.frame(), variant)), store.frame()?.variants[variant]);
  }

  return {
    then,
    /** How many skips are on, or were. */
    on: () => (then() ?? outer.data().network).skips_on,
    /** Draw the network as it stood, and as it stands once the latest step is looked at again. */
    mark() {
      const back = then();
      if (back || marked) outer.stand(back ?? outer.data().network);
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
          if (!then()) return own(...given);
          const last = store.frames.at(-1).step;
          return refuse(`You are looking at step ${store.frame().step}.`, `Go to step ${last}, the latest, to change the network.`);
        };
      }
      return act;
    },
  };
}
