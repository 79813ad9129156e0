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
            if _leads_to(evidence, {read.source for read in operation.reads}, source):
                continue  # a straight-through estimator: z + (q − z), detached
            made = evidence.place(source) if isinstance(source, int) else f"the input {source}"
            path, place = evidence.path(operation), evidence.place(number)
            yield Finding(
                "detached", path, f"{place} takes {made} without its gradient: it is detached, so nothing comes back by it"
            )


def _leads_to(evidence: Evidence, sources: set[int | str], target: int | str) -> bool:
    """Return whether what is detached was made of what it is added to."""
    left, met = [target], set()
    while left:
        one = left.pop()
        if one in sources:
            return True
        if isinstance(one, int) and one not in met:
            met.add(one)
            left += [read.source for read in evidence.trace.operations[one].reads]
    return False
