"""What a lesson's link leaves out: groups of controls, by the names that stand in `hide=`. Imports nothing of ours."""

from __future__ import annotations

GROUPS = {
    "setup": "Set-up: network, task, training",
    "speed": "Speed and learning rate",
    "edit": "Editing: layers, skips, their settings",
    "columns": "Share at fork and update",
    "heatmap": "Gradient over time",
    "loss": "Loss and metric",
    "picture": "What the network does",
    "table": "Table of numbers",
    "share": "Share and export",
    "pages": "The other pages",
}
"""Group → what a person reads. What trains, switches and looks back is never hidden: it is what a lesson shows."""

MAX_CHARACTERS = 200
"""Of what stands in `hide=`; every name there is has fewer together."""


def hidden_groups(text) -> tuple[str, ...]:
    """Return the groups that `text` (names with commas between) or a list names, in their own order; others are left out."""
    if isinstance(text, str):
        text = text[:MAX_CHARACTERS].split(",")
    if not isinstance(text, list | tuple):
        return ()
    named = {name.strip().lower() for name in text[: 2 * len(GROUPS)] if isinstance(name, str)}
    return tuple(group for group in GROUPS if group in named)
