// @ts-check
// Which gradient the bars show: of weights or of states, norm, RMS or mean magnitude, absolute or relative; baseline bars.
import { element } from "../common/dom.js";
import { explain } from "../common/explain.js";

const EXPLAINED = ["norm", "rms", "mean", "relative"];
const CHOICES = {
  quantity: [["weight", "weights ‖∂L/∂θ‖"], ["state", "states ‖∂L/∂h‖"]],
  measure: [["norm", "norm"], ["rms", "RMS"], ["mean", "mean |g|, weights without biases"]],
  scale: [["absolute", "absolute"], ["relative", "relative to the last"]],
};

/**
 * @param {HTMLElement} host
 * @param {Record<string, any>} options  changed in place
 * @param {() => void} changed
 */
export function createViewOptions(host, options, changed) {
  const title = element("span", {});
  const compared = element("span", {});
  const described = element("span", { class: "sv-note-network" });
  const note = element("div", { class: "sv-quiet" }, compared, described);
  const menu = element("div", { class: "sv-menu", hidden: true });
  const button = element("button", { type: "button", class: "sv-head-button", "aria-haspopup": "true", "aria-expanded": "false" }, title, " ▾");
  let words = "";
  button.onclick = () => open(menu.hidden);
  function open(yes) {
    menu.hidden = !yes;
    button.setAttribute("aria-expanded", String(yes));
    if (yes) menu.querySelector("input")?.focus();
  }
  menu.onkeydown = (event) => {
    if (event.key === "Escape") {
      open(false);
      button.focus();
    }
  };
  /** @param {PointerEvent} event */
  const elsewhere = (event) => {
    if (!host.isConnected) document.removeEventListener("pointerdown", elsewhere);
    else if (!menu.hidden && !host.contains(/** @type {Node} */ (event.target)) && !(/** @type {Element} */ (event.target).closest(".sv-explanation"))) open(false);
  };
  document.addEventListener("pointerdown", elsewhere);
  for (const [name, choices] of Object.entries(CHOICES)) {
    const group = element("fieldset", {}, element("legend", {}, name === "quantity" ? "Gradient of" : name === "measure" ? "Measure" : "Scale"));
    for (const [value, text] of choices) {
      const input = element("input", { type: "radio", name: `sv-${name}`, value, checked: options[name] === value });
      input.onchange = () => {
        options[name] = value;
        write();
        changed();
      };
      group.append(element("span", { class: "sv-choice" }, element("label", {}, input, text), EXPLAINED.includes(value) && explain(value)));
    }
    menu.append(group);
  }
  const baseline = element("input", { type: "checkbox", checked: options.baseline });
  baseline.onchange = () => {
    options.baseline = baseline.checked;
    changed();
  };
  menu.append(element("span", { class: "sv-choice" }, element("label", {}, baseline, "hollow bars: the same weights, with all skips off"), explain("hollow")));
  const theory = element("input", { type: "checkbox", checked: options.theory });
  theory.onchange = () => {
    options.theory = theory.checked;
    // It speaks of states.
    if (theory.checked && options.quantity !== "state") menu.querySelector('input[value="state"]')?.click();
    else changed();
  };
  menu.append(element("span", { class: "sv-choice" }, element("label", {}, theory, "theory: what is predicted of the states at initialisation, dashed"), explain("theory")));
  const numbered = element("input", { type: "checkbox", checked: options.numbered });
  numbered.onchange = () => {
    options.numbered = numbered.checked;
    changed();
  };
  menu.append(element("fieldset", {}, element("legend", {}, "Boxes"), element("span", { class: "sv-choice" }, element("label", {}, numbered, "say f⁽ᵏ⁾, not what they do"))));
  host.append(button, explain({ name: "Gradient in the bars", key: () => (options.quantity === "weight" ? "weight_gradient" : "state_gradient") }), note, menu);
  function write() {
    const weights = options.quantity === "weight";
    const mean = options.measure === "mean";
    title.title = !weights ? "" : mean ? "A layer’s weights, without biases and the parameters of norms" : "All parameters of a layer, weights and biases together";
    const symbol = mean ? (weights ? "mean |∂L/∂wₖ|" : "mean |∂L/∂hₖ|") : weights ? "‖∂L/∂θₖ‖" : "‖∂L/∂hₖ‖";
    title.replaceChildren(element("strong", {}, weights ? "Weight gradient " : "State gradient "), element("i", {}, symbol));
    baseline.disabled = mean;
    compared.textContent = `${options.measure === "rms" ? "RMS" : options.measure}, ${options.scale === "absolute" ? "absolute" : "relative"}`;
    described.textContent = words && ` · ${words}`;
  }
  return {
    /** @param {string} text  init and norm, named beside the gradient they decide */
    update(text) {
      words = text;
      write();
    },
  };
}
