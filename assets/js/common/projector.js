// @ts-check
// The lab on a projector: the diagram with its bars as large as the screen lets them be, in strong colours.
import { LEAST_ZOOM, MOST_ZOOM, projectorRoom } from "./view_mode.js";

// px of the axis under the diagram.
const AXIS = 24;
// The palest gradient on a projector is this far along its ramp: paler ones are lost on a lit wall.
const PALEST = 0.3;
// px of the column beside the diagram that the loss leaves to the transport over it, legend and switches under it.
const AROUND = 392;
const LEAST_LOSS = 110;
// The same of a comparison, and px of the title over each of its two curves: of more than two networks it takes a second line.
const AROUND_CURVES = 280;
const TITLES = [24, 46];

/**
 * @param {Record<string, any>} page
 * @param {{projected: () => boolean, hides: (group: string) => boolean, enlarge: (zoom: number) => void}} view
 */
export function createProjector(page, view) {
  /** @type {any} */
  let strong = null;
  /** @type {[number, number] | null} */
  let fitted = null;
  const refit = () => fitted && projector.fit(...fitted);
  const projector = {
    /** Set how large the diagram is drawn. @param {number} height @param {number} width  of several networks with their bars, else 0 */
    fit(height, width) {
      fitted = [height, width];
      const on = view.projected();
      const high = Math.min(MOST_ZOOM, Math.max(0.96 * LEAST_ZOOM, projectorRoom() / (height + AXIS)));
      const wide = width ? page.card.clientWidth / width : MOST_ZOOM;
      const zoom = Math.min(high, wide);
      view.enlarge(wide);
      page.root.style.setProperty("--sv-zoom", on ? zoom.toFixed(3) : "1");
      page.root.style.setProperty("--sv-zoom-side", on ? sideZoom().toFixed(3) : "1");
    },
    /** The plots' figures and the ramps as this view has them. @param {any} data */
    look(data) {
      const on = view.projected();
      const high = Math.round(window.innerHeight / sideZoom());
      const several = data.columns.length;
      const room = Math.max(LEAST_LOSS, high - AROUND);
      const curve = Math.floor((high - AROUND_CURVES) / 2) - TITLES[Number(several > 2)];
      const script = data.network.watched; // which alone knows its updates
      const key = on ? `projector ${high} ${several}` : `${view.hides("columns")} ${script}`;
      if (strong?.key === key && strong.of === data.figures) return strong.look;
      const shown = on || view.hides("columns") ? ["bars"] : script ? ["bars", "share"] : null;
      const { rows, columns, loss, losses, metrics } = data.figures;
      const bars = (figures) => (shown ? eachTheme(figures, (figure) => withColumns(on ? strongFigure(figure) : figure, shown)) : figures);
      const curves = (figures, height) => (on ? eachTheme(figures, (figure) => withHeight(strongFigure(figure), height)) : figures);
      const look = {
        ramps: on ? eachTheme(data.ramps, strongRamps) : data.ramps,
        figures: { rows: bars(rows), columns: bars(columns), loss: curves(loss, room), losses: curves(losses, curve), metrics: curves(metrics, curve) },
      };
      strong = { key, of: data.figures, look };
      return look;
    },
    destroy() {
      window.removeEventListener("resize", refit);
      switches.disconnect();
    },
  };
  // The legend stands on the switches, whose words may take a second line.
  const switches = new ResizeObserver(([entry]) => page.root.style.setProperty("--sv-bar-height", `${Math.ceil(entry.contentRect.height)}px`));
  switches.observe(page.inspector.parentElement);
  window.addEventListener("resize", refit);
  return projector;
}

/** How large the type beside the diagram is. */
function sideZoom() {
  return Math.min(MOST_ZOOM, Math.max(LEAST_ZOOM, window.innerHeight / 680));
}

/** @param {Record<string, any>} themes @param {(one: any) => any} change */
function eachTheme(themes, change) {
  return Object.fromEntries(Object.entries(themes).map(([theme, one]) => [theme, change(one)]));
}

/** Ramps without their palest part. @param {Record<string, string[]>} ramps */
function strongRamps(ramps) {
  return eachTheme(ramps, (list) => list.map((_, index) => list[Math.round(PALEST * (list.length - 1) + (1 - PALEST) * index)]));
}

/** A figure whose words are in the strongest ink, its lines in a stronger one. @param {any} figure */
function strongFigure(figure) {
  const { ink, ink2, ink3, line } = figure.layout.meta.tokens;
  const lines = JSON.stringify(figure).replaceAll(line, "#8A8A98");
  return JSON.parse(lines.replaceAll(ink2, ink).replaceAll(ink3, ink));
}

/** @param {any} figure @param {number} height */
function withHeight(figure, height) {
  return { ...figure, layout: { ...figure.layout, height } };
}

/** @param {any} figure @param {string[]} columns */
function withColumns(figure, columns) {
  return { ...figure, layout: { ...figure.layout, meta: { ...figure.layout.meta, columns } } };
}
