// @ts-check
// Files and texts that the page makes by itself: what is saved, what is copied.

/** Give `content` to the browser as a file called `name`. @param {Blob} content @param {string} name */
export function save(content, name) {
  const address = URL.createObjectURL(content);
  const anchor = document.createElement("a");
  anchor.href = address;
  anchor.download = name.replace(/[^A-Za-z0-9._-]/g, "-");
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/**
 * Get a file from one of our routes and save it as it is called there; a refusal is said in its sentence.
 * @param {string} address @param {(words: string) => void} say
 */
export async function fetchFile(address, say) {
  say("The file is being made …");
  try {
    const answer = await fetch(address);
    if (!answer.ok) {
      const { error } = await answer.json();
      return say(`${error.charAt(0).toUpperCase()}${error.slice(1)}${error.endsWith(".") ? "" : "."}`);
    }
    save(await answer.blob(), /filename="([^"]+)"/.exec(answer.headers.get("content-disposition") ?? "")?.[1] ?? "skipviz");
    return say("");
  } catch {
    return say("The server does not answer.");
  }
}

/** The route of a run's trained weights, of the variant that is named. @param {string} run @param {string} variant */
export const weightsAddress = (run, variant) => `skipviz/runs/${run}.safetensors?variant=${encodeURIComponent(variant)}`;

/** Copy a text; false where the browser does not let the page. @param {string} text */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

const LAYER_FIELDS = [["weight_grad", 0], ["weight_grad_mean", 0], ["trunk_grad", 0], ["update_ratio", 0], ["state_grad", 1], ["state_rms", 1], ["state_max", 1], ["state_zeros", 1], ["state_dead", 1]];
const BOX_FIELDS = ["branch_grad", "branch_state_grad"];
const SKIP_FIELDS = ["skip_grad", "skip_weight_grad", "gate_opening", "strength", "share"];

/**
 * The numbers of the frame shown, one row a layer and then one a skip, between tabs, in full.
 * @param {{data: any, frame: any, values: any}} shown
 */
export function numbersText({ data, frame, values }) {
  if (!frame || !values) return "";
  const written = (value) => (value === null || value === undefined ? "" : String(value));
  const layers = data.network.layers.map((layer, index) => [frame.step, layer.k, layer.id, layer.label, ...LAYER_FIELDS.map(([name, after]) => written(values[name]?.[index + Number(after)]))]);
  const skips = data.network.skips.map((skip, index) => [frame.step, skip.source, skip.target, skip.id, skip.on ? "on" : "off", ...SKIP_FIELDS.map((name) => written(values[name]?.[index]))]);
  const table = [["step", "layer", "id", "operation", ...LAYER_FIELDS.map(([name]) => name)], ...layers];
  const boxes = data.network.branches.map((box, index) => [frame.step, box.id, box.says, ...BOX_FIELDS.map((name) => written(values[name]?.[index]))]);
  if (boxes.length) table.push([], ["step", "box", "operation", ...BOX_FIELDS], ...boxes);
  if (skips.length) table.push([], ["step", "source", "target", "id", "switch", ...SKIP_FIELDS], ...skips);
  return `${table.map((row) => row.join("\t")).join("\n")}\n`;
}
