// @ts-check
// The guide's header; its text and its search are Streamlit's own.
import { element } from "../common/dom.js";
import { createHeaderActions } from "../common/header_actions.js";
import { createToast } from "../common/notice.js";
import { createReachNote } from "../common/reach_note.js";
import { createStream } from "../frames/stream.js";
import { themeOf } from "../common/theme.js";
import { showMessage } from "../frames/once.js";

/**
 * @param {HTMLElement} root
 * @param {ReturnType<import("../frames/commands.js").createCommands>} commands
 */
export function createGuide(root, commands) {
  const toastHost = element("div", { class: "sv-toast-host" });
  const toast = createToast(toastHost);
  const reach = createReachNote(false);
  const stream = createStream(() => {}, reach.update);
  const page = element("div", { class: "sv-page" }, toastHost, reach.root);
  root.replaceChildren(page);
  const kinds = () => [{ id: "page", title: "This page", label: "Link to this page", note: "How skipviz is used, hosted and measured.", address: location.href.split(/[?#]/)[0] }];
  const header = createHeaderActions(page, "guide", { kinds, ask: (command) => commands.send(command) });
  return {
    /** @param {any} data */
    update(data) {
      page.dataset.theme = themeOf(page);
      header.update(data);
      showMessage(data, toast);
    },
    destroy() {
      stream.destroy();
      reach.destroy();
      header.destroy();
    },
  };
}
