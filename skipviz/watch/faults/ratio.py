"""A gradient that vanishes or explodes on its way back: the first layer's against the last's."""

from __future__ import annotations

from collections.abc import Iterator

from ...learning.norms import norms
from ..checked_pass import CheckedPass
from ..finding import Finding

VANISHED, EXPLODED = 1e-4, 1e4
"""Ratios of the first state's gradient to the last's outside of which training stalls or bursts: an optimizer with momentum per
weight evens two or three decades out."""
FEWEST = 4


def find(checked: CheckedPass) -> Iterator[Finding]:
    """Yield the first layer where what comes back to it is out of proportion to what the last layer gets."""
    layout = checked.layout
    found = []
    for name, before in zip(layout.states[1:-1], layout.states[2:], strict=True):
        place = (layout.state_of(name), 0)
        if place in checked.record.states and before:
            found.append((name, norms([], [checked.record.states[place]])[0]))
    if len(found) < FEWEST or not found[-1][1]:
        return
    (first, size), last = found[0], found[-1][1]
    ratio = size / last
    if ratio < VANISHED or ratio > EXPLODED:
        path = layout.paths.get(first, first)
        way = "vanishes" if ratio < VANISHED else "explodes"
        yield Finding("ratio", path, f"the gradient {way}: {path} receives {_power(ratio)} of what the last layer gets")


def _power(ratio: float) -> str:
    return "exactly 0" if not ratio else f"{ratio:.0e}"
