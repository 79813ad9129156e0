// @ts-check
// The axis that heatmap, loss and timeline share: steps from 0 to the last, event stems, the step that is shown.
import { attachTip } from "../common/tip.js";

const STEP_UNITS = [1, 2, 5];

/**
 * Round numbers of steps for an axis 0…`steps`, at least `distance` px apart on `width` px; 0 is always there.
 * @param {number} steps
 * @param {number} width
 * @param {number} distance
 * @returns {number[]}
 */
export function stepTicks(steps, width, distance) {
  const least = (steps * distance) / Math.max(1, width);
  let every = 1;
  for (let power = 1; every < least; power *= 10) {
    every = STEP_UNITS.map((unit) => unit * power).find((unit) => unit >= least) ?? every;
  }
  const ticks = [];
  for (let step = 0; step <= steps; step += every) ticks.push(step);
  return ticks;
}

/**
 * x axis, event stems and cursor of a plot whose columns are time.
 * @param {any} state steps, events, cursor
 * @param {import("./plot_host.js").Look} look
 * @param {[number, number]} range of the y axis, px-free, that stems cross
 */
export function timeParts(state, look, range) {
  const { layout } = look.figure;
  const steps = Math.max(1, state.steps ?? 1);
  const ticks = stepTicks(steps, look.width - layout.margin.l - layout.margin.r, 52);
  const stems = { x: [], y: [] };
  for (const step of new Set((state.events ?? []).map((event) => event.step))) {
    if (typeof step !== "number") continue;
    stems.x.push(step, step, null);
    stems.y.push(range[0], range[1], null);
  }
  const shown = typeof state.cursor === "number";
  return {
    xaxis: { ...layout.xaxis, range: [0, steps], tickvals: ticks, ticktext: ticks.map(stepWord) },
    events: stems,
    cursor: { x: shown ? [state.cursor, state.cursor] : [], y: shown ? range : [] },
  };
}

/**
 * Report the step under the pointer while it is pressed on `node`.
 * @param {HTMLElement} node
 * @param {() => {left: number, right: number, steps: number}} frame px margins and the last step
 * @param {((step: number) => void) | undefined} seek
 */
export function attachSeek(node, frame, seek) {
  if (!seek) return () => {};
  node.style.cursor = "pointer";
  node.style.touchAction = "pan-y";
  /** @param {PointerEvent} event */
  const follow = (event) => {
    if (event.buttons !== 1) return;
    const box = node.getBoundingClientRect();
    seek(stepAt((event.clientX - box.left) / (box.width / node.offsetWidth || 1), node.clientWidth, frame()));
  };
  node.addEventListener("pointerdown", follow);
  node.addEventListener("pointermove", follow);
  return () => {
    node.removeEventListener("pointerdown", follow);
    node.removeEventListener("pointermove", follow);
  };
}

/**
 * The step at `x` px of a plot `width` px wide.
 * @param {number} x
 * @param {number} width
 * @param {{left: number, right: number, steps: number}} frame
 */
export function stepAt(x, width, { left, right, steps }) {
  const share = (x - left) / Math.max(1, width - left - right);
  return Math.round(Math.min(1, Math.max(0, share)) * steps);
}

/** @param {number} step */
function stepWord(step) {
  if (step >= 1e6) return `${step / 1e6} M`;
  return step >= 1e4 ? `${step / 1e3} k` : String(step);
}

/**
 * What both plots of the whole run do for a person: a press or drag goes to a step, the tip says what lies under the pointer.
 * @param {any} host  a plot host whose state has `steps`
 * @param {((step: number) => void) | undefined} seek
 * @param {(frame: {left: number, right: number, steps: number}, x: number, y: number) => any} sentences
 * @param {string} label  for people who listen
 */
export function timePlot(host, seek, sentences, label) {
  const frame = () => {
    const { margin } = host.look().figure.layout;
    return { left: margin.l, right: margin.r, steps: Math.max(1, host.state.steps ?? 1) };
  };
  const stopSeeking = attachSeek(host.node, frame, seek);
  const removeTip = attachTip(host.node, () => host.look().tokens, (x, y) => sentences(frame(), x, y));
  host.node.setAttribute("role", "img");
  host.node.setAttribute("aria-label", label);
  return {
    node: host.node,
    update: host.update,
    destroy() {
      stopSeeking();
      removeTip();
      host.destroy();
    },
  };
}
