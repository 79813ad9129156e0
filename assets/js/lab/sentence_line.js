// @ts-check
// The sentence over the diagram, and the same words for people who listen.
import { element } from "../common/dom.js";
import { frameSentence } from "../common/sentence.js";
import { eventWords } from "../common/event_words.js";
import { withSwitches } from "../diagram/diagram_switches.js";
import { stepCount } from "../common/run_words.js";

// Milliseconds for which a switch is news: before and after stand in the sentence.
const NEWS = 6000;
// Milliseconds between two sentences that are read aloud while nothing but numbers change.
const SPOKEN = 5000;
// Of what there is to try, what needs no other network: its switches, valves and training.
const SWITCHED = /^(switch|open|a lower)/;

/** @typedef {{data: any, store: any, frame: any, variant: string}} Looked  `frame` is the one drawn, of the run or at initialisation */

/** The network as it was at the frame. @param {Looked} looked */
const networkAt = ({ data, store, frame, variant }) => (store.frames.length ? withSwitches(data.network, store.switchesAt(frame, variant)) : data.network);

/** What one drawn frame says. @param {Looked} looked @param {any} [event]  the last one, while it is news @returns {import("../common/sentence.js").Sentence} */
export function sentenceOf({ data, store, frame, variant }, event) {
  const network = networkAt({ data, store, frame, variant });
  const broken = store.diverged[variant] ?? null;
  const last = store.cursor === null || store.cursor === store.frames.length - 1;
  const before = event && frame ? store.before(frame)?.variants[variant] : null;
  const sentence = frameSentence({
    network, before, values: frame ? { ...frame.variants[variant], ghost: store.baseline(frame, variant)?.ghost } : null, event: event ? eventWords(event, network) : "",
    broken: broken && (store.cursor === null || frame.step >= broken.step) ? broken : null,
    over: last && ["finished", "stopped"].includes(store.state), first: store.frames[0]?.variants[variant],
  });
  // What a module of somebody's own should be made of is its owner's to know.
  const helps = !network.watched && (!network.opened || SWITCHED.test(sentence.attempt));
  return helps ? sentence : { ...sentence, attempt: "" };
}

/** Tell which event is news: one that was just made, or the one of the step that is looked back to. @param {any} store */
export function createNews(store) {
  let known = { run: /** @type {string | null} */ (null), events: 0 };
  let until = 0;
  return {
    /** @param {any} frame  the one shown */
    event(frame) {
      const last = store.events.at(-1);
      const came = known.run === store.id && store.frames.length > 0 && store.events.length > known.events;
      if (came) until = performance.now() + NEWS;
      known = { run: store.frames.length ? store.id : null, events: store.events.length };
      if (store.cursor !== null) return store.events.findLast((one) => one.step === frame?.step)?.event ?? null;
      return last && performance.now() < until ? last.event : null;
    },
    /** Milliseconds until the last event is news no more. */
    left: () => Math.max(0, until - performance.now()),
  };
}

/** @param {import("../common/sentence.js").Sentence} sentence */
export const sentenceText = (sentence) => [sentence.words.join(""), sentence.why, sentence.attempt && `Try ${sentence.attempt}.`].filter(Boolean).join(" ");

/** @param {() => void} again  draws once more when what was news is none any more */
export function createSentenceLine(again) {
  const line = element("p", { class: "sv-sentence-line" });
  const why = element("p", { class: "sv-sentence-why" });
  const root = element("div", { class: "sv-sentence" }, line, why);
  let timer = 0;
  let written = "";
  return {
    root,
    /** @param {import("../common/sentence.js").Sentence} sentence @param {number} left  milliseconds for which it is news */
    update(sentence, left) {
      clearTimeout(timer);
      if (left > 0) timer = window.setTimeout(again, left + 20);
      const text = sentenceText(sentence);
      if (text === written) return;
      written = text;
      root.dataset.kind = sentence.kind;
      line.replaceChildren(...sentence.words.map((words, place) => (place % 2 ? element("strong", {}, words) : words)));
      why.replaceChildren(sentence.why, sentence.why && sentence.attempt ? " " : "", ...(sentence.attempt ? [element("span", { class: "sv-attempt" }, `Try: ${sentence.attempt}.`)] : []));
      root.title = text;
    },
    destroy: () => clearTimeout(timer),
  };
}

/** What is read aloud: the step, how the run stands and the sentence, all of one frame. */
export function createSpeech() {
  let key = "";
  let saidAt = 0;
  let words = "";
  return {
    /** @param {Looked} looked @param {import("../common/sentence.js").Sentence} sentence @param {number} steps @returns {string} */
    words(looked, sentence, steps) {
      const { store, frame, data } = looked;
      const now = performance.now();
      const next = [store.id, store.state, store.cursor, store.frames.length > 0, store.events.length, sentence.kind].join();
      if (next === key && now - saidAt < SPOKEN) return words;
      [key, saidAt] = [next, now];
      const how = store.cursor === null ? `, ${store.state}` : store.active() ? ", looking back" : " of a recorded run";
      const where = store.frames.length ? `Step ${stepCount(store.state, store.cursor === null, frame.step, steps)}${how}. ` : "Before training. ";
      const skips = data.network.skips_total ? `${networkAt(looked).skips_on} of ${data.network.skips_total} skips on. ` : "";
      words = `${where}${skips}${sentenceText(sentence)}`;
      return words;
    },
  };
}
