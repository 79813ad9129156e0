"""Parallel residual streams: a state of n of them has n equal groups of channels, one after the other."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .base import NetworkError, Shape, channels

Streams = Annotated[int, Field(ge=2, le=16, description="n: how many lie side by side, each an equal group of channels")]
Mixing = Annotated[
    Literal["free", "sinkhorn"],
    Field(
        description="of streams: any weights (Zhu et al. 2024), or a doubly stochastic matrix, with positive weights to read and "
        "to write (Xie et al. 2025)"
    ),
]


def width_of(streams: int, shape: Shape) -> int:
    """Return the channels of each of the streams of a state of `shape`; raises `NetworkError`."""
    if channels(shape) % streams:
        raise NetworkError(f"{streams} streams need a width that they divide, not {channels(shape)}")
    return channels(shape) // streams
