"""What forms read off a network, whatever it is. A single part changed by hand leaves what most of the parts say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
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


def first_width(network: Network) -> int:
    """Return the features or channels that the first layer gives that has a width."""
    return next((layer.op.width for layer in network.layers if hasattr(layer.op, "width")), 1)


def first_stride(network: Network) -> int:
    """Return the stride of the first convolution."""
    return next((layer.op.stride for layer in of_kind(network, "conv")), 1)
