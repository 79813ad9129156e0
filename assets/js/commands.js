// @ts-check
// What the page asks of Python, numbered, kept until Python says that it has done it.

/**
 * A queue of numbered commands: Streamlit may join several reruns into one, so each rerun carries all that wait.
 * @returns {{send: (command: object) => number, acknowledge: (last: number) => void, waiting: () => boolean, connect: (setStateValue: (name: string, value: any) => void) => void}}
 */
export function createCommands() {
  /** @type {{n: number}[]} */
  let queue = [];
  let last = 0;
  /** @type {(name: string, value: any) => void} */
  let emit = () => {};
  return {
    connect(setStateValue) {
      emit = setStateValue;
    },
    send(command) {
      last += 1;
      queue.push({ ...command, n: last });
      emit("commands", queue);
      return last;
    },
    acknowledge(done) {
      if (done > last) last = done;
      queue = queue.filter((command) => command.n > done);
    },
    waiting: () => queue.length > 0,
  };
}
