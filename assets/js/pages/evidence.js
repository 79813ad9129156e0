// @ts-check
// Evidence: a wall of published effects, and a page for each, on which anybody measures it again.
import { element, parseSvg } from "../common/dom.js";
import { createHeaderActions } from "../common/header_actions.js";
import { createToast } from "../common/notice.js";
import { createReachNote } from "../common/reach_note.js";
import { themeOf } from "../common/theme.js";
import { verdictWord } from "../common/verdict_word.js";
import { createJob } from "../frames/job.js";
import { showMessage } from "../frames/once.js";
import { createStream } from "../frames/stream.js";
import { createClaimView } from "./evidence_claim.js";

/**
 * @param {HTMLElement} root
 * @param {ReturnType<import("../frames/commands.js").createCommands>} commands
 */
export function createEvidence(root, commands) {
  const toasts = element("div", { class: "sv-toast-host" });
  const wall = element("div", { class: "sv-claims" });
  const index = element(
    "div", {},
    element("div", { class: "sv-intro" }, element("div", {}, element("h1", {}, "Evidence"), element("p", {}, "What papers say of depth and skips, measured again by whoever presses Run. What this server has not measured yet is a recording."))),
    wall,
  );
  const host = element("div", { hidden: true });
  const page = element("div", { class: "sv-figure sv-evidence sv-page" }, index, host, toasts);
  root.replaceChildren(page);
  const toast = createToast(toasts);
  const reach = createReachNote(false);
  page.append(reach.root);
  const stream = createStream((message) => job.hear(message), reach.update, () => "", () => job.wanted());
  const kinds = () => [{ id: "page", title: "This page", label: "Link to this page", note: "Others see the same measurement, and can make their own.", address: location.href }];
  const header = createHeaderActions(page, "evidence", { kinds, ask: (command) => commands.send(command) });
  /** @type {ReturnType<typeof createClaimView> | null} */
  let view = null;
  const job = createJob((now) => view?.follow(now), () => commands.waiting() || commands.send({ op: "look" }), () => stream.again());
  const act = { send: (command) => commands.send(command), say: (title, words) => toast.show(title, words) };

  return {
    /** @param {any} data */
    update(data) {
      page.dataset.theme = themeOf(page);
      header.update(data);
      showMessage(data, toast);
      index.hidden = Boolean(data.claim);
      host.hidden = !data.claim;
      if (view && view.name !== data.claim?.name) {
        view.destroy();
        view = null;
      }
      if (!data.claim) {
        job.follow(null);
        wall.replaceChildren(...data.claims.map((claim) => claimCard(claim, () => commands.send({ op: "claim", name: claim.name }))));
        return;
      }
      view = view ?? createClaimView(host, data, act);
      view.update(data);
      job.follow(data.job);
    },
    destroy() {
      view?.destroy();
      job.destroy();
      stream.destroy();
      reach.destroy();
      header.destroy();
    },
  };
}

/** @param {any} claim @param {() => void} choose */
function claimCard(claim, choose) {
  const made = claim.torch ? `A recording, made with torch ${claim.torch} on ${claim.date}.` : `Measured by this server on ${claim.date}.`;
  return element(
    "button", { type: "button", class: "sv-card sv-claim-card", onclick: choose },
    parseSvg(claim.svg), element("h2", {}, claim.title), element("p", { class: "sv-quiet" }, `${claim.who}, ${claim.year}`),
    element("p", { class: "sv-claim-said" }, element("strong", {}, verdictWord(claim.verdict.holds)), " ", claim.verdict.sentence),
    element("p", { class: "sv-quiet" }, made),
  );
}
