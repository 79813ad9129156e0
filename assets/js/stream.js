// @ts-check
// The page's one event stream, for all its runs; closed while the tab is hidden.

/**
 * Keep one EventSource open on the runs that are asked for.
 * @param {(message: any) => void} onMessage
 * @param {(reachable: boolean) => void} onReach  says whether the route can be reached
 */
export function createStream(onMessage, onReach) {
  /** @type {EventSource | null} */
  let source = null;
  /** @type {string[]} */
  let runs = [];
  /** @type {Record<string, number>} */
  let seen = {};
  let failures = 0;

  function close() {
    if (source) source.close();
    source = null;
  }
  function open() {
    close();
    if (!runs.length || document.hidden) return;
    const after = runs.filter((run) => run in seen).map((run) => `${run}:${seen[run]}`);
    const query = new URLSearchParams({ runs: runs.join(",") });
    if (after.length) query.set("after", after.join(","));
    const opened = new EventSource(`skipviz/stream?${query}`.replace(/^/, location.pathname.replace(/[^/]*$/, "")));
    source = opened;
    opened.onmessage = (event) => {
      failures = 0;
      onReach(true);
      const message = JSON.parse(event.data);
      if (message.resync) {
        delete seen[message.run];
        return;
      }
      if (message.snapshot) delete seen[message.run];
      if (message.seq !== undefined) seen[message.run] = message.seq;
      onMessage(message);
    };
    opened.onerror = () => {
      failures += 1;
      if (failures >= 3) onReach(false);
      if (opened.readyState === EventSource.CLOSED && source === opened) {
        setTimeout(() => source === opened && open(), Math.min(8000, 500 * 2 ** failures));
      }
    };
  }
  const visibility = () => (document.hidden ? close() : open());
  document.addEventListener("visibilitychange", visibility);
  return {
    /** @param {string[]} wanted */
    watch(wanted) {
      if (wanted.join() === runs.join()) return;
      runs = [...wanted];
      seen = Object.fromEntries(Object.entries(seen).filter(([run]) => runs.includes(run)));
      open();
    },
    /** @param {string} run */
    forget(run) {
      delete seen[run];
    },
    destroy() {
      document.removeEventListener("visibilitychange", visibility);
      close();
    },
  };
}

/**
 * Post JSON to one of our routes and return the answer; never throws.
 * @param {string} path
 * @param {any} body
 * @returns {Promise<{ok: boolean, error?: string, [key: string]: any}>}
 */
export async function post(path, body) {
  try {
    const base = location.pathname.replace(/[^/]*$/, "");
    const answer = await fetch(base + path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    const data = await answer.json();
    return { ...data, ok: answer.ok };
  } catch {
    return { ok: false, error: "The server cannot be reached.", unreachable: true };
  }
}

/**
 * Start a run without waiting for Python's page; null where that is not possible and Python must do it.
 * @param {{link: string, speed: number | null, ghost: boolean, paused: boolean}} wanted
 * @returns {Promise<{run?: string, error?: string} | null>}
 */
export async function startRun(wanted) {
  if (!wanted.link) return null;
  const answer = await post("skipviz/runs", { ...wanted, speed: wanted.speed ?? undefined });
  if (answer.unreachable) return null;
  return answer.ok ? { run: answer.run } : { error: answer.error };
}
