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
    const lines = linesAt(event.clientX - frame.left, event.clientY - frame.top);
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
    const left = event.clientX + 14 + tip.offsetWidth > window.innerWidth ? event.clientX - 14 - tip.offsetWidth : event.clientX + 14;
    tip.style.left = `${Math.max(4, left)}px`;
    tip.style.top = `${Math.max(4, Math.min(event.clientY + 12, window.innerHeight - tip.offsetHeight - 4))}px`;
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
