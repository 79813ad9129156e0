"""A skip through which no gradient comes back: what it carries was detached, or made without gradient."""

from __future__ import annotations

from collections.abc import Iterator

from ..checked_pass import CheckedPass
from ..finding import Finding
from ..words import ADDS, CONCATS


def find(checked: CheckedPass) -> Iterator[Finding]:
    """Yield the sums and concats of a state with one that was cut from the graph."""
    for number, operation in enumerate(checked.trace.operations):
        if operation.detached and operation.reads and operation.name in ADDS | CONCATS and number in checked.boxes.flow.alive:
            source = operation.detached[0]
            if _leads_to(checked, {read.source for read in operation.reads}, source):
                continue  # a straight-through estimator: z + (q − z), detached
            made = checked.place(source) if isinstance(source, int) else f"the input {source}"
            path, place = checked.path(operation), checked.place(number)
            yield Finding(
                "detached", path, f"{place} takes {made} without its gradient: it is detached, so nothing comes back by it"
            )


def _leads_to(checked: CheckedPass, sources: set[int | str], target: int | str) -> bool:
    """Return whether what is detached was made of what it is added to."""
    left, met = [target], set()
    while left:
        one = left.pop()
        if one in sources:
            return True
        if isinstance(one, int) and one not in met:
            met.add(one)
            left += [read.source for read in checked.trace.operations[one].reads]
    return False
