"""What the forms' readers look for in a network. A single part changed by hand leaves what most of the parts say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from math import sqrt
from typing import Any

from ...network.layer import Layer
from ...network.network import Network


def usual(values: Iterable, otherwise: Any) -> Any:
    """Return the most common of `values`, or `otherwise` where there are none."""
    found = Counter(values).most_common(1)
    return found[0][0] if found else otherwise


def of_kind(network: Network, kind: str) -> list[Layer]:
    """Return the layers with that operation."""
    return [layer for layer in network.layers if layer.op.kind == kind]


def scale_of(layers: Sequence[Layer], branches: int) -> str:
    """Return the name of the branch scale that most of the ends of `branches` branches among `layers` have."""
    scaled = [layer for layer in layers if layer.scale is not None]
    if 2 * len(scaled) < branches or not scaled:
        return "none"
    scale, learned = usual(((layer.scale, layer.scale_learned) for layer in scaled), (1.0, False))
    if learned and scale == 0:
        return "rezero"
    if abs(scale - 1 / sqrt(branches)) > ROUNDING:
        return "none"
    return "skipinit" if learned else "root"


ROUNDING = 1e-6
"""Of a branch scale, which families give to six places."""
