// @ts-check
// A job on the server, as a page follows it: its state, and its rows as they come, asked for once a second while it is looked at.
import { checkRoutes, routeTo, routesBlocked } from "./reach.js";

// Milliseconds between two questions.
const ASK_EVERY = 1000;

/**
 * @typedef {{id: string, mine: boolean, state: string, reason: string | null, progress: number, seconds: number, ahead: number, kept: boolean, count: number, rows: any[]}} Job
 */

/** Whether a job waits or computes. @param {{state: string} | null} job */
export const underWay = (job) => job !== null && ["queued", "running"].includes(job.state);

/**
 * @param {(job: Job) => void} changed  hears of news
 * @param {() => void} look  has Python tell of the job, where our routes are cut off
 */
export function createJob(changed, look) {
  /** @type {Job | null} */
  let job = null;
  let asking = false;

  /** @param {Job} said  with the rows from number `since` on @param {number} since */
  function take(said, since) {
    const rows = job?.id === said.id ? [...job.rows.slice(0, since), ...said.rows] : said.rows;
    job = { ...said, rows };
    changed(job);
  }
  async function ask() {
    if (asking || document.hidden || !job || !underWay(job)) return;
    if (routesBlocked()) return look();
    asking = true;
    const { id, rows } = job;
    try {
      const answer = await fetch(routeTo(`skipviz/jobs/${id}?since=${rows.length}`));
      if (answer.ok && job?.id === id) take(await answer.json(), rows.length);
    } catch {
      checkRoutes();
    } finally {
      asking = false;
    }
  }
  const timer = window.setInterval(ask, ASK_EVERY);
  document.addEventListener("visibilitychange", ask);
  return {
    /** Follow the job that Python tells of, with all its rows; what was heard since is newer. @param {Job | null} said */
    follow(said) {
      if (!said) job = null;
      else if (job?.id !== said.id || said.count >= job.rows.length) take(said, 0);
    },
    now: () => job,
    destroy() {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", ask);
    },
  };
}
