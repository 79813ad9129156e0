// @ts-check
// Whether an address says anything to another device: the loopback's names mean each machine itself.

/** @param {string} hostname @returns {boolean} */
export const onlyHere = (hostname) => /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\]|0\.0\.0\.0)$/.test(hostname);

/** What stands beside a code. @param {string} hostname @returns {string} */
export function codeWords(hostname) {
  if (!onlyHere(hostname)) return "Point a phone at it.";
  return "A phone cannot reach this address: it means the machine that opens it. Open the lab at this machine’s own address in the network, and share from there.";
}
