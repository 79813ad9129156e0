"""WaveNet (van den Oord et al. 2016): gated dilated convolutions, residual, each of which also leads to the end."""

from __future__ import annotations

from collections.abc import Sequence

from ..network import Head, Network
from ..node import Node
from ..operation import Embedding, Identity, Linear, SequenceConvolution
from .trunk import Trunk, counted, head_of, refusing_in_words

MOST_CYCLES, MOST_LAYERS = 10, 11
"""Dilations double within a cycle, up to 1,024."""


@refusing_in_words
def wavenet(
    cycles: int = 1,
    depth: int = 4,
    width: int = 32,
    end_width: int = 32,
    kernel: int = 2,
    causal: bool = True,
    residual: bool = True,
    ends: bool = True,
    vocabulary: int | None = None,
    input: Sequence[int] | None = None,
    head: Head | int = 10,
) -> Network:
    """Return a WaveNet of `cycles` × `depth` gated convolutions, after a first convolution of its own.

    One makes z = tanh(f(x)) ⊙ σ(g(x)) of x, f and g convolutions of `kernel` positions that lie 2^i apart, i = 0 … `depth` − 1
    in each cycle; x + W z goes on (`residual`), and every z, mapped to `end_width` features by 1×1, is added at the end (`ends`),
    where ReLU, a 1×1 map, ReLU and the head's 1×1 follow. The last one's z goes to the end only, as published. With `vocabulary`
    the input is `(length,)` tokens, embedded to `width`; else `(length, features)`. Raises `NetworkError`.
    """
    counted("a WaveNet's number of cycles", cycles, 1, MOST_CYCLES)
    counted("a cycle's number of convolutions", depth, 1, MOST_LAYERS)
    trunk, size = Trunk(), tuple(input) if input is not None else (32,) if vocabulary else (32, 8)
    if vocabulary:
        trunk.layer(Embedding(vocabulary=vocabulary, width=width), init="normal")
    trunk.layer(SequenceConvolution(width=width, kernel=kernel, causal=causal))
    gated = []
    for number in range(1, cycles * depth + 1):
        op = SequenceConvolution(width=width, kernel=kernel, dilation=2 ** ((number - 1) % depth), causal=causal)
        source, opened = trunk.state, trunk.branch("gate", Node(op=op, activation="sigmoid"))
        trunk.layer(op, activation="tanh")
        trunk.skip(source, merge="multiply", via=opened)
        gated.append(trunk.state)
        if number < cycles * depth:
            trunk.layer(Linear(width=width))
            if residual:
                trunk.skip(source)
    trunk.layer(Linear(width=end_width))
    for state in gated[:-1] if ends else ():
        trunk.skip(state, adapter={"channels": "project"})
    trunk.layer(Identity(), activation="relu")
    trunk.layer(Linear(width=end_width), activation="relu")
    return trunk.network(size, head_of(head, "positions"))
