// @ts-check
// A few words that the network writes, as plain text.
import { element } from "../common/dom.js";
import { legendLines } from "./picture_parts.js";

/**
 * @param {HTMLElement} stage
 */
export function createWrittenText(stage) {
  const paper = element("div", { "aria-hidden": "true" });
  Object.assign(paper.style, { whiteSpace: "pre-wrap", overflowWrap: "anywhere", boxSizing: "border-box", padding: "8px 10px", borderRadius: "4px" });
  paper.style.font = "13px/1.5 'Source Code Pro', ui-monospace, monospace";
  stage.append(paper);
  return {
    /** @param {any} state @param {any} look */
    update({ picture }, { tokens, width }) {
      const sample = picture?.sample ?? "";
      Object.assign(paper.style, { width: `${width}px`, minHeight: "96px", background: tokens.muted, color: tokens.ink });
      paper.textContent = sample || "…";
      const lines = [{ text: "Written character by character, always from the same random numbers: only the network changes it" }];
      const sentence = picture ? `The network writes: ${sample}` : "Text: the network has not been asked yet.";
      return { sentence, legend: legendLines("Text", lines, tokens) };
    },
  };
}
