"""Values that float16 cannot hold, or that are not finite as they are."""

from __future__ import annotations

from collections.abc import Iterator

from ..checked_pass import CheckedPass
from ..finding import Finding

LARGEST = 65504.0
"""The largest number of float16 (IEEE 754 binary16)."""


def find(checked: CheckedPass) -> Iterator[Finding]:
    """Yield the first operation that gives a number which is not finite, and the first beyond float16."""
    over = False
    for number in sorted(checked.boxes.flow.alive):
        tensor = checked.values.get(number)
        if tensor is None or not tensor.numel() or not tensor.is_floating_point():
            continue
        largest = tensor.detach().abs().max().item()
        path, place = checked.path(checked.trace.operations[number]), checked.place(number)
        if not largest < float("inf"):
            yield Finding("overflow", path, f"{place} gives the first number that is not finite")
            return
        if largest > LARGEST and not over:
            over = True
            yield Finding("overflow", path, f"{place} gives {largest:,.0f}, which float16 cannot hold (65,504)", fault=False)
