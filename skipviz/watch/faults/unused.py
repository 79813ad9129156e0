"""What is computed and never used: a shortcut that is not added, a sum that is not kept."""

from __future__ import annotations

from collections.abc import Iterator

from ..boxes import Boxes
from ..checked_pass import CheckedPass
from ..finding import Finding
from ..flow import is_weighted, sources_of
from ..merges import JOINS
from ..trace import ROOT


def find(checked: CheckedPass) -> Iterator[Finding]:
    """Yield the modules, and the sums of a module's own forward, that no output depends on."""
    for path in unused_modules(checked.boxes):
        yield Finding("unused", path, f"{path} is computed and never used: nothing that is returned depends on it")
    for number in _sums_not_kept(checked):
        operation = checked.trace.operations[number]
        path = checked.path(operation)
        where = f" of {path}" if path else ""
        yield Finding("unused", path, f"the {JOINS[operation.name]}{where} is computed and not kept: its result goes nowhere")


def unused_modules(boxes: Boxes) -> list[str]:
    """Return the paths of the outermost modules with parameters of whose operations nothing that is returned depends on any."""
    trace, inside = boxes.trace, _dead_by_call(boxes)
    return [
        trace.calls[call].path
        for call, numbers in sorted(inside.items())
        if trace.calls[call].parent not in inside and any(is_weighted(trace.operations[number]) for number in numbers)
    ]


def _sums_not_kept(checked: CheckedPass) -> Iterator[int]:
    trace, alive, whole = checked.trace, checked.boxes.flow.alive, _dead_by_call(checked.boxes)
    dead = [number for number in range(len(trace.operations)) if number not in alive]
    read = {source for number in dead for source in sources_of(trace.operations[number])}
    read |= {source for operation in trace.operations for source in operation.detached}  # by its values alone
    for number in dead:
        operation = trace.operations[number]
        if operation.call not in whole and len(operation.reads) > 1 and operation.name in JOINS and number not in read:
            yield number


def _dead_by_call(boxes: Boxes) -> dict[int, list[int]]:
    """Return, by module call of which nothing is used, its operations, those of modules inside it included."""
    trace, inside, used = boxes.trace, {}, set()
    for number, operation in enumerate(trace.operations):
        call = operation.call
        while call != ROOT:
            inside.setdefault(call, []).append(number)
            if number in boxes.flow.alive:
                used.add(call)
            call = trace.calls[call].parent
    return {call: numbers for call, numbers in inside.items() if call not in used}
