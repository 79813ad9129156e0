// @ts-check
// What a panel of the figure says of its run, and of the twin that trains beside it.
import { durationWords } from "../lab/estimate.js";
import { atStep, metricName, metricWord } from "../common/metric_words.js";
import { formatNumber } from "../common/numbers.js";
import { stateWords } from "../common/run_words.js";

// Between these a ratio of two gradients is called equal: they vary that much from batch to batch.
const ALIKE = [0.5, 2];

/**
 * Whose numbers a panel shows, whether they are recorded, and how far they are.
 * @param {any} data  the panel's @param {any} store @param {number} step  the one shown
 */
export function panelStateWords(data, store, step) {
  if (store.shared && store.state !== "starting") return store.active() ? `Shared run, live, step ${step}` : `Recording of the shared run, step ${step}`;
  if (!store.id) {
    const { seconds, measured } = data.estimate;
    return `Before training; ${data.steps} steps take ${durationWords(data.steps * Math.max(seconds, 1 / data.speed))}${measured ? ", measured" : ""}`;
  }
  const [kind, words] = stateWords(store, store.cursor === null, data.network);
  const whose = store.mine ? "Your run" : "Another's run";
  if (kind === "back") return `${whose}, step ${step}`;
  const far = store.frames.length ? `, step ${step} of ${data.steps}` : "";
  return `${whose}: ${words[0].toLowerCase()}${words.slice(1)}${kind === "running" || words === "Paused" ? far : ""}`;
}

/**
 * What became of the twin up to the shown frame, in two short sentences; nothing where there is none.
 * @param {any} data @param {any} store @param {any} values  the network's own part of the frame @param {any} twin  the twin's
 */
export function twinWords(data, store, values, twin) {
  if (!data.twin) return "";
  const name = `Twin ${data.twin.lacks}`;
  const broken = store.diverged[data.twin.name];
  if (broken && twin?.loss === undefined) return `${name}: diverged at step ${broken.step}.`;
  if (!twin || !values) return "";
  const measured = store.frames.length ? store.lastWith(store.frame(), data.twin.name, "held_out") : null;
  const held = measured ? measured.variants[data.twin.name].held_out : twin.held_out;
  const metric = data.metric === "accuracy" ? "accuracy" : metricName(data.metric);
  return `${name}: loss ${formatNumber(twin.loss)}, ${metric} ${metricWord(held, data.metric)}${atStep(measured?.step)}. Its first layer’s gradient ${firstLayerWords(values.weight_grad, twin.weight_grad)}.`;
}

/** The twin's first gradient beside the network's. @param {(number | null)[]} own @param {(number | null)[]} twin */
function firstLayerWords(own, twin) {
  const [first, other] = [own, twin].map((gradients) => gradients.find((value) => value !== null) ?? 0);
  if (other === 0) return first === 0 ? "is 0, as this one’s" : "is 0";
  if (first === 0) return "is not 0, as this one’s is";
  const ratio = other / first;
  if (ratio >= ALIKE[0] && ratio <= ALIKE[1]) return "is about this one’s";
  return ratio < 1 ? `is ${formatNumber(1 / ratio)} times smaller than this one’s` : `is ${formatNumber(ratio)} times this one’s`;
}
