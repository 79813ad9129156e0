// @ts-check
// A recorded run in a file of its own. The space bar plays it where nothing else takes it.
import { element } from "./common/dom.js";
import { createRecording } from "./replay/recording.js";
import { readPacked, runPacked } from "./replay/replay_file.js";
import { themeOf } from "./common/theme.js";

function switchReplayTheme() {
  document.body.dataset.theme = document.body.dataset.theme === "dark" ? "light" : "dark";
}

async function startReplay() {
  const root = /** @type {HTMLElement} */ (document.getElementById("replay"));
  new ResizeObserver(() => {
    root.dataset.size = root.clientWidth >= 880 ? "wide" : root.clientWidth >= 600 ? "narrow" : "phone";
  }).observe(root);
  document.body.dataset.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  try {
    runPacked(await readPacked("plotly"));
    const recording = createRecording(root, JSON.parse(await readPacked("recorded")), themeOf, switchReplayTheme);
    document.addEventListener("keydown", (event) => {
      if (event.key !== " " || event.target !== document.body) return;
      event.preventDefault();
      recording.main();
    });
  } catch (error) {
    root.replaceChildren(element("p", { class: "sv-page", role: "alert" }, `This browser cannot open the recording: ${error instanceof Error ? error.message : error}`));
  }
}

startReplay();
