// @ts-check
// Draws the lab: what moves with every frame at once, what moves seldom once that is on the screen, its words beside both.
import { writeText } from "../common/dom.js";
import { marksOf } from "../common/gradient_words.js";
import { medianWords } from "../common/seed_words.js";
import { themeOf } from "../common/theme.js";
import { withStrengths } from "../diagram/diagram_switches.js";
import { sentenceOf } from "./sentence_line.js";

// ms between two drawings of what moves seldom, and after a frame until it has been painted.
const [RARELY, PAINTED] = [250, 30];

/**
 * @param {any} lab  the page's parts by name, and what they show: store, options, data() (what Python knows), selected(), variant() (whose
 *   network is looked at), steps(), training(frame), warnings(), theoryWords()
 */
export function createLabDrawing(lab) {
  const { store, page, options, variant, steps, training, warnings, theoryWords } = lab;
  const { legend, watching, historyView, projector, comparison, single, plots, transport, table, queueNotice, inspector, news, speech, sentenceLine } = lab;
  let asked = false;
  let slowAt = 0;
  let slowTimer = 0;
  function fast() {
    asked = false;
    const [data, frame] = [lab.data(), store.frame()];
    const shown = frame || data.probe?.frame || null;
    const values = shown?.variants[variant()] || null;
    const theme = themeOf(page.root);
    page.root.dataset.theme = theme;
    legend.draw(theme, data.legend[theme]);
    watching.sync();
    watching.update();
    historyView.mark();
    const look = projector.look(data);
    if (comparison.on()) comparison.fast({ theme, look });
    else {
      single.paint(values, look.ramps[theme]);
      if (values?.strength || values?.edge_strength) single.strengths(withStrengths(data.network, values));
      single.diverged(store.cursor === null ? store.diverged[variant()]?.layer ?? (frame ? null : values?.first_broken ?? null) : null);
      plots.fast({ data, store, frame: shown, values, theme, look, on: historyView.on(), network: historyView.network() ?? data.network });
    }
    legend.keys({ unlike: comparison.on(), baseline: !comparison.on() && options.baseline && options.measure !== "mean" && historyView.on() > 0 && store.baseline(shown, variant())?.ghost, theory: options.theory ? theoryWords() : "", tick: !comparison.on() && frame && store.before(frame), marks: marksOf(values) });
    transport.update(training(frame));
    // What moves seldom waits until this is on the screen.
    slowTimer ||= window.setTimeout(slow, Math.max(PAINTED, RARELY - (performance.now() - slowAt)));
  }
  function slow() {
    [slowAt, slowTimer] = [performance.now(), 0];
    const [data, frame] = [lab.data(), store.frame()];
    const shown = frame || data.probe?.frame || null;
    const values = shown?.variants[variant()] || null;
    const look = projector.look(data);
    if (comparison.on()) comparison.slow({ theme: page.root.dataset.theme, look });
    else plots.slow({ data, store, frame: shown, values, theme: page.root.dataset.theme, look, network: historyView.network() ?? data.network });
    table.update(data, values, historyView.network(), Boolean(data.watch));
    if (comparison.on()) comparison.renewHover();
    else single.renewHover();
    words(shown);
  }
  function words(frame) {
    const data = lab.data();
    queueNotice(store, data.unmeasured);
    const on = historyView.on();
    const back = historyView.network();
    inspector.update({ ...data, network: withStrengths(data.network, frame?.variants[variant()]) }, lab.selected(), { on, step: back ? store.frame()?.step ?? 0 : null }, warnings(), frame?.variants[variant()]);
    page.plain.disabled = page.residual.disabled = Boolean(data.watch) || back !== null;
    page.toggle.title = back ? `As it stood at step ${store.frame()?.step}` : "";
    page.plain.setAttribute("aria-pressed", String(on === 0));
    page.residual.setAttribute("aria-pressed", String(on > 0 && on === data.network.skips_total));
    page.toggle.hidden = data.network.skips_total === 0;
    const looked = { data, store, frame, variant: variant() };
    const event = news.event(frame);
    const sentence = comparison.on() && !event ? comparison.sentence(frame?.step ?? 0) : sentenceOf(looked, event);
    if (comparison.on() && event) sentence.words[0] = `${comparison.letter()}: ${sentence.words[0]}`;
    const parts = (comparison.on() && !event ? data.columns.map((column) => column.variant) : [variant()]).map((name) => ({ name, values: frame?.variants[name] }));
    const median = medianWords(parts, store.header || data.probe?.header);
    sentence.why = [median, sentence.why].filter(Boolean).join(" ");
    sentenceLine.root.toggleAttribute("data-several", Boolean(median));
    sentenceLine.update(sentence, news.left());
    writeText(page.spoken, speech.words(looked, sentence, steps()));
  }
  return {
    soon() {
      if (watching.waiting()) return;
      if (!asked) requestAnimationFrame(fast);
      asked = true;
    },
    all() {
      if (!lab.data() || watching.waiting()) return;
      clearTimeout(slowTimer);
      slowAt = slowTimer = 0;
      fast();
    },
    end: () => clearTimeout(slowTimer),
    text() {
      watching.update();
      words(store.frame() || lab.data().probe?.frame || null);
      transport.update(training(store.frame()));
    },
  };
}
