// @ts-check
// The gallery: every preset as a card with its drawing, found by words, one click from the lab.
import { element, parseSvg } from "../common/dom.js";
import { createHeaderActions } from "../common/header_actions.js";
import { createToast } from "../common/notice.js";
import { pressWords } from "../common/press_words.js";
import { createReachNote } from "../common/reach_note.js";
import { createStream } from "../frames/stream.js";
import { themeOf } from "../common/theme.js";
import { showMessage } from "../frames/once.js";

/**
 * @param {HTMLElement} root
 * @param {ReturnType<import("../frames/commands.js").createCommands>} commands
 */
export function createGallery(root, commands) {
  const search = element("input", { type: "search", placeholder: "Search: residual, U-Net, 2015, digits …", "aria-label": "Search the gallery" });
  const count = element("span", { class: "sv-quiet", role: "status" });
  const cards = element("div", { class: "sv-cards" });
  const none = element("p", { class: "sv-quiet", hidden: true }, "Nothing in the gallery is called that. Try fewer words.");
  const toastHost = element("div", { class: "sv-toast-host" });
  const toast = createToast(toastHost);
  const reach = createReachNote(false);
  const stream = createStream(() => {}, reach.update);
  const page = element(
    "div", { class: "sv-figure sv-gallery sv-page" },
    element("div", { class: "sv-intro" }, element("div", {}, element("h1", {}, "Gallery"), element("p", {}, "Networks to start from. Each card says what to do in the lab and what will be seen.")), element("div", { class: "sv-search" }, search, count)),
    cards, none, toastHost, reach.root,
  );
  root.replaceChildren(page);
  const kinds = () => [{ id: "page", title: "This page", label: "Link to this page", note: "The gallery of networks to start from.", address: location.href.split("?")[0] }];
  const header = createHeaderActions(page, "gallery", { kinds, ask: (command) => commands.send(command) });
  /** @type {{node: HTMLElement, words: string}[]} */
  let shown = [];

  function filter() {
    const wanted = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    for (const { node, words } of shown) {
      node.hidden = !wanted.every((word) => words.includes(word));
      if (!node.hidden) found += 1;
    }
    none.hidden = found > 0;
    count.textContent = `${found} of ${shown.length}`;
  }
  search.oninput = filter;
  return {
    /** @param {any} data */
    update(data) {
      page.dataset.theme = themeOf(page);
      header.update(data);
      showMessage(data, toast);
      if (shown.length !== data.cards.length) {
        shown = data.cards.map((card) => ({ node: presetCard(card, (beside) => commands.send({ op: "open_preset", name: card.name, beside })), words: [card.name, card.title, card.do, card.see, card.source, card.task].join(" ").toLowerCase() }));
        cards.replaceChildren(...shown.map((one) => one.node));
      }
      filter();
    },
    destroy() {
      stream.destroy();
      reach.destroy();
      header.destroy();
    },
  };
}

function presetCard(card, choose) {
  const [title, sentence, facts, source] = ["title", "sentence", "facts", "source"].map((part) => `sv-preset-${card.name}-${part}`);
  const drawing = parseSvg(card.svg);
  drawing.setAttribute("aria-hidden", "true");
  const beside = card.beside && element("button", { type: "button", class: "sv-link sv-preset-beside", "aria-label": `${card.title}: ${card.beside.toLowerCase()}`, onclick: () => choose(true) }, `${card.beside} ›`);
  return element("div", { class: "sv-preset-place" }, element(
    "button", { type: "button", class: "sv-card sv-preset", onclick: () => choose(false), "aria-labelledby": `${title} ${sentence}`, "aria-describedby": `${facts} ${source}` },
    drawing,
    element(
      "div", {},
      element("h2", { id: title }, card.title),
      element("p", { id: sentence }, pressWords(`${card.do} ${card.see}`)),
      element("p", { id: facts, class: "sv-quiet" }, `${card.depth} layers${card.weighted < card.depth ? ` (${card.weighted} with weights, and the head)` : ""}, ${card.parameters.toLocaleString("en")} parameters, ${card.task}`),
      element("p", { id: source, class: "sv-quiet" }, card.source),
    ),
  ), beside);
}
