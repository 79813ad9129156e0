"""Skip patterns over a stack of layers: residual, nested as in a U-Net, dense."""

from __future__ import annotations

from typing import Literal

from .base import NetworkError, Shape
from .network import MAX_SKIPS
from .skip import Skip

Pattern = Literal["none", "residual", "nested", "dense"]

NESTED_LIMIT = 6
"""Nested skips are at most this many, so that each keeps a lane of its own in the diagram."""


def residual(states: tuple[Shape, ...], every: int, merge: str = "add") -> tuple[Skip, ...]:
    """Return one skip over every `every` layers, from the first state that has its target's shape."""
    if every < 1:
        raise NetworkError("a residual skip passes at least one layer")
    last = len(states) - 1
    start = next((i for i in range(last - every + 1) if states[i] == states[i + every]), None)
    if start is None:
        return ()
    sources = range(start, last - every + 1, every)
    skips = (Skip(id=f"s{i}-{i + every}", source=i, target=i + every, merge=merge) for i in sources)
    return tuple(skip for skip in skips if skip.joins or states[skip.source] == states[skip.target])


def nested(states: tuple[Shape, ...], every: int = 1, merge: str = "concat") -> tuple[Skip, ...]:
    """Return pairwise nested skips (i → n − i), as U-Net joins equal scales (Ronneberger et al. 2015)."""
    last = len(states) - 1
    step = max(1, every, -(-(last // 2) // NESTED_LIMIT))
    sources = range(step, (last + 1) // 2, step)
    return tuple(Skip(id=f"s{i}-{last - i}", source=i, target=last - i, merge=merge) for i in sources if last - i > i + 1)


def dense(states: tuple[Shape, ...], block: int, merge: str = "concat") -> tuple[Skip, ...]:
    """Return every pair of states in blocks of `block` layers, as DenseNet joins them (Huang et al. 2017)."""
    last, block = len(states) - 1, max(2, block)
    if min(block, last) ** 2 // 2 > MAX_SKIPS:
        raise NetworkError(f"dense blocks of {block} layers would need more than {MAX_SKIPS:,} skips")
    skips = []
    for start in range(1, last, block):
        end = min(start + block, last)
        skips += [Skip(id=f"s{i}-{j}", source=i, target=j, merge=merge) for j in range(start + 1, end) for i in range(start, j)]
    return tuple(skips)


def skips_of(pattern: Pattern, states: tuple[Shape, ...], every: int, merge: str | None = None) -> tuple[Skip, ...]:
    """Return the skips of a named pattern; `every` is its spacing, or a dense block's length."""
    if pattern == "none":
        return ()
    if pattern == "residual":
        return residual(states, every, merge or "add")
    return (nested if pattern == "nested" else dense)(states, every, merge or "concat")
