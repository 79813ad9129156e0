// @ts-check
// How the lab comes to the state of a tour's step: it opens, draws, trains, holds and switches by its own commands.
import { countInForce } from "../common/in_force.js";
import { turnValves, valvesToTurn } from "../common/tour_valves.js";

/** Whether a step switches anything. @param {import("../common/tour.js").TourStep} step */
const switchesAny = (step) => step.skips !== null || step.shut.length + step.opened.length > 0;

/**
 * @param {{data: () => any, store: any, act: any, send: (command: any) => void}} lab
 * @returns {(step: import("../common/tour.js").TourStep, once: (name: string, does: () => void) => void) => string}
 */
export function reachInLab({ data, store, act, send }) {
  return (step, once) => {
    const now = data();
    const { skips, layers, skips_total: total } = now.network;
    const on = countInForce(skips);
    const toSwitch = step.skips !== null && on !== (step.skips ? total : 0);
    const valves = valvesToTurn(layers, step);
    if (step.experiment && !stands(step, toSwitch || valves.any)) {
      once("open", () => send({ op: "open_experiment", text: step.experiment }));
      return "Opening the network …";
    }
    if (step.layout === "u" && now.u && !now.u.on) {
      once("layout", () => send({ op: "layout", name: "u" }));
      return "Drawing it as a U …";
    }
    const waits = step.train !== null && train(step, once, toSwitch || valves.any);
    if (waits) return waits;
    if (toSwitch) once("skips", () => act.all(step.skips));
    turnValves(valves, once, act.toggleValve);
    return toSwitch || valves.any ? "Switching …" : "";
  };

  /** Whether the lab holds the step's experiment, with a run that the step can go on from. */
  function stands(step, switches) {
    const now = data();
    if (now.watch || ![now.link, now.began].includes(step.experiment)) return false;
    if (!switchesAny(step) && store.events.length) return false;
    const live = store.state === "ready" || store.active();
    const last = store.frames.at(-1)?.step ?? -1;
    return step.train === null || live || (last >= step.train && !switches);
  }

  /** Train to the step's step; a step that switches nothing is held there. */
  function train(step, once, switches) {
    const last = store.frames.at(-1)?.step ?? -1;
    const resumes = store.state === "paused" && (switches || last < step.train);
    if (store.cursor !== null) once("live", () => act.seek(null));
    if (store.state === "ready" && !store.frames.length) once("start", () => act.main());
    else if (resumes) once("resume", () => act.main());
    const over = !store.active() && store.state !== "ready";
    if (!over && last < step.train) return `Training to step ${step.train} …`;
    const holds = !switchesAny(step) && store.state === "running";
    if (holds) once("hold", () => act.main());
    return holds || (resumes && switches) ? "…" : "";
  }
}
