"""Why a forward pass ended early, in a sentence: where, with which shapes, and what would make them agree. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..network.network import Network
from .words import ADDS, MATRIX_PRODUCTS, PRODUCTS

Size = tuple[int, ...]
"""A tensor's whole shape, the batch included."""
LONGEST = 200
"""Characters of torch's own words that are kept."""
JOINED = ADDS | PRODUCTS | {"div", "truediv"}
SLID = {"conv1d": 3, "conv2d": 4, "conv3d": 5}
"""Axes of a convolution's input, the batch included."""


@dataclass(frozen=True)
class Failure:
    """Where a forward pass ended early. `str` gives the sentence."""

    sentence: str
    path: str
    """Of the module that failed; '' is the watched one itself."""
    network: Network | None
    """The part that ran, with the place that failed; None where nothing had run."""
    node: str | None = None
    """The id of that place's node."""

    def __str__(self) -> str:
        return self.sentence


def sentence_of(path: str, kind: str, function: str, sizes: Sequence[Size], message: str) -> str:
    """Return what is said of a module's `function` that failed on tensors of these `sizes`, parameters included."""
    where = f"{path} ({kind})" if path else kind
    given = " and ".join(map(shown, sizes[:4]))
    told = f"{where} failed in {function}" + (f", given {given}" if given else "")
    return f"{told}: {remedy(function, sizes) or message.strip().partition(chr(10))[0][:LONGEST]}"


def remedy(function: str, sizes: Sequence[Size]) -> str:
    """Return what would make shapes agree; '' where nothing is known."""
    if function == "linear" and len(sizes) > 1 and len(sizes[1]) == 2 and sizes[0] and sizes[0][-1] != sizes[1][1]:
        came, (gives, takes) = sizes[0][-1], sizes[1]
        return f"its weight takes {takes} features and {came} came: Linear({came}, {gives}) would take them"
    if function in SLID and len(sizes) > 1 and len(sizes[0]) == SLID[function] and len(sizes[1]) > 1:
        came, takes = sizes[0][1], sizes[1][1]
        return f"its weight takes {takes} channels and {came} came: in_channels={came} would take them" if came != takes else ""
    if function in MATRIX_PRODUCTS and len(sizes) == 2 and len(sizes[0]) > 1 and len(sizes[1]) > 1 and sizes[0][-1] != sizes[1][-2]:
        flipped = sizes[0][-1] == sizes[1][-1]
        mended = "transposing the second's last two axes would do" if flipped else "these two must be equal"
        return f"the first's last axis has {sizes[0][-1]} and the second's last but one {sizes[1][-2]}: {mended}"
    if function in JOINED and len(sizes) == 2:
        return _joined(sizes[0], sizes[1])
    if function in ("cat", "concat", "concatenate") and len({len(size) for size in sizes}) == 1:
        unlike = [axis for axis in range(len(sizes[0])) if len({size[axis] for size in sizes}) > 1]
        return f"all axes but the one that is joined must be equal, and axes {_listed(unlike)} differ" if len(unlike) > 1 else ""
    return ""


def _joined(one: Size, other: Size) -> str:
    """Return what would let two states be added or multiplied."""
    if len(one) != len(other) and 1 not in (len(one), len(other)):
        return f"one has {len(one)} axes and the other {len(other)}: reshape one of them"
    unlike = [axis for axis in range(min(len(one), len(other))) if 1 not in (one[axis], other[axis]) and one[axis] != other[axis]]
    if not unlike or len(one) != len(other):
        return ""
    channel = 1 if len(one) == 4 else len(one) - 1
    mended = []
    if channel in unlike:
        kind = "a 1×1 convolution" if len(one) == 4 else "a linear layer"
        mended.append(f"{kind} from {other[channel]} to {one[channel]} channels")
    if any(axis > 1 for axis in unlike if axis != channel):
        mended.append(
            f"a stride, pool, pad or resize to {'×'.join(map(str, one[2:]))}" if len(one) == 4 else "sequences of one length"
        )
    if 0 in unlike:
        mended.append("batches of one size")
    return f"axes {_listed(unlike)} differ: on the skip, {' and '.join(mended)} would make them agree" if mended else ""


def _listed(axes: Sequence[int]) -> str:
    return " and ".join(map(str, axes))


def shown(size: Size) -> str:
    """Return a shape as a person reads it."""
    return "×".join(map(str, size)) or "a number"
