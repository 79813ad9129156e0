"""A sum of states of very unequal size: the smaller one is hardly heard."""

from __future__ import annotations

from collections.abc import Iterator

from ..checked_pass import CheckedPass
from ..finding import Finding

UNEQUAL = 50.0
"""Times by which the root mean squares of two states that are added may differ: at initialisation a branch of a usual net is
between a tenth and ten times of what it is added to. A branch that starts at exactly 0 is meant so (ReZero, zero γ)."""


def find(checked: CheckedPass) -> Iterator[Finding]:
    """Yield the sums of states whose sizes differ by more than `UNEQUAL`."""
    for number, merge in checked.merges("add"):
        sizes = [checked.rms(read.source) for read in merge.reads]
        if None in sizes or not all(sizes) or max(sizes) < UNEQUAL * min(sizes):
            continue
        small, large = sizes.index(min(sizes)), sizes.index(max(sizes))
        names = [checked.place(read.source) if isinstance(read.source, int) else read.source for read in merge.reads]
        times = max(sizes) / min(sizes)
        sentence = f"at {checked.place(number)} what comes from {names[large]} is {times:,.0f} times as large as {names[small]}'s"
        yield Finding("unequal_scale", checked.path(merge), sentence, fault=False)
