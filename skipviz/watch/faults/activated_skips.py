"""An activation after every sum: no way leads from end to end that is an identity (He et al. 2016, Identity Mappings)."""

from __future__ import annotations

from collections.abc import Iterator

from ..evidence import Evidence
from ..finding import Finding

FEWEST = 4
"""Sums below which it is of no account."""
CUTTING = frozenset({"relu", "relu6", "threshold", "hardtanh", "clamp"})
"""Activations that set a half of all values to 0."""


def find(evidence: Evidence) -> Iterator[Finding]:
    """Yield a remark where a ReLU acts on all that a sum gives, at every sum."""
    sums = [number for number, _ in evidence.merges("add")]
    if len(sums) < FEWEST:
        return
    readers, operations = evidence.boxes.flow.readers, evidence.trace.operations
    cut = [
        number for number in sums if _names(readers.get(number, ()), operations) and _names(readers[number], operations) <= CUTTING
    ]
    if len(cut) == len(sums):
        sentence = (
            f"a {operations[readers[sums[0]][0]].name} acts behind every one of the {len(sums)} sums, so no skip leads from end to "
            "end unchanged: put norm and activation before the layers instead (pre-activation)"
        )
        yield Finding("activated_skips", "", sentence, fault=False)


def _names(numbers, operations) -> set[str]:
    return {operations[number].name for number in numbers}
