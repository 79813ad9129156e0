// @ts-check
// The diagram as a person handles it: click, drag, hover, keyboard. It draws nothing of its own but the drag's line.
import { element, parseSvg } from "../common/dom.js";
import { createDiagramPainter } from "./diagram_paint.js";
import { drawSwitches, drawStrengths } from "./diagram_switches.js";
import { isDrag, isFinger, partAt } from "./diagram_tap.js";
import { tintRows, unlikeRows } from "./unlike_rows.js";
import { inForce } from "../common/in_force.js";
import { partsOf } from "../common/parts.js";

const SVG_NAMESPACE = "http://www.w3.org/2000/svg";
const HANDLED = "Network diagram. Arrow keys move, Space switches, Enter opens, S starts a skip, Delete removes.";
const ONLY_WATCHED = "Network diagram, which is watched. Arrow keys move.";
const FOCUSABLE = "[data-skip], [data-layer], [data-valve], [data-collapsed], [data-branch]";

/** A state and the box that it comes out of. @param {number} k */
const placeWords = (k) => (k === 0 ? "h(0), the input" : `h(${k}), after box f(${k})`);

/** Whether two states' shapes agree, in words. @param {{shape?: string}} from @param {{shape?: string}} to */
function fitWords({ shape: own }, { shape }) {
  if (!own || !shape) return "";
  if (own === shape) return `, both ${shape}: they fit`;
  const joined = own.split("×").length === shape.split("×").length;
  return `, ${own} to ${shape}: ${joined ? "an adapter is chosen for it" : "no adapter joins them"}`;
}

/** What a skip that is being drawn says of itself. @param {{k: number, keyboard: boolean}} drag @param {any} from @param {any} to  states of the diagram */
function dragWords({ k, keyboard }, from, to) {
  if (!to || to.k === k) return `From ${placeWords(k)}: ${keyboard ? "arrow keys choose where it joins, Esc gives it up" : "drag to another state"}`;
  if (to.k < k) return `To ${placeWords(to.k)}, from h(${k}): a skip leads forward, none joins here`;
  return `To ${placeWords(to.k)}, from h(${k})${fitWords(from, to)}. ${keyboard ? "Enter places the skip, Esc gives it up" : "Release to place a skip"}`;
}

/**
 * Mount diagrams into `host`, and tell what a person does to them.
 * @param {HTMLElement} host
 * @param {{toggleSkip: Function, selectSkip: Function, selectLayer: Function, toggleValve: Function, addSkip: Function, remove: Function,
 *   open: Function, unfold?: Function, hover: Function}} act
 */
export function createDiagramView(host, act) {
  /** @type {SVGSVGElement | null} */
  let svg = null;
  /** @type {any} */
  let diagram = null;
  let text = "";
  let focused = "";
  /** @type {{kind: string, x: number, y: number} | null} where that item stands, for when a drawing comes without it */
  let stood = null;
  /** @type {Element | null} what is said of it stands beside it */
  let hovered = null;
  /** @type {{k: number, keyboard: boolean, over: number} | null} */
  let drag = null;
  /** @type {{svg: SVGSVGElement | null, item: string, x: number, y: number, finger: boolean, state: number | null, moved: boolean} | null} */
  let press = null;
  // A screen reader hears here which state a skip would join.
  const spoken = element("p", { class: "sv-spoken", role: "status" });
  /** @type {any} */
  let paint = null;
  /** @type {any} */
  let lastPaint = null;

  const kindOf = (node) => ["skip", "layer", "valve", "collapsed", "branch"].find((kind) => node?.dataset?.[kind]) ?? "";
  const named = (node) => (kindOf(node) ? `[data-${kindOf(node)}="${CSS.escape(node.dataset[kindOf(node)])}"]` : "");
  const list = (node, kind) => (node.dataset[kind] || "").split(" ").filter(Boolean);
  const items = () => (svg ? /** @type {any[]} */ ([...svg.querySelectorAll(FOCUSABLE)]) : []);

  function middle(node) {
    const skip = node.dataset.skip && diagram.skips.find((one) => one.ids.join(" ") === node.dataset.skip);
    if (skip) return { x: skip.x, y: skip.y };
    const box = node.getBBox();
    return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  }

  function remember(node) {
    focused = named(node);
    stood = { kind: kindOf(node), ...middle(node) };
  }

  /** The item that had the focus in the drawing before, or what stands where it stood. */
  function successor() {
    const found = focused && svg.querySelector(focused);
    if (found || !stood) return found || svg.querySelector("[data-layer]");
    const { kind, x, y } = stood;
    const away = (node) => Math.hypot(middle(node).x - x, middle(node).y - y);
    const near = items().filter((node) => kindOf(node) === kind).map((node) => ({ node, far: away(node) })).sort((a, b) => a.far - b.far);
    return near[0]?.node ?? svg.querySelector("[data-layer]");
  }

  function focusItem(node) {
    for (const other of items()) other.setAttribute("tabindex", "-1");
    node.setAttribute("tabindex", "0");
    remember(node);
    node.focus({ preventScroll: false });
  }

  function neighbour(node, key) {
    const here = middle(node);
    const vertical = key === "ArrowUp" || key === "ArrowDown";
    const sign = key === "ArrowUp" || key === "ArrowLeft" ? -1 : 1;
    let best = null;
    let bestCost = Infinity;
    for (const other of items()) {
      if (other === node) continue;
      const there = middle(other);
      const along = (vertical ? there.y - here.y : there.x - here.x) * sign;
      const across = Math.abs(vertical ? there.x - here.x : there.y - here.y);
      if (along < 2) continue;
      const cost = vertical ? along + (named(other).slice(0, 10) === named(node).slice(0, 10) ? 0 : 400) + across * 0.2 : along + across * 3;
      if (cost < bestCost) [best, bestCost] = [other, cost];
    }
    return best;
  }

  /** The 0-based layer at height y of a collapsed group (its middle by default); null for a repeated unit's badge. */
  function layerIn(id, y) {
    const group = diagram.collapsed.find((one) => one.id === id);
    if (!group || group.first === undefined || id === "unit") return null;
    const share = y === null ? 0.5 : (group.y1 - y) / (group.y1 - group.y0);
    return Math.round(group.first - 1 + Math.min(1, Math.max(0, share)) * (group.last - group.first));
  }

  function stateNear(event) {
    const area = svg.getBoundingClientRect();
    const scale = diagram.width / area.width;
    const y = (event.clientY - area.top) * scale;
    const x = (event.clientX - area.left) * scale;
    let best = null;
    for (const state of diagram.states) {
      const distance = Math.hypot((state.x - x) * 0.5, state.y - y);
      if (distance < 26 && (!best || distance < best.distance)) best = { ...state, distance };
    }
    return best;
  }

  function drawDrag(event) {
    const from = diagram.states.find((state) => state.k === drag.k);
    const to = event ? stateNear(event) : diagram.states.find((state) => state.k === drag.over);
    if (to) drag.over = to.k;
    const line = svg.querySelector(".sv-drag") || svg.appendChild(document.createElementNS(SVG_NAMESPACE, "path"));
    line.setAttribute("class", "sv-drag");
    if (!to || to.k === drag.k) {
      line.setAttribute("d", "");
    } else {
      const x = Math.max(6, from.x - diagram.box_width / 2 - 22);
      line.setAttribute("d", `M${from.x} ${from.y}H${x}V${to.y}H${to.x}`);
      line.classList.toggle("bad", to.k < drag.k);
    }
    for (const circle of svg.querySelectorAll("[data-state]")) {
      const k = Number(circle.getAttribute("data-state"));
      circle.classList.toggle("from", k === drag.k);
      circle.classList.toggle("to", Boolean(to) && k === to.k && k !== drag.k);
    }
    const words = dragWords(drag, from, to);
    act.hover(svg.querySelector(`[data-state="${drag.over}"]`), words);
    if (drag.keyboard) spoken.textContent = words;
  }

  function giveUp(event) {
    if (event.key === "Escape" && drag && !drag.keyboard) event.preventDefault(), endDrag(false);
  }

  function endDrag(place) {
    const { k, over, keyboard } = drag;
    drag = null;
    if (keyboard) spoken.textContent = place && over !== k ? "" : "No skip placed.";
    document.removeEventListener("keydown", giveUp);
    svg.classList.remove("dragging");
    svg.querySelector(".sv-drag")?.remove();
    for (const circle of svg.querySelectorAll("[data-state]")) circle.classList.remove("from", "to");
    hover(null);
    if (place && over !== k && over !== -1) act.addSkip(k, over);
  }

  function startDrag(k, keyboard) {
    drag = { k, keyboard, over: k };
    document.addEventListener("keydown", giveUp);
    svg.classList.add("dragging");
    drawDrag(null);
  }

  function activate(node, key) {
    if (node.dataset.skip) {
      if (key !== "Enter") act.toggleSkip(list(node, "skip"));
      act.selectSkip(list(node, "skip"));
    } else if (node.dataset.valve) act.toggleValve(list(node, "valve"));
    else if (node.dataset.layer) act.selectLayer(list(node, "layer"));
    else if (node.dataset.collapsed) act.open(layerIn(node.dataset.collapsed, null));
    else if (node.dataset.branch) act.unfold?.(list(node, "branch"));
  }

  function onKeyDown(event) {
    const node = event.target.closest?.(FOCUSABLE);
    if (!node) return;
    if (drag) {
      const states = diagram.states.map((state) => state.k).sort((a, b) => a - b);
      const at = states.indexOf(drag.over);
      if (event.key === "ArrowUp") drag.over = states[Math.min(states.length - 1, at + 1)];
      else if (event.key === "ArrowDown") drag.over = states[Math.max(0, at - 1)];
      else if (event.key === "Enter" || event.key === " ") return event.preventDefault(), endDrag(true);
      else if (event.key === "Escape") return event.preventDefault(), endDrag(false);
      else return;
      event.preventDefault();
      drawDrag(null);
      return;
    }
    if (event.key.startsWith("Arrow")) {
      const next = neighbour(node, event.key);
      if (next) focusItem(next);
    } else if (event.key === "Enter" || event.key === " ") activate(node, event.key);
    else if (event.key === "Delete" || event.key === "Backspace") {
      if (node.dataset.skip) act.remove("skip", list(node, "skip"));
      else if (node.dataset.layer) act.remove("layer", list(node, "layer"));
      else return;
    } else if (event.key.toLowerCase() === "s" && node.dataset.layer && !event.ctrlKey && !event.metaKey) {
      const row = diagram.rows.find((one) => one.ids?.join(" ") === node.dataset.layer);
      if (row) startDrag(row.layers[0] + 1, true);
    } else return;
    event.preventDefault();
  }

  /** The part that a press means, if it means one. */
  const meant = (event) => event.target.closest?.(FOCUSABLE) ?? partAt(svg, FOCUSABLE, event.clientX, event.clientY, Boolean(press?.finger));

  /** A press begins: on a state it may become a new skip, once it has moved. */
  function onPress(event) {
    const circle = event.button > 0 ? null : event.target.closest?.("[data-state]");
    press = { svg, item: "", x: event.clientX, y: event.clientY, finger: isFinger(event), state: circle ? Number(circle.dataset.state) : null, moved: false };
    press.item = named(meant(event));
    if (circle) event.preventDefault();
  }

  function onPointerMove(event) {
    if (!drag && press && press.state !== null && event.buttons && isDrag(press, event)) {
      press.moved = true;
      svg.setPointerCapture(event.pointerId);
      startDrag(press.state, false);
    }
    if (drag && !drag.keyboard) drawDrag(event);
  }

  function onRelease(event) {
    if (drag) return drag.keyboard ? undefined : endDrag(true);
    if (!press || press.moved) return;
    // A drawing that came between press and release took the click's target away: the same item in the new one is meant.
    const redrawn = press.svg !== svg;
    // A finger on a state makes no click.
    if (!redrawn && (press.state === null || !press.finger)) return;
    const node = press.item && meant(event);
    if (node && (!redrawn || named(node) === press.item)) handle(node, event);
  }

  function onClick(event) {
    const node = !drag && !press?.moved && meant(event);
    if (node) handle(node, event);
  }

  function handle(node, event) {
    const area = svg.getBoundingClientRect();
    focusItem(node);
    if (node.dataset.collapsed) act.open(layerIn(node.dataset.collapsed, ((event.clientY - area.top) * diagram.height) / area.height));
    else activate(node, "click");
  }

  function hover(node) {
    hovered = node;
    act.hover(node, "");
  }

  function listen() {
    svg.addEventListener("keydown", onKeyDown);
    svg.addEventListener("click", onClick);
    // A finger on a state draws a skip; without this the browser takes it for scrolling.
    svg.addEventListener("touchstart", (event) => /** @type {any} */ (event.target).closest("[data-state]") && event.preventDefault(), { passive: false });
    svg.addEventListener("pointermove", onPointerMove);
    svg.addEventListener("pointercancel", () => drag && endDrag(false));
    svg.addEventListener("pointerover", (event) => !drag && hover(event.target.closest(FOCUSABLE + ", [data-state], [data-joint]")));
    svg.addEventListener("pointerleave", () => !drag && hover(null));
  }

  host.append(spoken);
  host.addEventListener("pointerdown", onPress, true);
  host.addEventListener("pointerup", onRelease);
  // On the host: Chromium makes an SVG root with focus listeners a stop of the Tab key.
  host.addEventListener("focusin", (event) => {
    const node = /** @type {any} */ (event.target).closest?.(FOCUSABLE);
    // However it was reached: a drawing that comes now gives the focus to the same item, not to another.
    if (node) remember(node);
    hover(node);
  });
  host.addEventListener("focusout", () => !drag && hover(null));

  return {
    /** @param {any} next  a diagram's data */
    show(next) {
      diagram = next;
      if (next.svg === text) return;
      const hadFocus = svg?.contains(document.activeElement);
      text = next.svg;
      svg = parseSvg(text);
      svg.classList.add("sv-diagram");
      svg.setAttribute("role", "group");
      svg.setAttribute("aria-label", HANDLED);
      host.querySelector("svg")?.remove();
      host.prepend(svg);
      listen();
      paint = createDiagramPainter(svg, diagram);
      if (lastPaint) paint(lastPaint.values, lastPaint.ramps);
      const wanted = successor();
      if (wanted) wanted.setAttribute("tabindex", "0");
      if (hadFocus && wanted) /** @type {any} */ (wanted).focus({ preventScroll: true });
    },
    paint(values, ramps) {
      lastPaint = { values, ramps };
      if (paint) paint(values, ramps);
    },
    /** Say anew what is pointed at: its numbers have moved. */
    renewHover() {
      if (hovered?.isConnected && !drag) act.hover(hovered, "");
    },
    /** Show at once what a click asked for; the server's drawing follows, and takes its place also where it is the one before. */
    mark(kind, ids, network) {
      text = "";
      const shows = kind === "skip" ? inForce : (layer) => layer.gain > 0;
      const lit = new Set(partsOf(network, kind === "skip" ? "skip" : "layer").filter(shows).map((part) => part.id));
      for (const node of items()) {
        const own = list(node, kind);
        if (!own.length || !own.every((id) => ids.includes(id))) continue;
        const on = own.some((id) => lit.has(id));
        if (kind === "skip") (node.closest("[data-edge]") || node).classList.toggle("off", !on);
        else node.classList.toggle("shut", !on);
      }
    },
    /** Say whether its parts can be switched or are only watched, and then whether a press shows what they are. @param {boolean} only @param {boolean} told */
    watched(only, told) {
      svg?.setAttribute("aria-label", only ? ONLY_WATCHED : HANDLED);
      for (const node of items()) if (!node.dataset.collapsed && !node.dataset.branch) node.setAttribute("aria-disabled", String(only && !told));
    },
    /** Show skips, valves and boxes as `network` has them. @param {any} network */
    showSwitches(network) {
      if (svg) drawSwitches(svg, diagram, network);
    },
    /** Tint the rows that hold a part that other networks do not have alike. @param {any} network @param {Set<string>} unlike  ids */
    tint(network, unlike) {
      if (svg) tintRows(svg, diagram, unlikeRows(diagram, network, unlike));
    },
    /** Say what strengths have been learned. @param {any} network  with them */
    strengths(network) {
      if (svg) drawStrengths(svg, diagram, network);
    },
    select(kind, ids) {
      for (const node of items()) {
        const own = kind ? list(node, kind) : [];
        (node.closest("[data-edge]") || node).classList.toggle("selected", own.length > 0 && own.join(" ") === ids.join(" "));
      }
    },
    /** Let what is said of a selected box not lie over it. */
    reveal: () => svg?.querySelector("[data-layer].selected")?.scrollIntoView({ block: "nearest" }),
    /** @param {string | null} id  layer that diverged first */
    diverged(id) {
      svg?.querySelector(".sv-first")?.remove();
      for (const node of /** @type {any} */ (svg?.querySelectorAll("[data-layer]") || [])) {
        const first = id !== null && list(node, "layer").includes(id);
        node.classList.toggle("diverged", first);
        if (!first || !node.querySelector(".face")) continue;
        const box = node.querySelector(".face").getBBox();
        const label = document.createElementNS(SVG_NAMESPACE, "text");
        label.setAttribute("class", "sv-first");
        label.setAttribute("x", String(box.x + box.width + 4));
        label.setAttribute("y", String(box.y + box.height / 2 + 4));
        label.textContent = "∞ first";
        svg?.append(label);
      }
    },
  };
}
