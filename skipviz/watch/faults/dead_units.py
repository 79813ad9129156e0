"""Units that give exactly 0 for every sample of the batch: a ReLU that never opens."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from ..checked_pass import CheckedPass
from ..finding import Finding
from ..words import RECTIFIERS

SHARE = 0.5
"""Of a layer's units, beyond which it is said; a sixth to a third is usual for few samples."""


def find(checked: CheckedPass) -> Iterator[Finding]:
    """Yield the activations of which most units, features or channels, are 0 for all samples and places."""
    for number in sorted(checked.boxes.flow.alive):
        operation, tensor = checked.trace.operations[number], checked.values.get(number)
        if operation.name not in RECTIFIERS or tensor is None or tensor.dim() < 2 or tensor.shape[0] < 2:
            continue
        dead = share_of_dead(tensor)
        if dead > SHARE:
            path = checked.path(operation)
            yield Finding("dead_units", path, f"{dead:.0%} of the units behind {path or operation.name} are 0 for every sample")


def share_of_dead(tensor: Tensor) -> float:
    """Return the share of units that are 0 throughout: of channels of an image `(batch, channels, …)`, else of features."""
    axis = 1 if tensor.dim() in (2, 4, 5) else tensor.dim() - 1
    others = [place for place in range(tensor.dim()) if place != axis]
    return (tensor.detach().abs().amax(others) == 0).float().mean().item()
