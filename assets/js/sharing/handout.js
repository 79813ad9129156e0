// @ts-check
// Files where our routes are cut off: Python is asked for one, hands it over with the page's data, and forgets it.
import { save } from "./export_files.js";
import { bytesOf } from "../pictures/picture_parts.js";

/**
 * @param {(command: any) => number} ask
 * @param {(words: string) => void} say
 */
export function createHandout(ask, say) {
  /** The number of the file that is on its way, 0 for none. */
  let wanted = 0;
  return {
    /** @param {string} suffix @param {string} run  empty for the experiment itself @param {string} [variant]  whose weights */
    want(suffix, run, variant = "") {
      if (wanted) return;
      say("The file is being made, and comes through the page …");
      wanted = ask({ op: "file", suffix, run, variant });
    },
    /** @param {{n: number, name?: string, content?: string, problem?: string} | null | undefined} file  what Python hands over */
    take(file) {
      if (!file || file.n !== wanted) return;
      wanted = 0;
      if (file.content !== undefined) save(new Blob([/** @type {any} */ (bytesOf(file.content))]), String(file.name));
      say(file.problem || `Saved as ${file.name}.`);
      ask({ op: "file_taken" });
    },
  };
}
