// @ts-check
// What the page asks of Python, numbered, kept until Python says that it has done it.

// ms that a page stays at most once a link was followed; after which it did not lead away.
const LEAVING = 5000;

/** What was waiting on a page that was left. @type {{n: number, sender: string}[]} */
let behind = [];

/**
 * A queue of numbered commands: Streamlit may join several reruns into one, so each rerun carries all that wait. What waits
 * when a page is left is told by the next one: a rerun of the page that is left would bring it back.
 * @param {string} sender  the page
 * @returns {{send: (command: object) => number, acknowledge: (last: number, session?: string) => void, waiting: () => boolean, destroy: () => void, feed: (on: boolean) => void, look: (version: number, later: number) => void, connect: (setStateValue: (name: string, value: any) => void) => boolean}}
 */
export function createCommands(sender) {
  let queue = behind.filter((command) => command.sender === sender);
  let last = Math.max(0, ...queue.map((command) => command.n));
  let others = behind.filter((command) => command.sender !== sender);
  behind = [];
  let timer = 0;
  let looks = 0;
  let left = -Infinity;
  // Python's session that is talked to: a restarted server begins another, and is sent the last commands once more by
  // Streamlit itself, which have been done already.
  let session = "";
  /** @type {(name: string, value: any) => void} */
  let emit = nowhere;
  const tell = () => emit("commands", [...others, ...queue].map((command) => ({ ...command, session })));
  function look(version, later) {
    clearTimeout(timer);
    const wait = Math.max(later, left + LEAVING - performance.now());
    timer = window.setTimeout(() => {
      timer = 0;
      emit("look", `${version} ${(looks += 1)}`);
    }, wait);
  }
  function leave(event) {
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (!link || link.download || link.target === "_blank") return;
    left = performance.now();
    if (timer) look(-1, 0);
  }
  document.addEventListener("click", leave, true);
  return {
    /** Take the way to Python; true the first time. */
    connect(setStateValue) {
      const first = emit === nowhere;
      emit = setStateValue;
      return first;
    },
    send(command) {
      last += 1;
      queue.push({ ...command, n: last, sender });
      tell();
      return last;
    },
    acknowledge(done, name = "") {
      const another = session !== "" && session !== name;
      session = name;
      if (done > last) last = done;
      queue = queue.filter((command) => command.n > done);
      if (others.length || (another && queue.length)) tell();
      others = [];
    },
    waiting: () => queue.length > 0,
    destroy() {
      document.removeEventListener("click", leave, true);
      clearTimeout(timer);
      behind = [...others, ...queue];
    },
    /** Ask for frames as the page's data, or no longer. @param {boolean} on */
    feed: (on) => emit("feed", on),
    /** Have the page drawn anew, from the version of its document that it lacks. @param {number} version @param {number} later ms */
    look,
  };
}

function nowhere() {}
