"""Transformers that differ only in where their layer norms stand. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence

from ..network.family.trunk import Trunk
from ..network.network import Head, Network
from ..network.operation import Identity, Linear

POST, PRE, PERI, DEEP = "Post-LN", "Pre-LN", "Peri-LN", "DeepNorm"
HEADS = 4


def transformer(
    blocks: int, place: str, init: str = "he", input: Sequence[int] = (8, 32), head: Head | None = None
) -> tuple[Network, list[int]]:
    """Return a Transformer of `blocks` blocks on a sequence, and the numbers of the states between blocks, h_0 first.

    Post-LN has a norm behind each sum (Vaswani et al. 2017), Pre-LN one before each branch (Xiong et al. 2020), Peri-LN one before
    and one behind (Kim et al. 2025); `init` is how their maps start, but for those to queries and keys. DeepNorm is Post-LN with
    skips × α = (2N)^¼, and these maps Glorot × β = (8N)^−¼ (Wang et al. 2022). `head` is by default the last state.
    """
    width, trunk, ends = input[1], Trunk(), [0]
    strength, start = 1.0, {"init": init}
    if place == DEEP:
        strength, start = (2 * blocks) ** 0.25, {"init": "glorot", "init_factor": (8 * blocks) ** -0.25}
    for _ in range(blocks):
        for attends in (True, False):
            source = trunk.state
            if place in (PRE, PERI):
                trunk.layer(Identity(), norm="layer")
            read = trunk.state
            trunk.layer(Linear(width=width if attends else 4 * width), activation="none" if attends else "relu", **start)
            if attends:
                trunk.layer(Identity())
                trunk.skip(read, merge="mix", heads=HEADS)
            trunk.layer(Linear(width=width), norm="layer" if place == PERI else "none", **start)
            trunk.skip(source, strength=strength)
            if place in (POST, DEEP):
                trunk.layer(Identity(), norm="layer")
        ends.append(trunk.state)
    if place in (PRE, PERI):
        trunk.layer(Identity(), norm="layer")
    return trunk.network(input, head or Head(kind="state", outputs=width)), ends
