// @ts-check
// What one frame shows of several networks, in words: whose gradient stays away, and how well each does.
import { metricName, metricWord } from "./metric_words.js";
import { formatNumber } from "./numbers.js";
import { EXPLODING, VANISHING, gradientRatio } from "./sentence.js";

/**
 * @typedef {{letter: string, network: any, values: any, held: number | null, broken: {step: number} | null, differs: string}} Compared
 *   one network as it stood at the frame: `values` its numbers there, `held` its last held-out metric, `differs` from the first one in words
 */

/**
 * @param {Compared[]} columns @param {number} step @param {string} metric  its name, or "" where they have none in common
 * @returns {import("./sentence.js").Sentence}
 */
export function comparedSentence(columns, step, metric) {
  const why = columns.filter(({ differs }) => differs).map(({ letter, differs }) => `${letter}: ${differs}`).join(" · ");
  if (!columns.some(({ values }) => values)) return { kind: "none", words: [""], why, attempt: "" };
  const { kind, words } = gradientPart(columns, step);
  const doing = doingPart(columns, metric);
  return { kind, words: [...words.slice(0, -1), words.at(-1) + doing[0], ...doing.slice(1)], why, attempt: "" };
}

/** Of the gradient; ends with plain words. @param {Compared[]} columns @param {number} step @returns {{kind: import("./sentence.js").Sentence["kind"], words: string[]}} */
function gradientPart(columns, step) {
  const broken = columns.find((column) => column.broken);
  if (broken) return { kind: "diverged", words: [`${broken.letter} `, "diverged", ` at step ${broken.broken?.step}; `] };
  const dead = columns.find(({ values }) => values?.weight_grad.some((value) => value === 0) && values.weight_grad.every((value) => value === null || value === 0));
  if (dead) return { kind: "dead", words: [`Step ${step}: ${dead.letter} is `, "dead", ", all its gradients are 0; "] };
  const known = columns.map(({ letter, network, values }) => ({ letter, ratio: gradientRatio(network, values) })).filter(({ ratio }) => ratio !== null);
  const least = known.reduce((best, one) => (best === null || /** @type {number} */ (one.ratio) < /** @type {number} */ (best.ratio) ? one : best), /** @type {any} */ (null));
  const most = known.reduce((best, one) => (best === null || /** @type {number} */ (one.ratio) > /** @type {number} */ (best.ratio) ? one : best), /** @type {any} */ (null));
  if (!least) return { kind: "none", words: [`Step ${step}: `, "", ""] };
  if (least.ratio === 0) return { kind: "vanishing", words: [`Step ${step}: ${least.letter}’s first layer gets `, "none", " of the gradient; "] };
  if (least.ratio < VANISHING) return { kind: "vanishing", words: [`Step ${step}: ${least.letter}’s first layer gets `, formatNumber(least.ratio), " of its last; "] };
  if (most.ratio > EXPLODING) return { kind: "exploding", words: [`Step ${step}: ${most.letter}’s first layer gets `, formatNumber(most.ratio), " times its last; "] };
  const each = known.flatMap(({ letter, ratio }, index) => [`${index ? ", " : ""}${letter} `, formatNumber(ratio)]);
  return { kind: "through", words: [`Step ${step}: first ÷ last layer ${each[0]}`, ...each.slice(1), "; "] };
}

/** Of the task; begins within plain words. @param {Compared[]} columns @param {string} metric @returns {string[]} */
function doingPart(columns, metric) {
  const measured = metric && columns.every(({ held }) => held !== null);
  const said = measured ? `${metricName(metric).replace(/^[A-Z](?=[a-z ]*$)/, (letter) => letter.toLowerCase())} ` : "loss ";
  const words = columns.flatMap(({ letter, held, values }, index) => [
    `${index ? ", " : said}${letter} `,
    measured ? metricWord(held, metric) : formatNumber(values?.loss),
  ]);
  return [...words, "."];
}
