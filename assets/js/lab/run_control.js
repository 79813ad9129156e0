// @ts-check
// What steers a lab's run without changing its network: start, go on, pause, a step, its speed.
import { post, resumeRun } from "../frames/stream.js";

/**
 * @param {ReturnType<import("../frames/store.js").createRunStore>} store
 * @param {{
 *   commands: ReturnType<import("../frames/commands.js").createCommands>, send: (command: any) => void,
 *   refuse: (title: string, sentence: string) => void, drawText: () => void, wanted: () => {speed: number | null, ghost: boolean},
 * }} lab
 */
export function createRunControl(store, lab) {
  /** @param {any} message */
  async function send(message) {
    const answer = await post(`skipviz/runs/${store.id}/events`, message);
    if (answer.unreachable) lab.commands.send({ op: "tell", run: store.id, message });
    else if (!answer.ok) lab.refuse("Not done.", answer.error || "");
  }

  return {
    send,
    /** @param {boolean} paused  whether only its first step is wanted now */
    start(paused) {
      store.reset("?");
      lab.drawText();
      lab.send({ op: "start", ...lab.wanted(), paused });
    },
    async goOn() {
      const refusal = await resumeRun(String(store.id), lab.commands.send);
      if (refusal) lab.refuse("Not resumed.", refusal);
    },
    /** @param {string} kind @param {string} state  what the run will be */
    control(kind, state) {
      if (store.id === "?") return; // a second press while it is being started
      if (kind !== "step") store.state = state;
      send({ kind });
      lab.drawText();
    },
  };
}
