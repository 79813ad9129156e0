"""ResNet for tables (Gorishniy et al. 2021, section 3.2): residual blocks of two linear layers, a norm before the first."""

from __future__ import annotations

from collections.abc import Sequence

from ..network import Head, Network
from ..operation import Identity, Linear
from .trunk import Trunk, counted, head_of, refusing_in_words

MOST_BLOCKS = 100


@refusing_in_words
def tabular_resnet(
    depth: int = 2,
    width: int = 192,
    hidden: int = 384,
    dropout: float = 0.15,
    residual_dropout: float = 0.0,
    norm: str = "batch",
    init: str = "torch",
    plain: bool = False,
    input: Sequence[int] = (8,),
    head: Head | int = 1,
) -> Network:
    """Return a ResNet of `depth` blocks for tables, by default its authors' example; with `plain` its twin without skips.

    A linear layer brings the columns to `width`. A block is x + dropout(W₂ dropout(ReLU(W₁ norm(x)))) with `hidden` units between
    its two maps, of which a training step leaves out the share `dropout`, and `residual_dropout` of what the block adds. (The
    first is laid before the ReLU, which gives the same.) Norm and ReLU stand before the head. Raises `NetworkError`.
    """
    counted("the number of blocks", depth, 1, MOST_BLOCKS)
    trunk, first = Trunk(), {"order": "norm-act-op", "init": init}
    trunk.layer(Linear(width=width), init=init)
    for _ in range(depth):
        source = trunk.state
        trunk.layer(Linear(width=hidden), norm=norm, dropout=dropout, **first)
        trunk.layer(Linear(width=width), activation="relu", dropout=residual_dropout, **first)
        if not plain:
            trunk.skip(source)
    trunk.layer(Identity(), norm=norm, activation="relu")
    return trunk.network(input, head_of(head))
