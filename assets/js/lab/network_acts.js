// @ts-check
// What a person does to the network that is looked at: its skips, valves and boxes; drawn at once, the server's word follows.
import { countInForce, switchedOn, toggled } from "../common/in_force.js";
import { partsOf } from "../common/parts.js";

const LIVE = new Set(["on", "strength", "gain"]);

/**
 * @param {{
 *   data: () => any, store: any, send: (command: any, drawn?: boolean) => void, select: (kind: string | null, names: string[]) => void,
 *   mark: (kind: string, names: string[], network: any) => void, written: () => void,
 * }} outer  `mark` shows a switch on the drawing, `written` writes what words say of it
 */
export function createNetworkActs({ data, store, send, select, mark, written }) {
  function edit(kind, names, changes, final) {
    const { network } = data();
    const live = store.hears() && Object.keys(changes).every((name) => LIVE.has(name));
    for (const part of partsOf(network, kind)) if (names.includes(part.id)) Object.assign(part, changes);
    mark(kind === "skip" ? "skip" : "valve", names, network);
    network.skips_on = countInForce(network.skips);
    const command = { op: kind === "skip" ? "skips" : "layers", ids: names, changes };
    if (final) send(command, live);
    else if (live) send({ ...command, passing: true });
    written();
  }
  return {
    skips: (names, changes, final) => edit("skip", names, changes, final),
    layers: (names, changes, final) => edit("layer", names, changes, final),
    toggleSkip: (names) => edit("skip", names, toggled(partsOf(data().network, "skip"), names), true),
    toggleValve(names) {
      const open = data().network.layers.some((layer) => names.includes(layer.id) && layer.gain > 0);
      edit("layer", names, { gain: open ? 0 : 1 }, true);
    },
    all(on) {
      const { skips } = data().network;
      edit("skip", skips.map((skip) => skip.id), on ? switchedOn(skips) : { on }, true);
    },
    selectSkip: (names) => select("skip", names),
    selectLayer: (names) => select("layer", names),
    deselect: () => select(null, []),
    addSkip: (source, target) => send({ op: "add_skip", source, target }),
    insert: (position) => send({ op: "insert_layer", position }),
    remove(kind, names) {
      select(null, []);
      send({ op: kind === "skip" ? "remove_skips" : "remove_layers", ids: names });
    },
  };
}
