// @ts-check
// A dark note beside the pointer that says what a number is; it takes its lines from the plot under it.

/**
 * Show `linesAt(x, y)` (px inside `node`; first line bold, null for nothing) while a pointer is over `node`.
 * @param {HTMLElement} node
 * @param {() => Record<string, string>} tokens colours in force
 * @param {(x: number, y: number) => string[] | null} linesAt
 * @returns {() => void} a function that removes the tip and its listeners
 */
export function attachTip(node, tokens, linesAt) {
  const tip = document.createElement("div");
  tip.setAttribute("role", "tooltip");
  tip.className = "sv-tip";
  Object.assign(tip.style, {
    position: "fixed",
    display: "none",
    pointerEvents: "none",
    zIndex: "1000",
    maxWidth: "340px",
    padding: "7px 11px",
    borderRadius: "6px",
    font: "13px/1.45 'Source Sans', 'Source Sans 3', sans-serif",
  });
  node.append(tip);

  /** @param {PointerEvent} event */
  function follow(event) {
    const frame = node.getBoundingClientRect();
    // On a projector the plot is drawn larger: what the pointer says is in px of the screen, all else in the plot's.
    const zoom = frame.width / node.offsetWidth || 1;
    const [x, y, width, height] = [event.clientX, event.clientY, window.innerWidth, window.innerHeight].map((length) => length / zoom);
    const lines = linesAt(x - frame.left / zoom, y - frame.top / zoom);
    if (!lines) return hide();
    tip.replaceChildren(
      ...lines.map((line, index) => {
        const row = document.createElement("div");
        row.textContent = line;
        if (index === 0) row.style.fontWeight = "600";
        return row;
      }),
    );
    const { tip: background, tip_ink: ink } = tokens();
    Object.assign(tip.style, { display: "block", background, color: ink });
    const left = x + 14 + tip.offsetWidth > width ? x - 14 - tip.offsetWidth : x + 14;
    tip.style.left = `${Math.max(4, left)}px`;
    tip.style.top = `${Math.max(4, Math.min(y + 12, height - tip.offsetHeight - 4))}px`;
  }

  function hide() {
    tip.style.display = "none";
  }

  const listeners = /** @type {const} */ ([
    ["pointermove", follow],
    ["pointerdown", follow],
    ["pointerleave", hide],
    ["pointercancel", hide],
  ]);
  for (const [name, listener] of listeners) node.addEventListener(name, listener);
  return () => {
    for (const [name, listener] of listeners) node.removeEventListener(name, listener);
    tip.remove();
  };
}
