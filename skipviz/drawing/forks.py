"""The forks of a diagram: states from which skips leave, where their gradients are compared."""

from __future__ import annotations

from .geometry import Geometry


def forks(g: Geometry) -> list[dict]:
    """Return each fork's states, its height in px, the skips that leave there and the layers that the trunk feeds."""
    found = []
    for gap, states in enumerate(g.plan.gaps):
        links = [g.plan.links[index] for index in g.plan.leaving.get(gap, ())]
        if not links:
            continue
        taps = g.gap_taps(gap)
        y = sum(taps) / len(taps) if taps else sum(g.gaps[gap]) / 2
        skips = [index for link in links for index in link.skips]
        found.append({"state": list(states), "y": round(y, 3), "skips": skips, "trunk": list(g.plan.feeds(gap))})
    return found
