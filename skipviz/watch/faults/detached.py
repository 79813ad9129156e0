"""A skip through which no gradient comes back: what it carries was detached, or made without gradient."""

from __future__ import annotations

from collections.abc import Iterator

from ..evidence import Evidence
from ..finding import Finding
from ..words import ADDS, CONCATS


def find(evidence: Evidence) -> Iterator[Finding]:
    """Yield the sums and concats of a state with one that was cut from the graph."""
    for number, operation in enumerate(evidence.trace.operations):
        if operation.detached and operation.reads and operation.name in ADDS | CONCATS and number in evidence.boxes.flow.alive:
            source = operation.detached[0]
            made = evidence.place(source) if isinstance(source, int) else f"the input {source}"
            path, place = evidence.path(operation), evidence.place(number)
            yield Finding(
                "detached", path, f"{place} takes {made} without its gradient: it is detached, so nothing comes back by it"
            )
