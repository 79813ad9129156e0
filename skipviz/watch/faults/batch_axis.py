"""A concat along the batch: `torch.cat([a, b])` without `dim=1` joins samples, not channels."""

from __future__ import annotations

from collections.abc import Iterator

from ..evidence import Evidence
from ..finding import Finding
from ..words import CONCATS


def find(evidence: Evidence) -> Iterator[Finding]:
    """Yield the concats of several states along axis 0 of tensors whose axis 0 is the batch."""
    for number, operation in enumerate(evidence.trace.operations):
        tensor = evidence.values.get(number)
        if operation.name not in CONCATS or operation.detail != (0,) or len(operation.reads) < 2 or tensor is None:
            continue
        if evidence.trace.batch and tensor.shape[0] == evidence.trace.batch * len(operation.reads):
            path = evidence.path(operation)
            sentence = f"{evidence.place(number)} joins along axis 0, the batch: for channels it is dim=1"
            yield Finding("batch_axis", path, sentence)
