// @ts-check
// Plays the recording of runs that go on no longer: moves the step that is looked at, as time passes.

/** Milliseconds between two pictures: a recording has a frame every third step. */
const TICK = 100;
const STEPS = 3;

/**
 * @param {() => any[]} stores  the runs that are played together
 * @param {() => void} draw
 */
export function createPlayer(stores, draw) {
  let timer = 0;
  let step = 0;
  const end = () => Math.max(0, ...stores().map((store) => store.frames.at(-1)?.step ?? 0));
  function look() {
    for (const store of stores()) store.cursor = step >= end() ? null : store.indexAt(step);
    draw();
  }
  function advance() {
    step += STEPS;
    if (step >= end()) stop();
    look();
  }
  function stop() {
    clearInterval(timer);
    timer = 0;
  }
  return {
    /** @param {number} from  the step to begin at */
    play(from) {
      stop();
      step = from >= end() ? 0 : from;
      timer = window.setInterval(advance, TICK);
      look();
    },
    stop,
    playing: () => timer !== 0,
  };
}
