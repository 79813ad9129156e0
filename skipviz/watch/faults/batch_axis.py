"""A concat along the batch: `torch.cat([a, b])` without `dim=1` joins samples, not channels."""

from __future__ import annotations

from collections.abc import Iterator

from ..checked_pass import CheckedPass
from ..finding import Finding
from ..words import CONCATS


def find(checked: CheckedPass) -> Iterator[Finding]:
    """Yield the concats of several states along axis 0 of tensors whose axis 0 is the batch."""
    for number, operation in enumerate(checked.trace.operations):
        tensor = checked.values.get(number)
        if operation.name not in CONCATS or operation.detail != (0,) or len(operation.reads) < 2 or tensor is None:
            continue
        if checked.trace.batch and tensor.shape[0] == checked.trace.batch * len(operation.reads):
            path = checked.path(operation)
            sentence = f"{checked.place(number)} joins along axis 0, the batch: for channels it is dim=1"
            yield Finding("batch_axis", path, sentence)
