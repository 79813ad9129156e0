"""A state that is added to itself: `out += out` where the shortcut was meant."""

from __future__ import annotations

from collections.abc import Iterator

from ..evidence import Evidence
from ..finding import Finding
from ..words import ADDS


def find(evidence: Evidence) -> Iterator[Finding]:
    """Yield the sums whose states are one and the same."""
    for number, operation in enumerate(evidence.trace.operations):
        if operation.name not in ADDS or len(operation.reads) < 2:
            continue
        sources = [(read.source, read.part) for read in operation.reads]
        if len(set(sources)) > 1:
            continue
        made = sources[0][0]
        changed = isinstance(made, int) and evidence.trace.operations[made].in_place
        path, place = evidence.path(operation), evidence.place(number)
        why = f": {evidence.place(made)} had changed in place what both are" if changed else ""
        yield Finding("self_sum", path, f"{place} takes one state {len(sources)} times, and no other{why}")
