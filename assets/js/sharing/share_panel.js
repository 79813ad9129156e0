// @ts-check
// What Share opens: which link, what it leaves out, the link to copy, its code to point a phone at.
import { element } from "../common/dom.js";
import { createPoster } from "./poster.js";
import { qrCode } from "./qr.js";
import { codeWords } from "./reachable.js";
import { createTourEditor } from "./tour_editor.js";

/**
 * @typedef {{id: string, title: string, note: string, address: string | null, label?: string, classroom?: boolean}} LinkKind
 * @param {{kinds: () => LinkKind[], ask: (command: any) => void, close: () => void, groups: Record<string, string>, tour?: any, presets?: [string, string][], here?: () => string, layers?: () => string[], preview?: (steps: any[]) => void}} outer
 *   `tour` is what any tour can point at, on pages that show one; `kinds` are the links there are now; an address of null has to be made first
 */
export function createSharePanel(outer) {
  let chosen = "";
  let wanted = "";
  let askTimer = 0;
  /** @type {Map<string, string[] | null>} address → its code */
  const codes = new Map();
  const poster = createPoster();
  const choice = element("div", { class: "sv-kinds", role: "radiogroup", "aria-label": "What the link opens" });
  const note = element("p", { class: "sv-quiet" });
  const field = element("input", { readonly: true, class: "sv-address", onfocus: () => field.select() });
  const copy = element("button", { type: "button", class: "sv-copy", onclick: () => copyLink() }, "Copy");
  const status = element("span", { class: "sv-quiet", role: "status" });
  const code = element("div", { class: "sv-code" });
  const large = element("button", { type: "button", class: "sv-link", onclick: () => poster.show(kind()?.title ?? "", wanted, codes.get(wanted) ?? null, large) }, "Show it large");
  const room = element("button", { type: "button", class: "sv-copy", onclick: () => outer.ask({ op: "classroom", on: kind()?.address === null }) });
  const boxes = Object.entries(outer.groups).map(([name, words]) => checkbox(name, words));
  const projector = checkbox("projector", "Large type, for a projector");
  const leaveOut = element(
    "details", { class: "sv-leave-out" },
    element("summary", {}, "A lesson's link: leave out …"),
    element("div", { class: "sv-boxes" }, ...boxes.map((box) => box.label)), projector.label,
  );
  const tour = outer.tour && outer.preview
    ? createTourEditor({ targets: outer.tour.targets, presets: outer.presets ?? [], here: () => outer.here?.() ?? "", layers: () => outer.layers?.() ?? [], ask: outer.ask, changed: () => write(), preview: (steps) => (outer.close(), outer.preview?.(steps)) })
    : null;
  const link = element("div", { class: "sv-link-row" }, field, copy);
  const root = element(
    "div", { class: "sv-share-panel", role: "dialog", "aria-label": "Share", hidden: true },
    choice, note, link, status,
    element("div", { class: "sv-code-row" }, code, element("div", { class: "sv-code-side" }, element("span", { class: "sv-quiet" }, codeWords(location.hostname)), large)),
    leaveOut, tour?.root, room,
  );
  root.onkeydown = (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    outer.close();
  };

  function checkbox(name, words) {
    const input = element("input", { type: "checkbox", name, onchange: () => write() });
    return { name, input, label: element("label", {}, input, words) };
  }
  const kind = () => outer.kinds().find((one) => one.id === chosen) ?? outer.kinds()[0];

  /** The address of the kind chosen, with what it leaves out. */
  function address() {
    const plain = kind()?.address;
    if (!plain) return "";
    const url = new URL(plain, location.href);
    const left = boxes.filter((box) => box.input.checked).map((box) => box.name);
    if (left.length) url.searchParams.set("hide", left.join(","));
    if (tour?.text()) url.searchParams.set("tour", tour.text());
    if (projector.input.checked) url.searchParams.set("projector", "1");
    return url.href.replaceAll("%2C", ",");
  }

  function choices() {
    const kinds = outer.kinds();
    const key = kinds.map((one) => one.title).join();
    if (choice.dataset.key === key) return;
    choice.dataset.key = key;
    choice.replaceChildren(
      ...kinds.map((one) => {
        const input = element("input", { type: "radio", name: "sv-kind", value: one.id, checked: one.id === kind()?.id });
        input.onchange = () => {
          chosen = one.id;
          write();
        };
        return element("label", {}, input, one.title);
      }),
    );
  }

  function write() {
    choices();
    const now = kind();
    wanted = address();
    note.textContent = now?.note ?? "";
    field.setAttribute("aria-label", now?.label ?? "Link");
    if (field.value !== wanted) {
      field.value = wanted;
      status.textContent = "";
    }
    link.hidden = leaveOut.hidden = !wanted;
    if (tour) tour.root.hidden = !wanted;
    room.hidden = !now?.classroom;
    room.textContent = wanted ? "End the classroom" : "Open a classroom";
    drawCode();
  }

  function drawCode() {
    const rows = codes.get(wanted);
    code.parentElement.hidden = !wanted || rows === null;
    if (code.dataset.of !== `${wanted} ${Boolean(rows)}`) {
      code.dataset.of = `${wanted} ${Boolean(rows)}`;
      code.replaceChildren(...(rows ? [qrCode(rows)] : []));
    }
    clearTimeout(askTimer);
    if (wanted && rows === undefined && !root.hidden) askTimer = window.setTimeout(() => outer.ask({ op: "code", address: wanted }), 150);
  }

  async function copyLink() {
    field.select();
    status.textContent = (await copied(wanted)) ? "Copied." : "Press Ctrl+C to copy.";
  }

  return {
    root,
    open() {
      root.hidden = false;
      write();
      (wanted ? field : choice.querySelector("input:checked"))?.focus();
    },
    /** Take what Python says: a code that was asked for, a classroom that is open. @param {any} view */
    update(view) {
      tour?.update(view?.tour_made);
      if (view?.code) codes.set(view.code.address, view.code.rows);
      if (!root.hidden) write();
    },
    destroy: () => poster.destroy(),
  };
}

/** Copy `text`, which is selected too: not every page may use the clipboard. @param {string} text */
async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return document.execCommand("copy");
  }
}
