"""MobileNetV2 (Sandler et al. 2018): residuals between narrow states, whose branches are wide and map channels apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from ..base import NetworkError
from ..network import Head, Network
from ..operation import Convolution
from .trunk import Trunk, chosen, counted, head_of, refusing_in_words

Layout = Literal["imagenet", "small"]

STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
"""Expansion, channels, blocks and first stride of each stage (Sandler et al. 2018, table 2)."""
STEM, LAST = 32, 1280
"""Channels of the first convolution and of the last one."""


@refusing_in_words
def mobilenet(
    width: float = 1.0,
    expansion: int = 6,
    blocks: Sequence[int] | None = None,
    last: int | None = None,
    layout: Layout = "imagenet",
    norm: str = "batch",
    plain: bool = False,
    input: Sequence[int] | None = None,
    head: Head | int | None = None,
) -> Network:
    """Return a MobileNetV2, or with `plain` its twin without skips.

    A block is a 1×1 convolution to `expansion` times as many channels, a 3×3 one of each channel by itself, and a 1×1 one
    without activation; where stride and channels stay, a skip adds its input. `width` multiplies all channels, to multiples of
    8; the `last` convolution has 1,280 × max(1, width) unless it is given. `blocks` gives the blocks of the 7 stages: as
    published 1, 2, 3, 4, 3, 3, 1. ImageNet's: 3×224×224, 1,000 classes. `layout="small"` keeps the sides in the stem and the
    first two stages, for 3×32×32, 10 classes. Without the paper's dropout. Raises `NetworkError`.
    """
    chosen("the layout", layout, ("imagenet", "small"))
    counted("the expansion", expansion, 1, 32)
    if not 0.05 <= width <= 8:
        raise NetworkError(f"the width is between 0.05 and 8, not {width}")
    counts = tuple(blocks) if blocks is not None else tuple(count for _, _, count, _ in STAGES)
    if len(counts) != len(STAGES) or min(counts) < 1:
        raise NetworkError(f"a MobileNetV2 has {len(STAGES)} stages of at least one block")
    trunk, small, bias = Trunk(), layout == "small", norm == "none"
    act = {"norm": norm, "activation": "relu6", "init": "he"}
    inputs = divisible(STEM * width)
    trunk.layer(Convolution(width=inputs, stride=1 if small else 2, bias=bias), **act)
    for stage, ((factor, channels, _, first), count) in enumerate(zip(STAGES, counts, strict=True)):
        outputs, factor = divisible(channels * width), 1 if factor == 1 else expansion
        for block in range(count):
            source, inner = trunk.state, inputs * factor
            stride = 1 if block or (small and stage < 2) else first
            if factor > 1:
                trunk.layer(Convolution(width=inner, kernel=1, bias=bias), **act)
            trunk.layer(Convolution(width=inner, stride=stride, groups=inner, bias=bias), **act)
            trunk.layer(Convolution(width=outputs, kernel=1, bias=bias), norm=norm, init="he")
            if stride == 1 and inputs == outputs and not plain:
                trunk.skip(source)
            inputs = outputs
    trunk.layer(Convolution(width=last or divisible(LAST * max(1.0, width)), kernel=1, bias=bias), **act)
    classes, size = (10, (3, 32, 32)) if small else (1000, (3, 224, 224))
    return trunk.network(size if input is None else input, head_of(classes if head is None else head))


def divisible(channels: float) -> int:
    """Return the multiple of 8 next to `channels`, at least 8 and at least nine tenths of them."""
    near = max(8, int(channels + 4) // 8 * 8)
    return near + 8 if near < 0.9 * channels else near
