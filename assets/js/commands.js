// @ts-check
// What the page asks of Python, numbered, kept until Python says that it has done it.

/**
 * A queue of numbered commands: Streamlit may join several reruns into one, so each rerun carries all that wait.
 * A command that a live run has already obeyed may be told later, so that the rerun does not delay what it did.
 * @returns {{send: (command: object, later?: number) => number, acknowledge: (last: number) => void, waiting: () => boolean, feed: (on: boolean) => void, connect: (setStateValue: (name: string, value: any) => void) => boolean}}
 */
export function createCommands() {
  /** @type {{n: number}[]} */
  let queue = [];
  let last = 0;
  let timer = 0;
  /** @type {(name: string, value: any) => void} */
  let emit = nowhere;
  return {
    /** Take the way to Python; true the first time. */
    connect(setStateValue) {
      const first = emit === nowhere;
      emit = setStateValue;
      return first;
    },
    send(command, later = 0) {
      last += 1;
      queue.push({ ...command, n: last });
      clearTimeout(timer);
      if (later) timer = window.setTimeout(() => emit("commands", queue), later);
      else emit("commands", queue);
      return last;
    },
    acknowledge(done) {
      if (done > last) last = done;
      queue = queue.filter((command) => command.n > done);
    },
    waiting: () => queue.length > 0,
    /** Ask for frames as the page's data, or no longer. @param {boolean} on */
    feed: (on) => emit("feed", on),
  };
}

function nowhere() {}
