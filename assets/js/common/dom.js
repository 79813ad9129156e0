// @ts-check
// Small builders for the page's own elements; text only ever goes in as text.

const SVG = "http://www.w3.org/2000/svg";

/**
 * Make an element with attributes, listeners (`onclick`) and children (nodes or text).
 * @param {string} tag
 * @param {Record<string, any>} [attributes]
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {any}
 */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node[name] = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/**
 * Let a node say `words`; where it says them already, nothing of the page changes. A text that stays in its place costs no style rule
 * a second look, which one that is put in the place of another does.
 * @param {Element} node @param {string | number} words
 */
export function writeText(node, words) {
  const [text, written] = [String(words), node.firstChild];
  if (text && written instanceof Text && written === node.lastChild) {
    if (written.data !== text) written.data = text;
  } else if (node.textContent !== text) node.textContent = text;
}

const ICONS = {
  play: "M8 5v14l11-7z",
  pause: "M6 5h4v14H6zM14 5h4v14h-4z",
  step: "M5 5v14l9-7zM15 5h3.5v14H15z",
  stop: "M6 6h12v12H6z",
  reset: "M12 5V1.5L7 6.2l5 4.7V7.4a4.8 4.8 0 1 1-4.8 4.8H4.8A7.2 7.2 0 1 0 12 5z",
  undo: "M8.6 4.2 3.4 9.4l5.2 5.2 1.6-1.6-2.4-2.4h6.4a3.9 3.9 0 0 1 0 7.8H9v2.2h5.2a6.1 6.1 0 0 0 0-12.2H7.8l2.4-2.6z",
  redo: "M15.4 4.2l5.2 5.2-5.2 5.2-1.6-1.6 2.4-2.4H9.8a3.9 3.9 0 0 0 0 7.8H15v2.2H9.8a6.1 6.1 0 0 1 0-12.2h6.4l-2.4-2.6z",
  table: "M3.5 4.5h17v15h-17zM5.5 9v3h5.6V9zm7.4 0v3h5.6V9zm-7.4 4.8v3.7h5.6v-3.7zm7.4 0v3.7h5.6v-3.7z",
  bin: "M9 3.5h6l.8 1.5H20v2H4V5h4.2zM6 8.500h12l-.9 12H6.900zM9.600 10.500v8h1.600v-8zm3.200 0v8h1.600v-8z",
  plus: "M11 5h2v6h6v2h-6v6h-2v-6H5v-2h6z",
  pencil: "M4 16.500V20h3.500L17.800 9.700l-3.500-3.500zM20.600 6.900a1 1 0 0 0 0-1.400l-2.100-2.100a1 1 0 0 0-1.400 0l-1.600 1.600 3.500 3.500z",
  swap: "M7 4 3 8l4 4V9.200h9V6.800H7zm10 8v2.800H8v2.400h9V20l4-4z",
  setup: "M4 6.900h8.200a2.800 2.800 0 0 0 5.400 0H20V5.100h-2.400a2.800 2.800 0 0 0-5.400 0H4zM4 18.900h2.400a2.800 2.800 0 0 0 5.400 0H20v-1.800h-8.200a2.800 2.800 0 0 0-5.400 0H4zM4 12.900h9.400v-1.800H4zM16 12.900h4v-1.800h-4z",
  more: "M6 10.200a1.800 1.800 0 1 0 0 3.600 1.800 1.800 0 0 0 0-3.600zm6 0a1.800 1.800 0 1 0 0 3.600 1.800 1.800 0 0 0 0-3.600zm6 0a1.800 1.800 0 1 0 0 3.600 1.800 1.800 0 0 0 0-3.600z",
  left: "M15.4 5 8.400 12l7 7 1.600-1.600L11.600 12 17 6.600z",
  right: "M8.600 5 15.600 12l-7 7L7 17.400 12.400 12 7 6.600z",
  close: "M6.400 5 12 10.600 17.600 5 19 6.400 13.400 12 19 17.600 17.600 19 12 13.400 6.400 19 5 17.600 10.600 12 5 6.400z",
  projector: "M3 4h18v1.600H3zM4.500 7h15v9.400h-6.700v1.500l3.300 2.600-1 1.300-3.100-2.500-3.100 2.500-1-1.300 3.300-2.600v-1.500H4.500zM6.200 8.700v6h11.600v-6z",
  take: "M11 3.500h2v8.300l3-3 1.400 1.400L12 15.600l-5.400-5.400L8 8.800l3 3zM4.500 15h2v3.500h11V15h2v5.500h-15z",
  theme: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zm0 2.200v13.600a6.800 6.800 0 0 1 0-13.600z",
};

/**
 * Make one of the page's icons.
 * @param {keyof typeof ICONS} name
 * @returns {SVGSVGElement}
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "sv-icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  path.setAttribute("fill-rule", "evenodd");
  svg.append(path);
  return svg;
}

/**
 * Make a button with an icon and a name for everybody.
 * @param {keyof typeof ICONS} name
 * @param {string} label
 * @param {() => void} onclick
 * @param {string} [className]
 * @returns {HTMLButtonElement}
 */
export function iconButton(name, label, onclick, className = "sv-square") {
  return element("button", { type: "button", class: className, "aria-label": label, title: label, onclick }, icon(name));
}

/**
 * Parse SVG text that the server drew, and return its root.
 * @param {string} text
 * @returns {SVGSVGElement}
 */
export function parseSvg(text) {
  const parsed = new DOMParser().parseFromString(text, "image/svg+xml");
  return /** @type {any} */ (document.importNode(parsed.documentElement, true));
}

/** Whether what is typed at a node is text, with letters and an undo of its own. @param {any} node */
export function isText(node) {
  const unwritten = ["range", "checkbox", "radio", "button", "submit", "file"];
  return Boolean(node.closest?.("textarea, [contenteditable]") || (node.matches?.("input") && !unwritten.includes(node.type)));
}

/**
 * Whether the space bar means something to the node that has the focus; not to a button that has it from being clicked.
 * @param {any} node @param {boolean} pointed  whether the last thing that moved the focus was a pointer
 */
export function takesSpace(node, pointed) {
  if (pointed && node.closest?.("button:not([role])")) return false;
  return Boolean(node.closest?.("input, textarea, select, button, summary, a, [contenteditable], [role], [tabindex]"));
}
