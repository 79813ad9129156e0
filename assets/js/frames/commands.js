// @ts-check
// What the page asks of Python, numbered, kept until Python says that it has done it.

// ms that a page stays at most once a link was followed, however busy its server is; after which it did not lead away.
const LEAVING = 30000;
/** Commands that lead to another page, unless Python says on this one that it has done them. */
const LEAD_AWAY = ["go", "open_lab", "open_run", "open_pair", "open_preset"];

/** What was waiting on a page that was left. @type {{n: number, sender: string}[]} */
let behind = [];

/**
 * A queue of numbered commands: Streamlit may join several reruns into one, so each rerun carries all that wait. What waits
 * when a page is left is told by the next one: a rerun of the page that is left would bring it back. So nothing is said once a
 * link was followed or a command leads away, and a link is followed once all that was said is sent, which Streamlit does a moment later.
 * @param {string} sender  the page
 * @returns {{send: (command: object) => number, acknowledge: (last: number, session?: string) => void, waiting: () => boolean, destroy: () => void, feed: (on: boolean) => void, look: (version: number, later: number) => void, connect: (setStateValue: (name: string, value: any) => void) => boolean}}
 */
export function createCommands(sender) {
  let queue = behind.filter((command) => command.sender === sender);
  let last = Math.max(0, ...queue.map((command) => command.n));
  let others = behind.filter((command) => command.sender !== sender);
  behind = [];
  let timer = 0;
  let sayTimer = 0;
  let looks = 0;
  let left = -Infinity;
  let leavesBy = Infinity;
  let following = false;
  /** What is to be said, by name. @type {Map<string, any>} */
  const unsaid = new Map();
  // Python's session that is talked to: a restarted server begins another, and is sent the last commands once more by
  // Streamlit itself, which have been done already.
  let session = "";
  /** @type {(name: string, value: any) => void} */
  let emit = nowhere;
  const tell = () => say("commands", [...others, ...queue].map((command) => ({ ...command, session })));
  function say(name, value) {
    unsaid.set(name, value);
    sayAll();
  }
  function sayAll() {
    clearTimeout(sayTimer);
    const wait = left + LEAVING - performance.now();
    if (wait > 0) return void (sayTimer = window.setTimeout(sayAll, wait));
    for (const [name, value] of unsaid) emit(name, value);
    unsaid.clear();
  }
  function look(version, later) {
    clearTimeout(timer);
    timer = window.setTimeout(() => say("look", `${version} ${(looks += 1)}`), later);
  }
  /** @param {MouseEvent} event */
  function leave(event) {
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (following || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || !link || !leadsAway(link)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    left = performance.now();
    window.setTimeout(() => follow(link));
  }
  /** @param {HTMLAnchorElement} link */
  function follow(link) {
    following = true;
    (link.isConnected ? link : [...document.links].find(({ href }) => href === link.href))?.click();
    following = false;
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
      if (LEAD_AWAY.includes(command.op)) [left, leavesBy] = [performance.now(), last];
      return last;
    },
    acknowledge(done, name = "") {
      const another = session !== "" && session !== name;
      session = name;
      if (done > last) last = done;
      if (done >= leavesBy) {
        [left, leavesBy] = [-Infinity, Infinity];
        sayAll();
      }
      queue = queue.filter((command) => command.n > done);
      if (others.length || (another && queue.length)) tell();
      others = [];
    },
    waiting: () => queue.length > 0,
    destroy() {
      document.removeEventListener("click", leave, true);
      clearTimeout(timer);
      clearTimeout(sayTimer);
      behind = [...others, ...queue];
    },
    /** Ask for frames as the page's data, or no longer. @param {boolean} on */
    feed: (on) => say("feed", on),
    /** Have the page drawn anew, from the version of its document that it lacks. @param {number} version @param {number} later ms */
    look,
  };
}

/** Whether a link leads to another page of ours in this tab; not one that saves a file, or is marked to answer its click itself. @param {HTMLAnchorElement} link */
function leadsAway(link) {
  const [there, here] = [link, location].map(({ pathname }) => pathname.replace(/\/$/, ""));
  return !link.hasAttribute("download") && !("acts" in link.dataset) && link.target !== "_blank" && link.origin === location.origin && there !== here;
}

function nowhere() {}
