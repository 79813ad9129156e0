// @ts-check
// What one frame shows, in words: dead, diverged, exploding, vanishing or getting through; why; and one thing to try.
import { countInForce, inForce } from "./in_force.js";
import { formatNumber } from "./numbers.js";

// First ÷ last layer's gradient outside of which it is called vanishing or exploding.
export const VANISHING = 1e-3;
export const EXPLODING = 1e3;

/**
 * @typedef {{kind: "none" | "dead" | "diverged" | "exploding" | "vanishing" | "through", words: string[], why: string, attempt: string}} Sentence
 *   `words` alternate between plain and bold, plain first
 * @typedef {{
 *   network: any, values: any, before?: any, broken?: {step: number, layer: string} | null, event?: string, over?: boolean, first?: any,
 * }} Shown  what one frame holds of one variant: `network` as it stood there, `values` its numbers; `before` the numbers just before the event
 *   `event`, while that is news; `over` whether the run has ended with this frame, `first` the numbers it began with
 */

/** @param {Shown} shown @returns {Sentence} */
export function frameSentence(shown) {
  const { network, values, broken } = shown;
  if (broken) return diverged(network, broken);
  if (!values) return said("none", [""]);
  if (values.loss === null || values.loss === undefined) return notFinite(network, values);
  const places = weighted(network, values);
  if (!places.length) return said("none", [`Loss ${formatNumber(values.loss)}`]);
  const gradients = places.map((place) => values.weight_grad[place]);
  if (gradients.at(-1) === 0) return withoutLast(shown, places, gradients);
  const kind = kindOf(gradients);
  const { why, attempt } = reasons(shown, places, kind);
  if (shown.before && shown.event) return said(kind, change(shown, gradients), `After “${shown.event}”. ${why}`, attempt);
  if (shown.over && shown.first) return said(kind, ending(shown, gradients, kind), why, attempt);
  return said(kind, state(network, places, gradients, kind), why, attempt);
}

/** First ÷ last layer's weight gradient of a frame, or null where there are no two. @param {any} network @param {any} values */
export function gradientRatio(network, values) {
  const places = values ? weighted(network, values) : [];
  const [first, last] = [places[0], places.at(-1)].map((place) => values?.weight_grad[/** @type {number} */ (place)]);
  return places.length > 1 && last > 0 ? first / last : null;
}

/** @param {Sentence["kind"]} kind @param {string[]} words @returns {Sentence} */
function said(kind, words, why = "", attempt = "") {
  return { kind, words, why, attempt };
}

/** Indices of the layers whose weights have a gradient that was measured. */
function weighted(network, values) {
  return network.layers.map((_, index) => index).filter((index) => network.layers[index].on && typeof values.weight_grad[index] === "number");
}

function kindOf(gradients) {
  const ratio = gradients[0] / gradients.at(-1);
  if (gradients.length < 2) return "through";
  return ratio < VANISHING ? "vanishing" : ratio > EXPLODING ? "exploding" : "through";
}

const name = (network, index) => `f(${network.layers[index].k})`;
/** Places of a field that a mark names. */
const markedPlaces = (values, mark) => values[mark]?.weight_grad ?? [];

/** @returns {string[]} */
function state(network, places, gradients, kind) {
  const ratio = gradients[0] / gradients.at(-1);
  if (gradients.length < 2) return ["The only layer's gradient is ", formatNumber(gradients[0]), "."];
  if (gradients[0] === 0) return ["Vanishing: the gradient of ", throughWords(network, places, gradients), " is exactly 0."];
  const opening = { vanishing: "Vanishing", exploding: "Exploding", through: "It gets through" }[kind];
  return [`${opening}: the first layer gets `, formatNumber(ratio), kind === "exploding" ? " times the last’s gradient." : " of the last’s gradient."];
}

/** The first layers, as many as have no gradient: "f(1)", "f(1) to f(7)". */
function throughWords(network, places, gradients) {
  const count = gradients.findIndex((value) => value !== 0);
  return count > 1 ? `${name(network, places[0])} to ${name(network, places[count - 1])}` : name(network, places[0]);
}

/** @returns {string[]} */
function change({ network, values, before }, gradients) {
  const earlier = gradientRatio({ ...network, layers: network.layers.map((layer) => ({ ...layer, on: true })) }, before);
  const now = gradients.length > 1 && gradients.at(-1) > 0 ? gradients[0] / gradients.at(-1) : null;
  const loss = [`oss ${formatNumber(before.loss)} → `, formatNumber(values.loss), "."];
  if (earlier === null || now === null) return [`L${loss[0]}`, ...loss.slice(1)];
  return [`First layer’s gradient ${formatNumber(earlier)} → `, formatNumber(now), ` of the last’s; l${loss[0]}`, ...loss.slice(1)];
}

/** @returns {string[]} */
function ending({ values, first }, gradients, kind) {
  const ratio = gradients.length > 1 ? formatNumber(gradients[0] / gradients.at(-1)) : null;
  const opening = { vanishing: "Vanishing", exploding: "Exploding", through: "It got through" }[kind];
  const loss = `oss ${formatNumber(first.loss)} → `;
  if (ratio === null) return [`L${loss}`, formatNumber(values.loss), "."];
  return [`${opening}: first layer `, ratio, ` of the last; l${loss}`, formatNumber(values.loss), "."];
}

/** @returns {Sentence} */
function diverged(network, { step, layer }) {
  const index = network.layers.findIndex((one) => one.id === layer);
  const where = index < 0 ? "the head’s" : `${name(network, index)}’s`;
  return said("diverged", ["Diverged at step ", String(step), `: ${where} output is the first that is not finite.`], "", "a lower learning rate, or clip the gradient, and start again");
}

/** Before training: a frame whose loss is not a number. @returns {Sentence} */
function notFinite(network, values) {
  const index = network.layers.findIndex((one) => one.id === values.first_broken);
  const where = index < 0 ? "the head" : name(network, index);
  return said("diverged", ["", "Not finite", `: ${where}’s output is the first that is no number.`], "", "another init, a smaller init factor, or a norm");
}

/** The last layer's gradient is exactly 0. @param {Shown} shown @returns {Sentence} */
function withoutLast({ network, values }, places, gradients) {
  const alive = gradients.findLastIndex((value) => value > 0);
  if (alive >= 0) {
    const words = [`${name(network, places[alive])} is the last layer with a gradient: `, formatNumber(gradients[alive]), "."];
    return said("none", words, "Behind it every layer’s is exactly 0.");
  }
  if (values.scale_grad?.some((value) => value > 0)) {
    return said("none", ["Every layer’s gradient is still ", "0", ": only the branches’ scales learn yet."], "A scale of 0 lets nothing back into its branch; its own gradient is not 0.");
  }
  if (values.head_grad > 0 && values.state_grad?.at(-1) === 0 && !markedPlaces(values, "underflow").length) {
    return said("none", ["Every layer’s gradient is still ", "0", ": the head’s weights are 0 and learn first."]);
  }
  return dead(network, values, places);
}

/** @returns {Sentence} */
function dead(network, values, places) {
  const words = ["Dead: every layer’s gradient is exactly ", "0", ", so none of them learns."];
  if (markedPlaces(values, "underflow").length) {
    return said("dead", ["Vanishing: every layer’s gradient is below ", "10⁻³⁸", ", less than float32 holds."], "", "skips past the layers, or another activation");
  }
  if (values.head_grad === 0) return said("dead", words, "The head’s is 0 too: here the loss is flat to the last digit.", "a lower learning rate, and start again");
  const last = network.layers.length - 1;
  if (shutLayers(network).includes(last) && !network.skips.some((skip) => inForce(skip) && skip.target === network.depth)) {
    return said("dead", words, `The gain of ${name(network, last)} is 0: nothing comes back into the network.`, "open its valve");
  }
  return said("dead", words, `No unit of ${name(network, places.at(-1))} or behind it lets anything through.`, "a lower learning rate, and start again");
}

/** Indices of layers that are on and let no gradient back. */
const shutLayers = (network) => network.layers.map((_, index) => index).filter((index) => network.layers[index].on && network.layers[index].gain === 0);

/** Why it is so, as far as the frame tells, and one thing to try. @param {Shown} shown */
function reasons({ network, values }, places, kind) {
  const gradients = places.map((place) => values.weight_grad[place]);
  const on = countInForce(network.skips);
  const switched = network.skips.length - on;
  const across = network.layers[places.at(-1)].k - network.layers[places[0]].k;
  const ratio = gradients[0] / gradients.at(-1);
  const each = across > 0 && ratio > 0 ? `On its way back a layer multiplies it by ${formatNumber(ratio ** (1 / across))}, on average.` : "";
  if (kind === "vanishing") {
    const first = places[0];
    const stopped = stoppedBy(network, values, first);
    const shut = shutLayers(network).filter((index) => index >= first);
    const attempt = shut.length ? `open the valve of ${name(network, shut[0])}` : switched > 0 ? "switch the skips on" : network.skips.length ? "skips that leave from the first layers" : "drag from a state to a later one: a skip past the layers";
    return { why: stopped || each, attempt };
  }
  if (kind === "exploding") {
    const normed = network.layers.some((layer) => layer.norm !== "none");
    return { why: each, attempt: !normed ? "a smaller init factor, or a norm" : switched > 0 ? "switch the skips on" : "skips past the layers" };
  }
  return { why: withoutSkips(values, places, on) || starved(network, values, places), attempt: on ? "switch the skips off" : "" };
}

/** What stops the gradient on its way to a layer that gets exactly none. */
function stoppedBy(network, values, first) {
  if (values.weight_grad[first] !== 0) return "";
  if (markedPlaces(values, "underflow").includes(first)) return "It fell below 10⁻³⁸, the smallest number that float32 holds.";
  const above = values.weight_grad.findIndex((value, index) => index > first && value > 0);
  if (markedPlaces(values, "blocked").includes(first)) return `No unit of ${name(network, Math.max(first, above - 1))} lets anything through.`;
  const shut = shutLayers(network).find((index) => index >= first);
  return shut === undefined ? "No path that is switched on leads back to it." : `The gain of ${name(network, shut)} is 0, and no skip leads past it.`;
}

/** The comparison that was measured: the same weights and batch, all skips off. */
function withoutSkips(values, places, on) {
  const [first, last] = [places[0], places.at(-1)].map((place) => values.ghost?.[/** @type {number} */ (place)]);
  if (!on || !(last > 0) || typeof first !== "number") return "";
  return `With the same weights and all skips off it would get ${formatNumber(first / last)}.`;
}

/** A layer between that gets far less than the last one. */
function starved(network, values, places) {
  const last = values.weight_grad[places.at(-1)];
  const least = places.reduce((best, place) => (values.weight_grad[place] < values.weight_grad[best] ? place : best), places[0]);
  const share = values.weight_grad[least] / last;
  return share < VANISHING ? `Only ${name(network, least)} gets ${share === 0 ? "none" : formatNumber(share)} of it.` : "";
}
