"""ConvNeXt (Liu et al. 2022): residual blocks of a large convolution of each channel by itself and two maps of each pixel."""

from __future__ import annotations

from collections.abc import Sequence

from ..base import NetworkError
from ..network import Head, Network
from ..operation import Convolution, Pool
from .trunk import Trunk, counted, head_of, pixels, refusing_in_words

BLOCKS, WIDTHS = (3, 3, 9, 3), (96, 192, 384, 768)
"""Of ConvNeXt-T, by stage."""
PATCH, KERNEL = 4, 7
EXPANSION = 4
"""Channels between a block's two maps over those that it reads."""
SCALE = 1e-6
"""Where LayerScale starts."""
LARGEST_POOL = 16


@refusing_in_words
def convnext(
    blocks: Sequence[int] = BLOCKS,
    widths: Sequence[int] = WIDTHS,
    patch: int = PATCH,
    kernel: int = KERNEL,
    layer_scale: float | None = SCALE,
    drop_path: float = 0.0,
    plain: bool = False,
    input: Sequence[int] = (3, 224, 224),
    head: Head | int = 1000,
) -> Network:
    """Return a ConvNeXt, by default ConvNeXt-T; with `plain` its twin without skips.

    Squares of `patch` × `patch` pixels become the first state. A block is a `kernel` × `kernel` convolution of each channel by
    itself, a layer norm of each pixel, a map to 4 times as many channels, GELU and a map back, times a learned factor for each
    channel that starts at `layer_scale` (None: no factor). A skip adds what the block read. Stages have `blocks` blocks of
    `widths` channels; between them a norm and a 2×2 convolution halve the sides. `drop_path` is that of the last block, from 0
    at the first one on in equal steps. First weights are torch's own, not the paper's. Raises `NetworkError`.
    """
    if not 1 <= len(blocks) == len(widths) <= 8 or min(blocks) < 1:
        raise NetworkError("a ConvNeXt has 1 to 8 stages of at least one block, and as many widths")
    counted("the patch", patch, 1, 8)
    if kernel % 2 == 0:
        raise NetworkError(f"the kernel is odd, so that the sides stay, not {kernel}")
    if not 0 <= drop_path <= 0.9:
        raise NetworkError(f"the drop-path is between 0 and 0.9, not {drop_path}")
    smallest = pixels(tuple(input)) // patch // 2 ** (len(widths) - 1)
    if smallest < 1 or input[1] != input[2]:
        raise NetworkError(f"{len(widths)} stages need a square image of at least {patch * 2 ** (len(widths) - 1)} pixels a side")
    if smallest > LARGEST_POOL:
        raise NetworkError(
            f"the last stage may have {LARGEST_POOL} pixels a side, not {smallest}: take more stages or a larger patch"
        )
    trunk, laid = Trunk(), 0
    scale = {} if layer_scale is None else {"scale": layer_scale, "scale_learned": True, "scale_per": "channel"}
    trunk.layer(Convolution(width=widths[0], kernel=patch, stride=patch, padding=0), norm="channel")
    for stage, (count, width) in enumerate(zip(blocks, widths, strict=True)):
        if stage:
            trunk.layer(Convolution(width=width, kernel=2, stride=2, padding=0), norm="channel", order="norm-act-op")
        for _ in range(count):
            source = trunk.state
            dropped = 0.0 if plain else round(drop_path * laid / max(1, sum(blocks) - 1), 6)
            trunk.layer(Convolution(width=width, kernel=kernel, groups=width), norm="channel")
            trunk.layer(Convolution(width=EXPANSION * width, kernel=1), activation="gelu")
            trunk.layer(Convolution(width=width, kernel=1), drop_path=dropped, **scale)
            if not plain:
                trunk.skip(source)
            laid += 1
    trunk.layer(Pool(reduce="mean", kernel=smallest, stride=smallest), norm="channel")
    return trunk.network(input, head_of(head))
