// @ts-check
// What the page asks of Python, numbered, kept until Python says that it has done it.

/**
 * A queue of numbered commands: Streamlit may join several reruns into one, so each rerun carries all that wait.
 * A command that a live run has already obeyed may be told later, so that the rerun does not delay what it did; but before
 * a link is followed, which may lead to another page.
 * @returns {{send: (command: object, later?: number) => number, acknowledge: (last: number, session?: string) => void, waiting: () => boolean, destroy: () => void, feed: (on: boolean) => void, connect: (setStateValue: (name: string, value: any) => void) => boolean}}
 */
export function createCommands() {
  /** @type {{n: number}[]} */
  let queue = [];
  let last = 0;
  let timer = 0;
  // Python's session that is talked to: a restarted server begins another, and is sent the last commands once more by
  // Streamlit itself, which have been done already.
  let session = "";
  /** @type {(name: string, value: any) => void} */
  let emit = nowhere;
  const tell = () => {
    clearTimeout(timer);
    timer = 0;
    emit("commands", queue.map((command) => ({ ...command, session })));
  };
  const leave = (event) => timer && event.target instanceof Element && event.target.closest("a") && tell();
  for (const name of ["pointerdown", "keydown"]) document.addEventListener(name, leave, true);
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
      if (later) timer = window.setTimeout(tell, later);
      else tell();
      return last;
    },
    acknowledge(done, name = "") {
      const another = session !== "" && session !== name;
      session = name;
      if (done > last) last = done;
      queue = queue.filter((command) => command.n > done);
      if (another && queue.length) tell();
    },
    waiting: () => queue.length > 0,
    destroy() {
      for (const name of ["pointerdown", "keydown"]) document.removeEventListener(name, leave, true);
    },
    /** Ask for frames as the page's data, or no longer. @param {boolean} on */
    feed: (on) => emit("feed", on),
  };
}

function nowhere() {}
