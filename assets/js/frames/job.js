// @ts-check
// A job on the server, as a page follows it: its state, and its rows as they come, by the page's stream.
import { routesBlocked } from "./reach.js";

// Milliseconds between two questions where our routes are cut off.
const ASK_EVERY = 1000;

/**
 * @typedef {{id: string, mine: boolean, state: string, reason: string | null, progress: number, seconds: number, ahead: number, kept: boolean, count: number, rows: any[]}} Job
 */

/** Whether a job waits or computes. @param {{state: string} | null} job */
export const underWay = (job) => job !== null && ["queued", "running"].includes(job.state);

/**
 * @param {(job: Job) => void} changed  hears of news
 * @param {() => void} look  has Python tell of the job, where our routes are cut off
 * @param {() => void} again  opens the stream anew, where another job is to come by it
 */
export function createJob(changed, look, again) {
  /** @type {Job | null} */
  let job = null;

  /** @param {Job} said  with the rows from number `since` on @param {number} since */
  function take(said, since) {
    const rows = job?.id === said.id ? [...job.rows.slice(0, since), ...said.rows] : said.rows;
    job = { ...said, rows };
    changed(job);
  }
  /** What the stream is to bring. */
  const wanted = () => (job && underWay(job) ? `${job.id}:${job.rows.length}` : "");
  const timer = window.setInterval(() => wanted() && routesBlocked() && !document.hidden && look(), ASK_EVERY);
  return {
    /** Follow the job that Python tells of, with all its rows; what was heard since is newer. @param {Job | null} said */
    follow(said) {
      const before = wanted().split(":")[0];
      if (!said) job = null;
      else if (job?.id !== said.id || said.count >= job.rows.length) take(said, 0);
      if (wanted().split(":")[0] !== before) again();
    },
    /** Take what came by the stream. @param {{job?: Job, since?: number}} message */
    hear: (message) => message.job && message.job.id === job?.id && take(message.job, message.since ?? 0),
    wanted,
    now: () => job,
    destroy: () => clearInterval(timer),
  };
}
