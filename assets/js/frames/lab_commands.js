// @ts-check
// The way of a press to the lab's document, which the server owns: one route, one command after the other. Python's page is
// told which version it has led to, and is drawn from it; where the route is cut off, the page's own line carries the command.
import { post } from "./stream.js";

// Milliseconds that lie at least between two commands of a slider that is being moved.
const SLIDER_PERIOD = 80;
// Milliseconds after a choice in the set-up for which a start goes through the page, behind that choice.
const SET_UP = 2000;

// Milliseconds after which the page is drawn anew for what a live run has heard, and the page has drawn.
const DRAW_LATER = 250;

let setUpAt = -Infinity;
for (const kind of ["focusout", "input", "pointerup", "keyup"]) {
  document.addEventListener(kind, (event) => {
    if (event.target instanceof Element && event.target.closest('[data-testid="stSidebar"]')) setUpAt = performance.now();
  }, true);
}

/**
 * @param {{
 *   commands: ReturnType<import("./commands.js").createCommands>, refuse: (title: string, sentence: string) => void,
 *   answered: (answer: {version: number, run: string | null, select: any, op: string}) => void, show: (title: string, sentence: string) => void,
 * }} page
 */
export function createLabCommands(page) {
  /** @type {{id: string, version: number} | null} the document as this page knows it */
  let lab = null;
  let waiting = 0;
  let passedAt = 0;
  /** @type {Promise<unknown>} */
  let line = Promise.resolve();

  async function deliver(command, later) {
    const answer = await post(`skipviz/labs/${lab?.id}`, command);
    waiting -= 1;
    // A server that was begun anew has no such lab before its page has opened it again; a browser may keep no cookie.
    if (answer.unreachable || answer.status === 401 || answer.status === 404) {
      if (!command.passing) page.commands.send(command);
      return;
    }
    if (!answer.ok) {
      if (command.passing) return;
      page.refuse(command.op === "start" ? "Not started." : "Not done.", answer.error || "");
      page.commands.look(-1, 0);
      return;
    }
    if (lab) lab.version = Math.max(lab.version, answer.version);
    if (answer.said) page.show(answer.said[0], answer.said[1]);
    if (command.passing) return;
    page.answered({ version: answer.version, run: answer.run, select: answer.select, op: command.op });
    page.commands.look(answer.version, later);
  }

  return {
    /**
     * Send a command; of one that is `passing`, as of a slider that is being moved, only the run hears.
     * @param {any} command @param {boolean} [drawn]  whether what it does is drawn already, and a live run hears of it
     */
    send(command, drawn = false) {
      if (command.passing) {
        if (waiting || performance.now() - passedAt < SLIDER_PERIOD) return;
        passedAt = performance.now();
      }
      const behind = command.op === "start" && (page.commands.waiting() || performance.now() - setUpAt < SET_UP);
      if (!lab || behind) return void page.commands.send(command);
      waiting += 1;
      line = line.then(() => deliver(command, drawn ? DRAW_LATER : 0));
    },
    /** Take the document that the page was drawn from; false where it is older than what this page knows of. @param {{id: string, version: number}} next */
    take(next) {
      if (lab?.id === next.id && (waiting || next.version < lab.version)) return false;
      lab = { ...next };
      return true;
    },
    /** Hear that the document is another now, as somebody else may have changed it. @param {{lab: string, version: number}} news */
    heard(news) {
      if (news.lab !== lab?.id || news.version <= lab.version || waiting) return;
      page.commands.look(news.version, 0);
    },
    waiting: () => waiting > 0,
    /** The document as this page knows it, as the stream's address names it. */
    known: () => (lab ? `${lab.id}:${lab.version}` : ""),
  };
}
