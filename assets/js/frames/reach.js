// @ts-check
// Whether our own routes can be reached from here: some hosts pass Streamlit's paths only.

// ms after which routes that could not be reached are tried again.
const TRY_AGAIN = 30_000;
const reach = { blocked: false, silent: false, /** @type {Promise<void> | null} */ asking: null };
/** @type {Set<(blocked: boolean) => void>} */
const reachListeners = new Set();

/** The address of one of our routes, or of Streamlit's, from this page. @param {string} path */
export function routeTo(path) {
  return location.pathname.replace(/[^/]*$/, "") + path;
}

/** Whether frames and controls have to go through the page itself. */
export function routesBlocked() {
  return reach.blocked;
}

/** Hear of a change; returns the way to end that. @param {(blocked: boolean) => void} listener */
export function onRoutes(listener) {
  reachListeners.add(listener);
  return () => void reachListeners.delete(listener);
}

/** Find out, once something of ours did not answer. A server that is down altogether blocks nothing. */
export function checkRoutes() {
  reach.asking = reach.asking || ask().finally(() => (reach.asking = null));
  return reach.asking;
}

/** Take it that events are held up on their way, though the route answers. */
export function routesAreSilent() {
  reach.silent = true;
  setBlocked(true);
}

async function ask() {
  if (reach.silent) return;
  const passes = await answers("skipviz/stream?runs=none", (answer) => (answer.headers.get("content-type") || "").startsWith("text/event-stream"));
  if (passes) setBlocked(false);
  else if (await answers("_stcore/health", (answer) => answer.ok)) setBlocked(true);
}

async function answers(path, good) {
  try {
    return good(await fetch(routeTo(path), { method: path.startsWith("_") ? "GET" : "HEAD" }));
  } catch {
    return false;
  }
}

function setBlocked(blocked) {
  if (blocked) window.setTimeout(checkRoutes, TRY_AGAIN);
  if (blocked === reach.blocked) return;
  reach.blocked = blocked;
  document.documentElement.dataset.svReach = blocked ? "blocked" : "";
  for (const listener of [...reachListeners]) listener(blocked);
}
