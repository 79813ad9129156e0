"""An activation after every sum: no way leads from end to end that is an identity (He et al. 2016, Identity Mappings)."""

from __future__ import annotations

from collections.abc import Iterator

from ..checked_pass import CheckedPass
from ..finding import Finding
from ..words import RECTIFIERS

FEWEST = 4
"""Sums below which it is of no account."""


def find(checked: CheckedPass) -> Iterator[Finding]:
    """Yield a remark where a ReLU acts on all that a sum gives, at every sum."""
    sums = [number for number, _ in checked.merges("add")]
    if len(sums) < FEWEST:
        return
    readers, operations = checked.boxes.flow.readers, checked.trace.operations
    read_by = {number: _names(readers.get(number, ()), operations) for number in sums}
    cut = [number for number in sums if read_by[number] and read_by[number] <= RECTIFIERS]
    if len(cut) == len(sums):
        sentence = (
            f"a {operations[readers[sums[0]][0]].name} acts behind every one of the {len(sums)} sums, so no skip leads from end to "
            "end unchanged: put norm and activation before the layers instead (pre-activation)"
        )
        yield Finding("activated_skips", "", sentence, fault=False)


def _names(numbers, operations) -> set[str]:
    return {operations[number].name for number in numbers}
