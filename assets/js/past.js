// @ts-check
// An earlier step of a run: its lines and valves stand as they stood then, and nothing is changed there.

// What changes the network, which is the one of the latest step.
const CHANGES = ["skips", "layers", "toggleSkip", "toggleValve", "addSkip", "insert", "remove", "all"];

/**
 * @param {any} store
 * @param {{data: () => any, mark: (kind: string, ids: string[], on: boolean) => void}} outer  `mark` draws lines or valves as on or off
 */
export function createPast(store, outer) {
  let marked = false;
  const ids = (kind) => outer.data().network[kind].map((part) => part.id);

  /** The skips that were off and the layers whose gradient was killed at the step looked at; null at the latest one. */
  function then() {
    return store.cursor !== null && !store.shared && store.frames.length ? store.switches(store.frame(), outer.data().variant) : null;
  }

  return {
    then,
    /** How many skips are on, or were. */
    on() {
      const back = then();
      const { skips, skips_on: now } = outer.data().network;
      return back ? skips.filter((skip) => !back.off.includes(skip.id)).length : now;
    },
    /** Draw the switches as they stood, and as they stand once the latest step is looked at again. */
    mark() {
      const back = then();
      if (!back && !marked) return;
      marked = back !== null;
      const { skips, layers } = outer.data().network;
      const off = back?.off ?? skips.filter((skip) => !skip.on).map((skip) => skip.id);
      const killed = back?.killed ?? layers.filter((layer) => layer.gain === 0).map((layer) => layer.id);
      const rest = (kind, names) => ids(kind).filter((id) => !names.includes(id));
      outer.mark("skip", rest("skips", off), true);
      outer.mark("skip", off, false);
      outer.mark("valve", rest("layers", killed), true);
      outer.mark("valve", killed, false);
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
