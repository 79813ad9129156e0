"""DenseNet and DenseNet-BC (Huang et al. 2017): every layer of a block reads all states before it in the block."""

from __future__ import annotations

from collections.abc import Sequence

from ..base import NetworkError
from ..network import Head, Network
from ..operation import Convolution, Identity, Pool
from .trunk import Trunk, counted, head_of, pixels, refusing_in_words

IMAGENET = {121: (6, 12, 24, 16), 169: (6, 12, 32, 32), 201: (6, 12, 48, 32), 264: (6, 12, 64, 48), 161: (6, 12, 36, 24)}
"""Layers a block, by depth (Huang et al. 2017, table 1); 161 is the one of growth 48."""
IMAGENET_PIXELS = 64
"""From this side on the stem is ImageNet's, a strided 7×7 convolution and a pool."""
BOTTLENECK = 4
"""Width of the 1×1 convolution over the growth."""
SMALL_STEM, SMALL_BLOCKS = 16, 3
"""Channels of the stem without bottlenecks, and blocks, of the networks for small images."""


@refusing_in_words
def densenet(
    depth: int | None = 121,
    growth: int | None = None,
    compression: float = 0.5,
    bottleneck: bool = True,
    blocks: Sequence[int] | None = None,
    input: Sequence[int] | None = None,
    head: Head | int | None = None,
) -> Network:
    """Return a DenseNet: norm, ReLU and convolution in every layer, all states of a block concatenated for the next.

    Depth 121, 169, 201, 264 (growth 32) and 161 (growth 48) are ImageNet's, 3×224×224 and 1,000 classes; any other is a
    network of three blocks for small images (DenseNet-BC of depth 6n+4, without `bottleneck` 3n+4; growth 12, 3×32×32, 10
    classes). `blocks` gives the layers of each block instead of a depth. Between blocks a 1×1 convolution leaves `compression`
    of the channels and a pool half the sides. Raises `NetworkError`.
    """
    if depth in IMAGENET and blocks is None:
        blocks, growth = IMAGENET[depth], growth or (48 if depth == 161 else 32)
        size, classes = (3, 224, 224), 1000
    else:
        blocks, growth = tuple(blocks or _small_blocks(depth, bottleneck)), growth or 12
        size, classes = (3, 32, 32), 10
    size = size if input is None else tuple(input)
    counted("the number of blocks", len(blocks), 1, 8)
    counted("a block's number of layers", min(blocks), 1, 100)
    counted("the growth", growth, 1, 256)
    if not 0 < compression <= 1:
        raise NetworkError(f"compression leaves more than 0 and at most 1 of the channels, not {compression:g}")
    trunk = Trunk()
    width = _stem(trunk, pixels(size) >= IMAGENET_PIXELS, growth, bottleneck)
    for place, layers in enumerate(blocks):
        _block(trunk, layers, growth, bottleneck)
        width += layers * growth
        if place < len(blocks) - 1:
            width = int(width * compression)
            trunk.layer(Convolution(width=width, kernel=1, bias=False), **BEFORE)
            trunk.layer(Pool(reduce="mean"))
    trunk.layer(Identity(), norm="batch", activation="relu")
    return trunk.network(size, head_of(classes if head is None else head))


BEFORE = {"norm": "batch", "activation": "relu", "order": "norm-act-op", "init": "he"}
"""What every convolution but the first has before it."""


def _small_blocks(depth: int | None, bottleneck: bool) -> tuple[int, ...]:
    layers = SMALL_BLOCKS * (2 if bottleneck else 1)
    if depth is None or depth < 4 + layers or (depth - 4) % layers:
        kind = "DenseNet-BC" if bottleneck else "DenseNet without bottlenecks"
        raise NetworkError(f"a {kind} for small images has {layers}n + 4 layers, not {depth}")
    return ((depth - 4) // layers,) * SMALL_BLOCKS


def _stem(trunk: Trunk, large: bool, growth: int, bottleneck: bool) -> int:
    """Add the first convolution; return its channels, twice the growth unless the network has no bottlenecks."""
    width = 2 * growth if bottleneck or large else SMALL_STEM
    if large:
        op = Convolution(width=width, kernel=7, stride=2, bias=False)
        trunk.layer(op, norm="batch", activation="relu", init="he")
        trunk.layer(Pool(kernel=3, stride=2, padding=1))
    else:
        trunk.layer(Convolution(width=width, bias=False), init="he")
    return width


def _block(trunk: Trunk, layers: int, growth: int, bottleneck: bool) -> None:
    """Add a dense block; its layers give `growth` channels each, and its end is read with all of them."""
    sources = [trunk.state]
    for _ in range(layers):
        if bottleneck:
            trunk.layer(Convolution(width=BOTTLENECK * growth, kernel=1, bias=False), **BEFORE)
        state = trunk.layer(Convolution(width=growth, bias=False), **BEFORE)
        for source in sources:
            trunk.skip(source, merge="concat")
        sources.append(state)
