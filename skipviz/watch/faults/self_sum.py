"""A state that is added to itself: `out += out` where the shortcut was meant."""

from __future__ import annotations

from collections.abc import Iterator

from ..checked_pass import CheckedPass
from ..finding import Finding
from ..words import ADDS


def find(checked: CheckedPass) -> Iterator[Finding]:
    """Yield the sums whose states are one and the same."""
    for number, operation in enumerate(checked.trace.operations):
        if operation.name not in ADDS or len(operation.reads) < 2:
            continue
        sources = [(read.source, read.part) for read in operation.reads]
        if len(set(sources)) > 1:
            continue
        made = sources[0][0]
        changed = isinstance(made, int) and checked.trace.operations[made].in_place
        path, place = checked.path(operation), checked.place(number)
        why = f": {checked.place(made)} had changed in place what both are" if changed else ""
        yield Finding("self_sum", path, f"{place} takes one state {len(sources)} times, and no other{why}")
