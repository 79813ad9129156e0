"""Temporal convolutional network (Bai, Kolter & Koltun 2018): residual blocks of two dilated causal convolutions."""

from __future__ import annotations

from collections.abc import Sequence

from ..network import Head, Network
from ..operation import Embedding, Identity, SequenceConvolution
from .trunk import Trunk, counted, head_of, refusing_in_words

MOST_BLOCKS = 11
"""Dilations double from block to block, up to 1,024."""


@refusing_in_words
def tcn(
    depth: int = 4,
    width: int = 32,
    kernel: int = 3,
    causal: bool = True,
    activation: str = "relu",
    norm: str = "none",
    init: str = "he",
    dropout: float = 0.0,
    plain: bool = False,
    vocabulary: int | None = None,
    input: Sequence[int] | None = None,
    head: Head | int = 10,
) -> Network:
    """Return a TCN of `depth` blocks; with `plain` its twin without skips.

    Block i is σ(x + dropout(σ(c(dropout(σ(c(x))))))), each c a convolution of `kernel` positions that lie 2^i apart, `causal` or
    looking both ways. (Of the paper, weight normalisation is left out.) Where features differ, the skip maps them by 1×1. With
    `vocabulary` the input is `(length,)` tokens, embedded to `width`; else `(length, features)`. Raises `NetworkError`.
    """
    counted("a TCN's depth", depth, 1, MOST_BLOCKS)
    trunk, size = Trunk(), tuple(input) if input is not None else (32,) if vocabulary else (32, 8)
    if vocabulary:
        trunk.layer(Embedding(vocabulary=vocabulary, width=width), init="normal")
    for block in range(depth):
        source = trunk.state
        for _ in range(2):
            op = SequenceConvolution(width=width, kernel=kernel, dilation=2**block, causal=causal)
            trunk.layer(op, activation=activation, norm=norm, init=init, dropout=dropout)
        if not plain:
            trunk.skip(source)
        trunk.layer(Identity(), activation=activation)
    return trunk.network(size, head_of(head, "positions"))
