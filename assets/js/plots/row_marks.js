// @ts-check
// Which numbers stand on which pixel rows: from a diagram and lists of measurements to marks, before any drawing.
import { spreadOf } from "../diagram/aggregate.js";
import { gradientMark, markedNumber, marksOf, markSentence } from "../common/gradient_words.js";
import { formatNumber, formatPower } from "../common/numbers.js";
import { bandWords } from "../common/seed_words.js";

/**
 * @typedef {import("../diagram/aggregate.js").Spread} Spread
 * @typedef {{quantity?: "weight" | "state", measure?: "norm" | "rms" | "mean", scale?: "absolute" | "relative"}} RowOptions
 * @typedef {{y: number, h: number, parts: number[], collapsed: any, name: string, weightless?: string, scaled?: boolean, now: Spread | null, baseline: Spread | null,
 *   theory: Spread | null, before: Spread | null, band: [number, number] | null, mark: string, field: string, beside?: boolean}} RowMark y and h in px; beside: of boxes of branches; weightless: what boxes without weights do, which may learn a scale; parts are indices into the values; band: of several seeds, 10 % and 90 % of its one part; mark: what misleads of its one part, or of all of its parts that are 0
 */

const STATE_BAR = 11;

/**
 * `values` as the options ask: divided by √elements for `rms`, by the last layer's own value for `relative`.
 * @param {(number | null)[] | null | undefined} values
 * @param {RowOptions} options
 * @param {number[] | undefined} counts elements of each entry
 * @returns {(number | null)[] | null}
 */
export function comparedValues(values, options, counts) {
  if (!values) return null;
  let compared = values;
  if (options.measure === "rms" && counts) {
    compared = compared.map((value, index) => (value === null || !counts[index] ? null : value / Math.sqrt(counts[index])));
  }
  if (options.scale !== "relative") return compared;
  const last = compared.findLast((value) => typeof value === "number");
  return compared.map((value) => (value === null || !last ? null : value / last));
}

/**
 * One mark for every bar: beside boxes and collapsed groups for weights, at the trunk's gaps (and collapsed groups) for states.
 * @param {any} input what createRowsPlot's update was given
 * @returns {RowMark[]} top to bottom
 */
export function rowMarks(input) {
  const [trunk, branches] = [markValues(input), branchValues(input)];
  const places = input.options?.quantity === "state" ? statePlaces(input.diagram) : layerPlaces(input.diagram);
  return places.map((place) => {
    const { now, baseline, before, theory } = place.beside ? branches : trunk;
    const field = place.beside ? fieldOf(input).replace("weight", "branch") : fieldOf(input);
    return {
      ...place,
      field,
      now: spreadOf(now, place.parts),
      band: bandOf(input.values, field, place.parts, now),
      mark: sharedMark(input.values, field, place.parts),
      baseline: spreadOf(baseline, place.parts),
      theory: spreadOf(theory, place.parts),
      before: spreadOf(before, place.parts),
    };
  });
}

/**
 * The three lists that marks are made of, compared as the options ask.
 * @param {any} input
 */
export function markValues(input) {
  const options = input.options ?? {};
  const counts = countsOf(input);
  const field = fieldOf(input);
  const baseline = options.measure === "mean" ? null : input.baseline?.[options.quantity === "state" ? "ghost_state" : "ghost"];
  return {
    now: comparedValues(input.values?.[field], options, counts),
    baseline: comparedValues(baseline, options, counts),
    before: comparedValues(input.before?.[field], options, counts),
    theory: comparedValues(predicted(input), options, counts),
  };
}

/** What theory says of the states: `theory` are multiples of the last one's gradient, which was measured. @param {any} input */
function predicted({ options = {}, theory, values }) {
  const last = values?.state_grad?.at(-1);
  return options.quantity === "state" && theory && last ? theory.map((factor) => (factor === null ? null : factor * last)) : null;
}

/**
 * The same of boxes beside the trunk, also as multiples of the trunk's last layer.
 * @param {any} input
 */
function branchValues(input) {
  const { values, before, baseline, options = {} } = input;
  const [known, field] = [variantOf(input), fieldOf(input)];
  const measured = (own, trunk) => {
    const counts = known?.branch_count && [...known.branch_count, ...known.weight_count];
    if (!own || !trunk || (options.measure === "rms" && !counts)) return null;
    return comparedValues([...own, ...trunk], options, counts)?.slice(0, own.length) ?? null;
  };
  const of = (frame) => measured(frame?.[field.replace("weight", "branch")], frame?.[field]);
  const hollow = options.measure === "mean" ? null : measured(baseline?.ghost_branch, baseline?.ghost);
  return { now: of(values), baseline: hollow, theory: null, before: of(before) };
}

/** The frame's list that the options ask for. @param {any} input */
function fieldOf({ options = {} }) {
  return `${options.quantity === "state" ? "state_grad" : "weight_grad"}${options.measure === "mean" ? "_mean" : ""}`;
}

/**
 * The part of a collapsed group that each of its thin bars stands for: whole blocks, at least `thinnest` px each, top to bottom.
 * @param {RowMark} mark of a collapsed group
 * @param {(number | null)[]} values compared values
 * @param {number} thinnest px
 * @returns {{y: number, h: number, spread: Spread | null}[]}
 */
export function collapsedBins(mark, values, thinnest) {
  const layers = mark.parts;
  const blocks = Math.max(1, mark.collapsed?.count ?? layers.length);
  const bins = Math.max(1, Math.min(blocks, Math.floor(mark.h / thinnest)));
  const top = mark.y - mark.h / 2;
  return Array.from({ length: bins }, (_, index) => {
    const from = Math.round((Math.round((index * blocks) / bins) * layers.length) / blocks);
    const to = Math.round((Math.round(((index + 1) * blocks) / bins) * layers.length) / blocks);
    const y0 = top + (mark.h * from) / layers.length;
    const y1 = top + (mark.h * to) / layers.length;
    const inside = layers.slice(layers.length - to, layers.length - from);
    return { y: (y0 + y1) / 2, h: y1 - y0, spread: spreadOf(values, inside) };
  });
}

/**
 * What the number at a mark is, in sentences for the tip: value, definition, comparison.
 * @param {RowMark} mark
 * @param {any} input
 * @param {number} low  exponent at which the axis ends
 * @returns {string[]}
 */
export function markSentences(mark, input, low) {
  const { quantity, measure, scale } = { quantity: "weight", measure: "norm", scale: "absolute", ...input.options };
  const unit = scale === "relative" ? " of the last’s" : "";
  const lines = [];
  if (mark.weightless && mark.scaled) return [`${mark.name}, ${mark.weightless}: no weights but a learned scale`];
  if (mark.weightless) return [`${mark.name}, ${mark.weightless}: no weights`, "It passes the gradient on and learns nothing"];
  if (!mark.now) lines.push(`${mark.name}: ${input.values ? "nothing to measure" : "not measured yet"}`);
  else if (mark.now.count === 1) lines.push(`${mark.name}: ${markedNumber(mark.now.median, mark.mark)}${unit}`);
  else {
    const { smallest, median, largest, count } = mark.now;
    lines.push(`${mark.name}: median ${partNumber(median, mark)}${unit} of ${count}`);
    lines.push(`smallest ${partNumber(smallest, mark)}${mark.beside ? "" : ` at ${partName(mark.now.smallestAt, quantity)}`}, largest ${formatNumber(largest)}`);
  }
  if (mark.band) lines.push(bandWords(input.values, mark.band));
  const said = mark.now?.count === 1 ? markSentence(input.values, mark.field, mark.parts[0], partOf(mark, input)) : markCounts(mark, input);
  if (said) lines.push(said);
  if (mark.now && mark.now.smallest > 0 && Math.log10(mark.now.smallest) < low) lines.push(`The axis ends there: its bar stands for ≤ ${formatPower(low)}`);
  const what = quantity === "state" ? "the loss by this state" : measure === "mean" ? "the loss by this layer’s weights, without biases" : "the loss by this layer’s parameters";
  const size = { norm: "Length (L2 norm)", rms: "Root mean square", mean: "Mean magnitude" }[measure];
  lines.push(`${size} of the gradient of ${what}`);
  if (scale === "relative") lines.push("divided by the last layer’s");
  const where = [];
  if (input.header?.batch_size) where.push(`batch of ${input.header.batch_size}`);
  if (typeof input.frame === "number") where.push(`step ${input.frame}`);
  if (where.length) lines.push(where.join(", "));
  if (mark.baseline) lines.push(`Hollow: ${formatNumber(mark.baseline.median)} ${input.hollow ?? "with all skips off"}`);
  if (mark.theory) lines.push(`Dashed: ${formatNumber(mark.theory.median)} predicted at initialisation, from the last one’s`);
  if (mark.before) lines.push(`Tick: ${formatNumber(mark.before.median)} before the last event`);
  return lines;
}

/** The layer or the branch's box whose weights a row of one part stands for; a state has no switch. @param {RowMark} mark @param {any} input */
function partOf(mark, { network, options }) {
  if (mark.beside) return network?.branches[mark.parts[0]];
  return options?.quantity === "state" ? null : network?.layers[mark.parts[0]];
}

/** The band of a row's one part, compared as its value is. @param {any} values @param {string} field @param {number[]} parts @param {(number | null)[] | null} now @returns {[number, number] | null} */
function bandOf(values, field, parts, now) {
  const [low, high] = (values?.bands?.[field] ?? []).map((end) => end[parts[0]]);
  const [raw, compared] = [values?.[field]?.[parts[0]], now?.[parts[0]]];
  if (parts.length !== 1 || typeof low !== "number" || typeof high !== "number" || typeof compared !== "number") return null;
  const factor = raw > 0 ? compared / raw : 1;
  return [low * factor, high * factor];
}

/** @param {any} values @param {string} field @param {number[]} parts */
function sharedMark(values, field, parts) {
  const meant = parts.length === 1 ? parts : parts.filter((part) => values?.[field]?.[part] === 0);
  const found = new Set(meant.map((part) => gradientMark(values, field, part)));
  return found.size === 1 ? [...found][0] : "";
}

/** A number of a row that may stand for several parts. @param {number} value @param {RowMark} mark */
export function partNumber(value, mark) {
  return mark.parts.length === 1 || value === 0 ? markedNumber(value, mark.mark) : formatNumber(value);
}

/** How many parts of a row have a mark. @param {RowMark} mark @param {any} input */
function markCounts(mark, input) {
  const found = marksOf(input.values).map((name) => [name, mark.parts.filter((part) => gradientMark(input.values, mark.field, part) === name).length]);
  return found.filter(([, count]) => count).map(([name, count]) => `${count} of ${mark.parts.length}: ${name}`).join(", ");
}

/** What the header has of the network. @param {any} input */
function variantOf(input) {
  const variants = input.header?.variants ?? {};
  return variants[input.variant ?? Object.keys(variants)[0]];
}

/** @param {any} input @returns {number[] | undefined} */
function countsOf(input) {
  const variant = variantOf(input);
  return input.options?.quantity === "state" ? variant?.state_count : variant?.weight_count;
}

/**
 * @param {number} index
 * @param {string} quantity
 */
export function partName(index, quantity) {
  return quantity === "state" ? `h(${index})` : `f(${index + 1})`;
}

/** @param {any} diagram */
function layerPlaces(diagram) {
  const groups = new Map((diagram.collapsed ?? []).map((group) => [group.id, group]));
  return diagram.rows
    .filter((row) => row.kind !== "joint" && (row.layers?.length || row.beside))
    .map((row) => ({
      y: row.y,
      h: row.kind === "collapsed" ? row.h : Math.max(2, Math.round(row.h * 0.7)),
      parts: row.beside ?? row.layers,
      beside: Boolean(row.beside),
      collapsed: row.kind === "collapsed" ? (groups.get(row.id) ?? groups.get(row.collapsed) ?? { count: row.layers.length }) : null,
      name: row.beside ? row.label : nameOf(row),
      weightless: row.weightless ?? "",
      scaled: row.scaled ?? false,
    }));
}

/** @param {any} diagram */
function statePlaces(diagram) {
  const gaps = statesByGap(diagram.states);
  const distances = gaps.slice(1).map((gap, index) => gap.y - gaps[index].y);
  const h = Math.max(2, Math.min(STATE_BAR, Math.round(Math.min(...distances, 4 * STATE_BAR) / 2)));
  const groups = layerPlaces(diagram).filter((place) => place.collapsed);
  const folded = groups.map((place) => ({ ...place, name: place.name.replaceAll("f(", "h("), parts: place.parts.map((layer) => layer + 1) }));
  const open = gaps.filter(({ y }) => !folded.some((group) => Math.abs(y - group.y) < group.h / 2 - 1));
  const single = open.map(({ y, parts }) => ({ y, h, parts, collapsed: null, name: stateName(parts) }));
  return [...single, ...folded].sort((a, b) => a.y - b.y);
}

/**
 * States that share a gap of a folded stack stand on one row.
 * @param {{k: number, y: number}[]} states
 */
function statesByGap(states) {
  /** @type {Map<number, {y: number, parts: number[]}>} */
  const gaps = new Map();
  for (const { k, y } of states) {
    const gap = gaps.get(Math.round(y)) ?? { y, parts: [] };
    gap.parts.push(k);
    gaps.set(Math.round(y), gap);
  }
  return [...gaps.values()].sort((a, b) => a.y - b.y);
}

/** @param {number[]} parts */
function stateName(parts) {
  return parts.length === 1 ? `h(${parts[0]})` : `${parts.length} states, h(${Math.min(...parts)}) to h(${Math.max(...parts)})`;
}

/** @param {any} row */
function nameOf(row) {
  const layers = row.layers;
  if (layers.length === 1) return `f(${layers[0] + 1})`;
  const first = Math.min(...layers) + 1;
  const last = Math.max(...layers) + 1;
  if (last - first === layers.length - 1) return `${row.name ? `${row.name}: ` : ""}f(${first}) to f(${last})`;
  return `${layers.length} layers, f(${first}) to f(${last})`;
}
