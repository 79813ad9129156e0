// @ts-check
// The lab's plots, fed from one frame or from the whole run.
import { element, writeText } from "../common/dom.js";
import { explain } from "../common/explain.js";
import { atStep, balancedWords, heldOutLossWords, metricName, metricWord, recallLines } from "../common/metric_words.js";
import { formatNumber } from "../common/numbers.js";
import { withStrengths, withSwitches } from "../diagram/diagram_switches.js";
import { createHeatmap } from "../plots/plot_heatmap.js";
import { createLossPlot } from "../plots/plot_loss.js";
import { clipNorms, createTotalPlot } from "../plots/plot_total.js";
import { createPicture } from "../pictures/picture.js";
import { createStrengthsPlot, strengthCells } from "../plots/plot_strengths.js";
import { createRowsPlot } from "../plots/plot_rows.js";
import { sayNoPlots } from "../plots/no_plots.js";
import { loadPlotly } from "../plots/plotly_loader.js";

/**
 * @param {Record<string, any>} page
 * @param {Record<string, any>} options
 * @param {(step: number) => void} seek
 */
export function createLabPlots(page, options, seek) {
  /** @type {any} */
  let plots = null;
  let pictured = null;
  let gone = false;
  const titles = plotTitles(page);
  return {
    /** Make the plots once, or say in their places why there are none; true when they were made now. @param {any} data */
    async load(data) {
      const Plotly = await loadPlotly(data.plotly).catch(() => null);
      if (plots || gone) return false;
      if (!Plotly) {
        sayNoPlots([page.bars, page.heatmap, page.loss, page.picture]);
        return false;
      }
      plots = {
        rows: createRowsPlot(Plotly, page.bars, data.figures.rows, data.ramps),
        heatmap: createHeatmap(Plotly, page.heatmap, data.figures.heatmap, data.ramps, seek),
        loss: createLossPlot(Plotly, page.loss, data.figures.loss),
        total: createTotalPlot(Plotly, page.total, data.figures.total, seek),
        strengths: createStrengthsPlot(Plotly, page.strengths, data.figures.strengths),
        picture: createPicture(Plotly, page.picture, data.figures.picture),
      };
      return true;
    },
    /** @param {any} view */
    fast({ data, store, frame, values, theme, look, on, network = data.network }) {
      if (!plots) return;
      const before = frame && store.frames.length ? store.before(frame)?.variants[data.variant] : null;
      plots.rows.update({
        diagram: data.diagram, network, values, baseline: options.baseline && on > 0 ? store.baseline(frame, data.variant) : null, before, theory: options.theory ? data.theory?.gradients : null, share: values, update: values, theme, options, ...(look ? { figure: look.figures.rows, ramps: look.ramps } : {}),
        header: store.header || data.probe?.header || null, frame: frame?.step ?? 0, variant: data.variant,
      });
    },
    /** @param {any} view */
    slow({ data, store, frame, values, theme, look, network = data.network }) {
      page.strengthMap.hidden = !plots || !network.skips.some((skip) => skip.learned);
      const training = (store.header || data.probe?.header)?.experiment?.training;
      if (plots) {
        const history = {
          frames: store.frames, variant: data.variant, diagram: data.diagram, layerCount: data.network.depth, networkAt: (shown) => withSwitches(data.network, store.switchesAt(shown, data.variant)), steps: store.steps ?? data.steps, theme,
          cursor: store.frames.length ? frame.step : null, events: store.events, quantity: options.quantity, metric: data.metric,
        };
        plots.heatmap.update(history);
        plots.loss.update(look ? { ...history, figure: look.figures.loss } : history);
        plots.total.update({ ...history, training });
        if (!page.strengthMap.hidden) {
          const learned = withStrengths(network, values);
          page.strengthEnds.textContent = `blue −${strengthCells(learned).most} … red ${strengthCells(learned).most}`;
          plots.strengths.update({ network: learned, theme });
        }
        const depicting = store.frames.length ? store.lastWith(frame, data.variant, "picture") : frame;
        const picture = depicting?.variants[data.variant]?.picture ?? (store.passing ? pictured : null);
        if (picture !== pictured || theme !== page.picture.dataset.theme) {
          pictured = picture;
          page.picture.dataset.theme = theme;
          plots.picture.update({ header: store.header || data.probe?.header || null, picture, step: depicting?.step, theme });
        }
      }
      const measured = store.frames.length ? store.lastWith(frame, data.variant, "held_out") : frame;
      const taken = measured?.variants[data.variant];
      const header = store.header || data.probe?.header;
      this.total(training, store, frame, values);
      const lost = store.frames.length ? store.lastWith(frame, data.variant, "held_out_loss") : frame;
      writeText(titles.loss, formatNumber(values?.loss) + heldOutLossWords(lost, data.variant, !data.metric));
      titles.metricPart.hidden = !data.metric;
      page.picture.parentElement.hidden = Boolean(network.watched || network.opened);
      titles.metric.title = recallLines(header, taken).join("\n");
      titles.metric.replaceChildren(element("strong", {}, `${metricName(data.metric)} `), metricWord(taken?.held_out, data.metric), element("span", { class: "sv-held" }, ` held out${atStep(measured?.step)}${balancedWords(header, taken)}`));
    },
    /** @param {any} training @param {any} store @param {any} frame @param {any} values */
    total(training, store, frame, values) {
      const norm = clipNorms(training, store.events).findLast(({ step }) => step <= (frame?.step ?? 0))?.norm ?? null;
      // Folded, unless gradients are clipped or somebody has unfolded it: it would push the picture off the screen.
      if (!titles.chosen()) page.whole.open = clipNorms(training, store.events).some((clip) => clip.norm !== null);
      writeText(titles.total, formatNumber(values?.total_grad));
      writeText(titles.clip, norm === null ? "" : `clipped at ${formatNumber(norm)}`);
    },
    destroy() {
      gone = true;
      if (plots) for (const plot of Object.values(plots)) plot.destroy?.();
    },
  };
}

/** The titles over loss and whole gradient, once: what changes in them are words, so that a focus on their "?" stays. @param {Record<string, any>} page */
function plotTitles(page) {
  const [loss, metric, total, clip] = [element("span", {}), element("span", {}), element("span", {}), element("span", { class: "sv-quiet" })];
  const metricPart = element("span", { class: "sv-metric" }, metric, explain("metric"));
  page.lossTitle.append(
    element("span", {}, element("strong", {}, "Loss "), loss, explain("loss")),
    metricPart,
  );
  page.totalTitle.append(element("span", {}, element("strong", {}, "Whole gradient "), total, explain("total")), clip);
  let chosen = false;
  page.totalTitle.addEventListener("click", (event) => {
    chosen = chosen || !event.defaultPrevented;
  });
  return { loss, metric, metricPart, total, clip, chosen: () => chosen };
}
