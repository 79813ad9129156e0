// @ts-check
// The head over one network of a comparison: its letter, its name, how it differs, and what can be done to it.
import { element, iconButton, writeText } from "../common/dom.js";
import { gradientRatio } from "../common/sentence.js";
import { formatNumber } from "../common/numbers.js";

/** @param {{letter: string, choose: () => void, send: (command: any) => void}} outer  `send` is told of its own network */
export function createVariantHead({ letter, choose, send }) {
  let name = "";
  let place = 0;
  const title = element("button", { type: "button", class: "sv-variant-name", onclick: choose });
  const input = element("input", { type: "text", class: "sv-variant-input", "aria-label": "Name of this network", maxlength: 32, hidden: true });
  const differs = element("p", { class: "sv-quiet sv-differs" });
  const ratio = element("span", { class: "sv-quiet sv-variant-ratio" });
  const more = iconButton("more", "What can be done to this network", () => open(menu.hidden), "sv-bare sv-variant-more");
  more.setAttribute("aria-haspopup", "true");
  const item = (words, does) => element("button", { type: "button", class: "sv-link", onclick: () => (open(false), does()) }, words);
  const left = item("Move to the left", () => send({ op: "move_variant", place: place - 1 }));
  const right = item("Move to the right", () => send({ op: "move_variant", place: place + 1 }));
  const menu = element("div", { class: "sv-menu sv-variant-menu", hidden: true }, item("Rename", () => edit(true)), left, right, item("Remove", () => send({ op: "remove_variant" })));
  const root = element(
    "div", { class: `sv-variant-head ${letter}`, role: "group" },
    element("div", { class: "sv-variant-line" }, element("strong", { class: `sv-letter ${letter}`, "aria-hidden": "true" }, letter), title, input, more, menu),
    element("div", { class: "sv-variant-under" }, ratio, differs),
  );
  function open(yes) {
    menu.hidden = !yes;
    more.setAttribute("aria-expanded", String(yes));
    if (yes) /** @type {any} */ (menu.querySelector("button:not(:disabled)"))?.focus();
  }
  root.onkeydown = (event) => {
    if (event.key !== "Escape" || menu.hidden) return;
    event.stopPropagation();
    open(false);
    more.focus();
  };
  root.addEventListener("focusout", (event) => !root.contains(/** @type {any} */ (event.relatedTarget)) && open(false));
  function edit(yes) {
    input.hidden = !yes;
    title.hidden = yes;
    if (!yes) return;
    input.value = name;
    input.focus();
    input.select();
  }
  input.onkeydown = (event) => {
    event.stopPropagation();
    if (event.key === "Escape") {
      input.value = name;
      edit(false);
      title.focus();
    } else if (event.key === "Enter") {
      input.blur();
      title.focus();
    }
  };
  input.onblur = () => {
    if (input.hidden) return;
    edit(false);
    if (input.value.trim() && input.value.trim() !== name) send({ op: "rename_variant", name: input.value.trim() });
  };
  return {
    root,
    /** Take up the name that is being written, before its field is moved or made anew. @returns {{text: string, at: number} | null} */
    lift() {
      if (input.hidden) return null;
      edit(false);
      return { text: input.value, at: input.selectionStart };
    },
    /** Go on with a name that was lifted. @param {{text: string, at: number}} written */
    write({ text, at }) {
      edit(true);
      input.value = text;
      input.setSelectionRange(at, at);
    },
    /** @param {{name: string, place: number, count: number, fixed: boolean}} view */
    update(view) {
      ({ name, place } = view);
      title.textContent = title.title = name;
      title.setAttribute("aria-label", `Network ${letter}: ${name}`);
      root.setAttribute("aria-label", `Network ${letter}`);
      more.hidden = view.fixed;
      left.disabled = place === 0;
      right.disabled = place === view.count - 1;
    },
    /** @param {any} values  its part of the frame that is shown @param {any} network @param {string} said  how it differs there */
    values(values, network, said) {
      if (differs.textContent !== said) differs.textContent = differs.title = said;
      const found = gradientRatio(network, values);
      writeText(ratio, found === null ? "" : `first ÷ last ${formatNumber(found)}`);
    },
  };
}
