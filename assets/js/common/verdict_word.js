// @ts-check
// What a claim's verdict is in two words.

/** @param {boolean | null} holds */
export function verdictWord(holds) {
  if (holds === null) return "No verdict.";
  return holds ? "As expected." : "Not as expected.";
}
