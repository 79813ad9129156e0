// @ts-check
// A network's parts of a kind, as events and selections name them: those of its trunk, then those of its branches.

/**
 * Skips and edges of branches, or layers and boxes of branches.
 * @param {any} network  as Python tells of it  @param {string} kind  `skip` or `layer`
 * @returns {any[]}
 */
export function partsOf(network, kind) {
  return kind === "skip" ? [...network.skips, ...network.edges] : [...network.layers, ...network.branches];
}
