// @ts-check
// My runs: found by words, sorted, renamed in place, deleted with a way back, two at a time side by side.
import { element } from "../common/dom.js";
import { createHeaderActions } from "../common/header_actions.js";
import { createToast } from "../common/notice.js";
import { routeTo, routesBlocked } from "../frames/reach.js";
import { createReachNote } from "../common/reach_note.js";
import { createRunDeletion } from "./run_deletion.js";
import { fetchFile } from "../sharing/export_files.js";
import { createRunRow } from "./run_row.js";
import { networkWords, sizeWords } from "./run_facts.js";
import { createStream } from "../frames/stream.js";
import { themeOf } from "../common/theme.js";
import { showMessage } from "../frames/once.js";

// Rows drawn at a time: a screen of them and some more.
const SHOWN_AT_ONCE = 24;
// Pictures asked for with one request: those on the screen are there before the others are drawn.
const ASKED_AT_ONCE = 8;
// Milliseconds between two looks at runs that go on.
const LOOK_EVERY = 2000;
const GOING = ["queued", "running", "paused"];

/** The lowest loss that a network of a run has reached. @param {any} run */
const lowest = (run) => Math.min(...run.reached.map(({ loss }) => loss ?? Infinity));

/** @type {Record<string, [string, (a: any, b: any) => number]>} */
const RUN_ORDERS = {
  newest: ["Newest first", (a, b) => b.created - a.created],
  oldest: ["Oldest first", (a, b) => a.created - b.created],
  loss: ["Lowest loss first", (a, b) => lowest(a) - lowest(b) || b.created - a.created],
  size: ["Largest first", (a, b) => b.bytes - a.bytes],
};

/**
 * @param {HTMLElement} root
 * @param {ReturnType<import("../frames/commands.js").createCommands>} commands
 */
export function createRuns(root, commands) {
  const page = runsElements();
  root.replaceChildren(page.root);
  const toast = createToast(page.toasts);
  const reach = createReachNote(false);
  page.root.append(reach.root);
  const stream = createStream(() => {}, reach.update);
  const kinds = () => [{ id: "page", title: "This page", label: "Link to this page", note: "Everybody sees the runs of their own browser here.", address: location.href.split("?")[0] }];
  const header = createHeaderActions(page.root, "runs", { kinds, ask: (command) => commands.send(command) });
  /** @type {any} */
  let data = null;
  /** @type {Map<string, ReturnType<typeof createRunRow>>} */
  const rows = new Map();
  /** @type {Set<string>} runs whose pictures are asked for */
  const asked = new Set();
  /** @type {string[]} */
  let picked = [];
  let most = SHOWN_AT_ONCE;
  let timer = 0;

  const act = {
    open: (run) => commands.send({ op: "open_run", run }),
    rename(run, title) {
      const facts = data.runs.find((one) => one.id === run);
      if (facts) facts.title = title;
      commands.send({ op: "rename", run, title });
    },
    unnamed: () => toast.show("Not renamed.", "A run needs a name; it keeps the one it has."),
    resume: (run) => commands.send({ op: "resume", run }),
    take: (address) => fetchFile(routeTo(address), (words) => words && toast.show("Weights.", words)),
    remove(run) {
      deletion.add(data.runs.find((one) => one.id === run));
      if (picked.includes(run)) act.pick(run, false);
      draw();
    },
    pick(run, on) {
      // A third one takes the place of the one chosen first: two stand side by side.
      picked = on ? [...picked.filter((one) => one !== run), run].slice(-2) : picked.filter((one) => one !== run);
      for (const [id, row] of rows) row.picked(picked.includes(id));
      choice();
    },
  };
  const deletion = createRunDeletion(page.toasts, (runs) => commands.send({ op: "delete", runs }), (first) => {
    draw();
    if (first) rows.get(first)?.focus();
  });
  page.compare.onclick = () => commands.send({ op: "open_pair", runs: picked });
  page.search.oninput = page.order.onchange = () => {
    most = SHOWN_AT_ONCE;
    draw();
  };
  page.more.onclick = () => {
    most += SHOWN_AT_ONCE;
    draw();
  };
  for (const link of page.root.querySelectorAll("[data-go]")) link.onclick = () => commands.send({ op: "go", page: link.dataset.go });

  function chosen() {
    const wanted = page.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const words = (run) => `${run.title} ${networkWords(run)} ${run.state}`.toLowerCase();
    const found = data.runs.filter((run) => !deletion.has(run.id) && wanted.every((word) => words(run).includes(word)));
    return found.sort(RUN_ORDERS[page.order.value][1]);
  }

  function draw() {
    if (!data) return;
    const now = Date.now() / 1000;
    const all = data.runs.filter((run) => !deletion.has(run.id)).length;
    const found = chosen();
    const nodes = found.slice(0, most).map((run) => {
      const row = rows.get(run.id) ?? createRunRow(run, data.title_length, act);
      rows.set(run.id, row);
      row.update(run);
      row.age(now);
      return row.root;
    });
    // A title being written keeps its place and its cursor; else rows move only when their order does.
    const writing = page.list.contains(document.activeElement) && document.activeElement?.tagName === "INPUT" && document.activeElement.getAttribute("type") === "text";
    if (!writing && (nodes.length !== page.list.children.length || nodes.some((node, place) => page.list.children[place] !== node))) page.list.replaceChildren(...nodes);
    page.empty.hidden = all > 0;
    page.card.hidden = all === 0;
    page.tools.hidden = all === 0;
    page.none.hidden = found.length > 0;
    page.more.hidden = found.length <= most;
    page.more.textContent = `Show ${Math.min(SHOWN_AT_ONCE, found.length - most)} more`;
    page.count.textContent = found.length === all ? `${all} run${all === 1 ? "" : "s"}` : `${found.length} of ${all}`;
    choice();
    picture();
  }

  function choice() {
    page.compare.disabled = picked.length !== 2;
    page.hint.textContent = ["Tick two runs to see them side by side.", "Tick one more.", ""][picked.length];
    page.hint.hidden = picked.length === 2;
  }

  /** Ask for the pictures of rows that have none yet. */
  function picture() {
    const ids = [...page.list.children].map((node) => node.dataset.run).filter((id) => !asked.has(id));
    if (!ids.length) return;
    for (const id of ids) asked.add(id);
    look(ids);
  }

  /** @param {string[]} ids */
  async function look(ids) {
    for (let from = 0; from < ids.length; from += ASKED_AT_ONCE) {
      const some = ids.slice(from, from + ASKED_AT_ONCE);
      try {
        if (routesBlocked()) throw new Error("blocked");
        const answer = await fetch(routeTo(`skipviz/cards?runs=${some.join(",")}`));
        if (!answer.ok) throw new Error(String(answer.status));
        take((await answer.json()).cards);
      } catch {
        commands.send({ op: "look", runs: some });
      }
    }
  }

  /** @param {any[]} cards  facts with pictures */
  function take(cards) {
    const ramp = data.ramps[page.root.dataset.theme].bars;
    for (const { svg, history, ...facts } of cards) {
      const place = data.runs.findIndex((run) => run.id === facts.id);
      if (place >= 0 && !commands.waiting()) data.runs[place] = facts;
      const row = rows.get(facts.id);
      if (!row) continue;
      if (!commands.waiting()) row.update(facts);
      row.paint({ svg, history }, ramp);
    }
  }

  function follow() {
    timer = window.setTimeout(follow, LOOK_EVERY);
    if (!data || document.hidden) return;
    const going = [...page.list.children].map((node) => node.dataset.run).filter((id) => GOING.includes(rows.get(id)?.facts().state));
    if (going.length) look(going);
    for (const [, row] of rows) row.age(Date.now() / 1000);
  }
  const back = () => document.hidden || commands.send({ op: "look", runs: [] });
  document.addEventListener("visibilitychange", back);
  timer = window.setTimeout(follow, LOOK_EVERY);

  return {
    /** @param {any} next */
    update(next) {
      page.root.dataset.theme = themeOf(page.root);
      showMessage(next, toast);
      if (data && commands.waiting()) return take(next.cards);
      data = next;
      header.update(next);
      for (const id of rows.keys()) if (!data.runs.some((run) => run.id === id)) rows.delete(id);
      picked = picked.filter((id) => data.runs.some((run) => run.id === id));
      page.keeping.textContent = keepingWords(next);
      page.about.textContent = `What this browser has trained${next.scripts ? ", and modules that scripts on this machine watch" : ""}. Open a run to look through all its steps, or tick two to see them side by side.`;
      deletion.settle(next.runs.map((run) => run.id));
      draw();
      if (next.cards.length) take(next.cards);
    },
    destroy() {
      clearTimeout(timer);
      deletion.destroy();
      stream.destroy();
      reach.destroy();
      header.destroy();
      document.removeEventListener("visibilitychange", back);
    },
  };
}

/** How long runs are kept, how much they take now, and how much of that are one's own. @param {any} data */
function keepingWords({ keeping, runs, most }) {
  const own = runs.reduce((sum, run) => sum + run.bytes, 0);
  const used = keeping.used === null ? "" : `All take ${sizeWords(Math.max(own, keeping.used))} now`;
  const yours = runs.length ? `${used ? ", yours" : "Yours take"} ${sizeWords(own)} of it` : "";
  const more = runs.length < most ? "" : ` The newest ${most} are listed here; older ones open by their links.`;
  return `${keeping.rule} ${used || yours ? `${used}${yours}.` : ""}${more}`;
}

function runsElements() {
  const page = /** @type {Record<string, any>} */ ({});
  const part = (name, tag, attributes, ...children) => (page[name] = element(tag, attributes, ...children));
  const orders = Object.entries(RUN_ORDERS).map(([value, [words]]) => element("option", { value }, words));
  part("search", "input", { type: "search", placeholder: "Search: a name, digits, stopped …", "aria-label": "Search my runs" });
  part("order", "select", { "aria-label": "Order" }, ...orders);
  part("count", "span", { class: "sv-quiet", role: "status" });
  part("hint", "span", { class: "sv-quiet" });
  part("compare", "button", { type: "button", class: "sv-main" }, "Compare side by side");
  part("tools", "div", { class: "sv-runs-tools" }, element("div", { class: "sv-search" }, page.search, page.order, page.count), element("div", { class: "sv-runs-choice" }, page.hint, page.compare));
  part("list", "ul", { class: "sv-runs-list", "aria-label": "My runs" });
  part("none", "p", { class: "sv-quiet sv-runs-none", hidden: true }, "None of your runs is called that. Try fewer words.");
  part("more", "button", { type: "button", class: "sv-button", hidden: true });
  part("card", "section", { class: "sv-card", "aria-label": "List" }, page.list, page.none, element("div", { class: "sv-runs-more" }, page.more));
  part("empty", "section", { class: "sv-card sv-runs-empty" }, element("p", {}, "Nothing here yet: every network you train in this browser is kept on this page."), element("button", { type: "button", class: "sv-main", "data-go": "lab" }, "Train one in the lab"));
  part("about", "p", {});
  part("keeping", "p", { class: "sv-quiet sv-runs-keeping" });
  part("toasts", "div", { class: "sv-toast-host" });
  page.card.hidden = page.empty.hidden = page.tools.hidden = true;
  part(
    "root", "div", { class: "sv-figure sv-runs sv-page" },
    element("div", { class: "sv-intro" }, element("div", {}, element("h1", {}, "My runs"), page.about)),
    page.tools, page.card, page.empty, page.keeping, page.toasts,
  );
  return page;
}
