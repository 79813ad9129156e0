// @ts-check
// What a sweep is to vary: the network to begin with, one field or two with their values, how long each cell trains.
import { element } from "../common/dom.js";

/**
 * @param {{base: (name: string) => void, start: (axes: string[][], steps: string) => void}} act
 */
export function createSweepSetup(act) {
  /** @type {any} */
  let data = null;
  let key = "";
  const base = element("select", { onchange: () => act.base(base.value) });
  const what = element("p", { class: "sv-quiet" });
  const axes = [axisFields("First field", changed), axisFields("Second field", changed)];
  const steps = element("input", { type: "text", inputmode: "numeric" });
  const start = element("button", { type: "submit", class: "sv-main" }, "Start");
  const count = element("span", { class: "sv-quiet", role: "status" });
  const root = element(
    "form", { class: "sv-card sv-sweep-setup", "aria-label": "What is varied" },
    element("label", {}, "Begin with", base), what,
    ...axes.map((axis) => axis.root),
    element("label", { class: "sv-sweep-steps" }, "Steps of each cell", steps),
    element("div", { class: "sv-sweep-start" }, start, count),
  );
  root.onsubmit = (event) => {
    event.preventDefault();
    act.start(axes.filter((axis) => axis.field()).map((axis) => [axis.field(), axis.values()]), steps.value.replace(/[\s,]/g, ""));
  };

  /** Say how many cells there will be, and what the chosen fields take. */
  function changed() {
    for (const axis of axes) axis.say(data.fields);
    const counts = axes.filter((axis) => axis.field()).map((axis) => axis.values().split(",").filter((part) => part.trim()).length);
    const cells = counts.reduce((product, many) => product * many, 1);
    start.disabled = !counts.length || !cells;
    count.textContent = cells ? `${cells} cell${cells === 1 ? "" : "s"}` : "";
  }

  return {
    root,
    /** @param {any} next */
    update(next) {
      data = next;
      const now = JSON.stringify([next.base, next.title, next.fields]);
      if (now === key) return;
      key = now;
      base.replaceChildren(...next.bases.map(([name, words]) => element("option", { value: name, selected: name === next.base }, words)));
      what.textContent = next.title;
      steps.value = String(next.steps);
      for (const [place, axis] of axes.entries()) axis.offer(next.fields, next.axes[place] ?? ["", ""], place > 0);
      changed();
    },
  };
}

/** One axis: its field, its values, and what the field takes. @param {string} title @param {() => void} changed */
function axisFields(title, changed) {
  const field = element("select", { "aria-label": title });
  const values = element("input", { type: "text", spellcheck: "false", autocomplete: "off", "aria-label": `Values of the ${title.toLowerCase()}, with commas between` });
  const bounds = element("p", { class: "sv-quiet" });
  const root = element("fieldset", {}, element("legend", {}, title), field, values, bounds);
  /** @type {any[]} */
  let fields = [];
  const chosen = () => fields.find((one) => one.name === field.value);
  field.onchange = () => {
    values.value = chosen()?.suggested ?? "";
    changed();
  };
  values.oninput = changed;
  return {
    root,
    field: () => field.value,
    values: () => values.value,
    /** @param {any[]} offered @param {string[]} usual @param {boolean} optional */
    offer(offered, usual, optional) {
      fields = offered;
      const groups = [...new Set(offered.map((one) => one.group))].map((group) =>
        element("optgroup", { label: group }, ...offered.filter((one) => one.group === group).map((one) => element("option", { value: one.name }, one.words))),
      );
      field.replaceChildren(...(optional ? [element("option", { value: "" }, "none")] : []), ...groups);
      [field.value, values.value] = usual;
    },
    say() {
      const one = chosen();
      values.hidden = bounds.hidden = !one;
      if (one) bounds.textContent = `${one.bounds[0].toUpperCase()}${one.bounds.slice(1)}${one.value ? `; now ${one.value}` : ""}.`;
      bounds.title = one?.says ?? "";
    },
  };
}
