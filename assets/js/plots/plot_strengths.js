// @ts-check
// The learned strengths of skips at one step as a map: from which state, a column, into which, a row.
import { attachTip } from "../common/tip.js";
import { inForce } from "../common/in_force.js";
import { formatNumber } from "../common/numbers.js";
import { createPlotHost } from "./plot_host.js";

// px of a cell at most: few skips need no large map, and a column has room for its state's name.
const MOST_WIDTH = 42;
const MOST_HEIGHT = 26;
// The strength at the ends of the colours at least: what is smaller is as good as none.
const LEAST_END = 0.01;

/**
 * Make the map. `update` takes any of: network (its skips with the strengths of the step), theme, figure.
 * @param {any} Plotly
 * @param {HTMLElement} parent
 * @param {any} figure strengths_figure's, or one for each theme
 */
export function createStrengthsPlot(Plotly, parent, figure) {
  const host = createPlotHost(Plotly, parent, figure, null, (state, look) => {
    const { sources, targets, cells, most } = strengthCells(state.network);
    if (!sources.length) return null;
    const wide = look.width - room(look, ["l", "r"]);
    const cell = {
      width: Math.min(MOST_WIDTH, wide / sources.length),
      height: Math.min(MOST_HEIGHT, (look.figure.layout.meta.height - room(look, ["t", "b"])) / targets.length),
    };
    const map = { z: cells.map((row) => row.map((skip) => (skip && inForce(skip) ? valueOf(skip) : null))), zmin: -most, zmax: most };
    const axis = (states, given, length, side, distance) => {
      const every = Math.max(1, Math.ceil(distance / side));
      const shown = states.map((_, place) => place).filter((place) => place % every === 0);
      return { ...given, range: [-0.5, length / side - 0.5], tickvals: shown, ticktext: shown.map((place) => `h(${states[place]})`) };
    };
    const height = cell.height * targets.length;
    return {
      data: look.figure.data.map((trace) => ({ ...trace, ...map })),
      layout: {
        height: height + room(look, ["t", "b"]),
        xaxis: axis(sources, look.figure.layout.xaxis, wide, cell.width, look.figure.layout.meta.tick_distance),
        yaxis: axis(targets, look.figure.layout.yaxis, height, cell.height, look.figure.layout.font.size),
      },
    };
  });
  const removeTip = attachTip(host.node, () => host.look().tokens, (x, y) => cellLines(host, x, y));
  host.node.setAttribute("role", "img");
  host.node.setAttribute("aria-label", "Learned strength of every skip at that step, by the state it leaves and the state it joins.");
  return {
    node: host.node,
    update: host.update,
    destroy() {
      removeTip();
      host.destroy();
    },
  };
}

/** What a cell stands for: a share where the skip has one, else its strength. @param {any} skip @returns {number} */
export const valueOf = (skip) => (skip.softmax ? skip.share ?? 0 : skip.strength);

/**
 * The states that skips with learned strengths leave and join, in order; the skip from each to each, null where there is none;
 * and the strength at the ends of the colours, a round number, so that they change seldom.
 * @param {any} network
 */
export function strengthCells(network) {
  const skips = (network?.skips ?? []).filter((skip) => skip.learned);
  const states = (end) => [...new Set(skips.map((skip) => skip[end]))].sort((a, b) => a - b);
  const [sources, targets] = [states("source"), states("target")];
  const found = new Map(skips.map((skip) => [`${skip.source} ${skip.target}`, skip]));
  const largest = Math.max(LEAST_END, ...skips.map((skip) => Math.abs(valueOf(skip))));
  const power = 10 ** Math.floor(Math.log10(largest));
  const most = Number(([1, 2, 5, 10].find((unit) => unit * power >= largest) * power).toPrecision(1));
  return { sources, targets, most, cells: targets.map((target) => sources.map((source) => found.get(`${source} ${target}`) ?? null)) };
}

/** @param {any} look @param {string[]} sides */
function room(look, sides) {
  return sides.reduce((sum, side) => sum + look.figure.layout.margin[side], 0);
}

/** @param {ReturnType<typeof createPlotHost>} host @param {number} x @param {number} y */
function cellLines({ node, state, look }, x, y) {
  const { sources, targets, cells } = strengthCells(state.network);
  const now = look();
  const { margin } = now.figure.layout;
  const height = (node.clientHeight - room(now, ["t", "b"])) / targets.length;
  const width = Math.min(MOST_WIDTH, (now.width - room(now, ["l", "r"])) / sources.length);
  const skip = cells[targets.length - 1 - Math.floor((y - margin.t) / height)]?.[Math.floor((x - margin.l) / width)];
  if (!skip || x < margin.l) return null;
  const value = skip.softmax ? `share ${formatNumber(valueOf(skip))}, logit ${formatNumber(skip.strength)}` : `strength ${formatNumber(skip.strength)}`;
  return [`h(${skip.source}) → h(${skip.target}): ${inForce(skip) ? value : "off"}`, `${skip.merge}, learned at ×${formatNumber(skip.rate)} the run’s rate`];
}
