// @ts-check
// What a lab tells its run: to start, to go on, to pause, and each switch and slider while it trains.
import { post, resumeRun, startRun } from "../frames/stream.js";

// Milliseconds that lie at least between two messages of a slider that is being moved.
const SLIDER_PERIOD = 80;

/**
 * @param {ReturnType<import("../frames/store.js").createRunStore>} store
 * @param {{
 *   commands: ReturnType<import("../frames/commands.js").createCommands>, refuse: (title: string, sentence: string) => void,
 *   drawText: () => void, adopt: (run: string) => void, sent: (message: any) => void,
 *   link: () => string, wanted: () => {speed: number | null, ghost: boolean},
 * }} lab
 */
export function createRunControl(store, lab) {
  let postedAt = 0;
  /** @type {{text: string, answer: Promise<any>} | null} what a slider that is being moved has sent last */
  let passing = null;

  /** @param {any} message @param {boolean} final  whether it stays, as when a slider is let go */
  async function send(message, final) {
    if (!final && performance.now() - postedAt < SLIDER_PERIOD) return;
    postedAt = performance.now();
    const text = JSON.stringify(message);
    // A slider that is let go where it sent last is not sent again; what was answered then still counts.
    const sent = final && passing?.text === text ? passing.answer : null;
    if (!sent) lab.sent(message);
    const asked = sent ?? post(`skipviz/runs/${store.id}/events`, message);
    passing = final ? null : { text, answer: asked };
    const answer = await asked;
    if (answer.unreachable && final) lab.commands.send({ op: "tell", run: store.id, message });
    else if (!answer.ok && final) lab.refuse("Not done.", answer.error || "");
    return answer;
  }

  return {
    send,
    /** @param {boolean} paused  whether only its first step is wanted now */
    async start(paused) {
      store.reset("?");
      lab.drawText();
      const wanted = { ...lab.wanted(), paused };
      const answer = lab.commands.waiting() ? null : await startRun({ link: lab.link(), ...wanted });
      if (answer?.error) {
        lab.refuse("Not started.", answer.error);
        store.reset(null);
      } else {
        if (answer?.run) lab.adopt(answer.run);
        lab.commands.send({ op: "start", run: answer?.run, ...wanted });
      }
      lab.drawText();
    },
    async goOn() {
      const refusal = await resumeRun(String(store.id), lab.commands.send);
      if (refusal) lab.refuse("Not resumed.", refusal);
    },
    /** @param {string} kind @param {string} state  what the run will be */
    control(kind, state) {
      if (store.id === "?") return; // a second press while it is being started
      if (kind !== "step") store.state = state;
      send({ kind }, true);
      lab.drawText();
    },
  };
}
