// @ts-check
// The page's one source of frames, for all its runs: an event stream, closed while the tab is hidden; where our routes
// are cut off, the data of a fragment, which come as an event of the window. A page without a run listens too: for what
// the server has to say to all.
import { checkRoutes, onRoutes, routeTo, routesAreSilent, routesBlocked } from "./reach.js";

// ms without a word from a stream that has just been opened, after which events are taken to be held up on their way.
const SILENCE = 20_000;

/**
 * Keep one EventSource open on the runs that are asked for, or on the server's notices.
 * @param {(message: any) => void} onMessage
 * @param {(reachable: boolean, notice?: string) => void} onReach  says whether the route can be reached, and what the server said before it went
 * @param {() => string} labs  the page's labs and the versions of their documents that it knows, as id:version,…
 * @param {() => string} jobs  likewise the page's job and how many of its rows it has
 */
export function createStream(onMessage, onReach, labs = () => "", jobs = () => "") {
  /** @type {EventSource | null} */
  let source = null;
  /** @type {string[]} */
  let runs = [];
  let room = "";
  /** @type {Record<string, number>} */
  let seen = {};
  let failures = 0;
  let said = false;
  let silence = 0;
  let opening = false;
  let ended = false;
  const feed = createFeed(take, onReach);

  function close() {
    clearTimeout(silence);
    if (source) source.close();
    source = null;
  }
  function take(message) {
    if (message.listening) return;
    if (message.resync) {
      delete seen[message.run];
      return;
    }
    if (message.snapshot) delete seen[message.run];
    if (message.seq !== undefined) seen[message.run] = message.seq;
    onMessage(message);
  }
  /** Open anew once all is said that is being said now. */
  function reopen() {
    if (opening) return;
    opening = true;
    queueMicrotask(() => {
      opening = false;
      open();
    });
  }
  function open() {
    close();
    if (routesBlocked() || ended || document.hidden) return;
    const after = runs.filter((run) => run in seen).map((run) => `${run}:${seen[run]}`);
    const query = new URLSearchParams(room ? { follow: room } : runs.length ? { runs: runs.join(",") } : { notices: "1" });
    if (after.length) query.set("after", after.join(","));
    for (const [name, known] of Object.entries({ labs: labs(), jobs: jobs() })) if (known) query.set(name, known);
    const opened = new EventSource(routeTo(`skipviz/stream?${query}`));
    source = opened;
    silence = window.setTimeout(routesAreSilent, SILENCE);
    opened.onmessage = (event) => {
      clearTimeout(silence);
      if (failures || said) onReach(true);
      failures = 0;
      said = false;
      const message = JSON.parse(event.data);
      said = Boolean(message.notice);
      if (said) onReach(false, message.notice);
      else take(message);
    };
    opened.onerror = () => {
      clearTimeout(silence);
      failures += 1;
      checkRoutes();
      if (failures >= 3) onReach(routesBlocked());
      if (opened.readyState === EventSource.CLOSED && source === opened) {
        refusalOf(opened.url).then((reason) => reason && source === opened && onReach(false, `${reason[0].toUpperCase()}${reason.slice(1)}.`));
        setTimeout(() => source === opened && open(), Math.min(8000, 500 * 2 ** failures));
      }
    };
  }
  const visibility = () => (document.hidden ? close() : open());
  document.addEventListener("visibilitychange", visibility);
  const forgetRoutes = onRoutes((blocked) => {
    failures = 0;
    onReach(true);
    seen = {};
    if (blocked) feed.begin(runs);
    open();
  });
  reopen();
  return {
    again: reopen,
    /** @param {string[]} wanted */
    watch(wanted) {
      if (wanted.join() === runs.join()) return;
      runs = [...wanted];
      seen = Object.fromEntries(Object.entries(seen).filter(([run]) => runs.includes(run)));
      feed.begin(runs);
      if (!room) reopen();
    },
    /** Have whatever run a classroom shows, and hear of its changes. @param {string} token */
    follow(token) {
      if (token === room) return;
      room = token;
      seen = {};
      reopen();
    },
    destroy() {
      document.removeEventListener("visibilitychange", visibility);
      forgetRoutes();
      feed.end();
      ended = true;
      close();
    },
  };
}

/**
 * Why the server lets no further stream be open; nothing where that is not why one did not open.
 * @param {string} address
 * @returns {Promise<string>}
 */
async function refusalOf(address) {
  const stop = new AbortController();
  try {
    const answer = await fetch(address, { signal: stop.signal });
    return answer.status === 429 ? (await answer.json()).error : "";
  } catch {
    return "";
  } finally {
    stop.abort();
  }
}

/**
 * Read the batches of a fragment's data: each says from which place of its run it goes on. One may have been missed; then
 * the fragment is asked to begin again. They also bring what the server says before it stops.
 * @param {(message: any) => void} take
 * @param {(reachable: boolean, notice?: string) => void} onReach
 */
function createFeed(take, onReach) {
  /** @type {string[]} */
  let runs = [];
  /** @type {Record<string, {n: number, seq: number | null}>} */
  let places = {};
  /** @type {any} */
  let last = null;
  let notice = "";
  let newest = 0;

  function read(event) {
    last = event?.detail ?? last;
    if (!routesBlocked() || !last) return;
    if (last.notice !== notice) {
      notice = last.notice;
      onReach(!notice, notice);
    }
    const reached = last.batches.at(-1)?.n ?? newest;
    if (reached < newest) places = {}; // another server counts anew
    newest = reached;
    for (const batch of last.batches) {
      const place = places[batch.run] ?? { n: -1, seq: null };
      if (!runs.includes(batch.run) || batch.n <= place.n) continue;
      if (batch.from !== null && batch.from !== place.seq) return void last.again();
      const message = JSON.parse(batch.text);
      places[batch.run] = { n: batch.n, seq: message.seq ?? null };
      take(message);
    }
  }
  window.addEventListener("skipviz-feed", read);
  return {
    /** @param {string[]} wanted */
    begin(wanted) {
      runs = wanted;
      places = {};
      read(null);
    },
    end: () => window.removeEventListener("skipviz-feed", read),
  };
}

/**
 * Post JSON to one of our routes and return the answer; never throws.
 * @param {string} path
 * @param {any} body
 * @returns {Promise<{ok: boolean, status?: number, error?: string, [key: string]: any}>}
 */
export async function post(path, body) {
  const unreachable = { ok: false, error: "The server cannot be reached.", unreachable: true };
  if (routesBlocked()) return unreachable;
  try {
    const answer = await fetch(routeTo(path), {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    const data = await answer.json();
    return { ...data, ok: answer.ok, status: answer.status };
  } catch {
    checkRoutes();
    return unreachable;
  }
}

/**
 * Let an ended run go on from its last checkpoint; where our routes are cut off, Python does it.
 * @param {string} run @param {(command: object) => void} ask
 * @returns {Promise<string>} why it does not; nothing if it does
 */
export async function resumeRun(run, ask) {
  const answer = await post(`skipviz/runs/${run}/resume`, {});
  if (answer.unreachable) ask({ op: "resume", run });
  return answer.ok || answer.unreachable ? "" : answer.error || "";
}
