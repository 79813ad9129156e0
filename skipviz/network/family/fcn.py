"""Fully convolutional networks (Long, Shelhamer & Darrell 2015): class scores of several strides, summed and scaled up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from ..base import NetworkError, written
from ..network import MAX_LAYERS, Head, Network
from ..operation import Convolution, Crop, Pool, Upsampling
from ..skip import Adapter
from .trunk import Trunk, chosen, counted, pixels, refusing_in_words

Stages = Sequence[tuple[int, int]]

VGG16: Stages = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
"""Channels and number of 3×3 convolutions of each stage (Simonyan & Zisserman 2015)."""
BORDER = 100
"""Pixels that the published network pads its input with, so that no score lacks context."""
CLASSIFIER_KERNEL = 7
"""Pixels a side of the convolution that VGG's first fully connected layer becomes."""
FUSED = {"32s": 0, "16s": 1, "8s": 2}
"""How many shallower stages' scores are added."""
OFFSETS = {"32s": 19, "16s": 27, "8s": 31}
"""Pixels cut off above and on the left of the published networks' last up-scaling, of five stages."""
SCORE_OFFSETS = (5, 9)
"""Likewise of the scores that join: of the last stage but one, and of the one before."""


@refusing_in_words
def fcn(
    variant: Literal["32s", "16s", "8s"] = "32s",
    stages: Stages = VGG16,
    classifier: int = 4096,
    padded: bool = False,
    input: Sequence[int] | None = None,
    head: int = 21,
) -> Network:
    """Return a fully convolutional network with `head` classes for each pixel; the default backbone is VGG-16.

    `stages` are (channels, 3×3 convolutions), each followed by a pool that halves the sides; then come two convolutions of
    `classifier` channels and the scores. 32s scales those up at once; 16s scales them by 2, adds the scores of the last stage
    but one and scales the sum up; 8s adds one more. With n stages the strides are 2ⁿ, 2ⁿ⁻¹ and 2ⁿ⁻²; the names are those
    of five. Scores start at zero, up-scalings are transposed convolutions that start bilinear.

    As published (3×500×500), 100 pixels are padded around the image, pools reach over the edge, skips and the result are
    cropped. With `padded` every convolution keeps the size (3×256×256). Without dropout. Raises `NetworkError`.
    """
    chosen("the variant", variant, tuple(FUSED))
    stages, fused = tuple(tuple(stage) for stage in stages), FUSED[variant]
    counted("the number of stages", len(stages), 1 + fused, 5)
    counted("the number of convolutions", sum(count for _, count in stages), len(stages), MAX_LAYERS)
    counted("the number of classes", head, 1, 2000)
    size = tuple(input) if input is not None else (3, 256, 256) if padded else (3, 500, 500)
    pixels(size)
    if padded and any(side % 2 ** len(stages) for side in size[1:]):
        raise NetworkError(
            f"the sides of a padded network's input are multiples of {2 ** len(stages)} pixels, not {written(size[1:])}"
        )
    trunk = Trunk()
    pools = _backbone(trunk, stages, padded)
    kernel = CLASSIFIER_KERNEL
    trunk.layer(Convolution(width=classifier, kernel=kernel, padding=None if padded else 0), activation="relu", init="he")
    trunk.layer(Convolution(width=classifier, kernel=1), activation="relu", init="he")
    trunk.layer(Convolution(width=head, kernel=1), init="zero")
    published = not padded and len(stages) == len(VGG16)
    for source, offset in zip(pools[-2::-1][:fused], SCORE_OFFSETS, strict=False):
        _up(trunk, 2, head, padded)
        adapter = Adapter(spatial="crop", channels="project", init="zero", offset=offset if published else None)
        trunk.skip(source, adapter=adapter)
    _up(trunk, 2 ** (len(stages) - fused), head, padded)
    scored = trunk.network(size, Head(kind="state", outputs=head))
    return _cropped(trunk, scored, size, OFFSETS[variant] if published else None)


def _backbone(trunk: Trunk, stages: Stages, padded: bool) -> list[int]:
    """Add the stages; return the states after their pools."""
    pools = []
    for width, count in stages:
        if count < 1:
            raise NetworkError("every stage has at least one convolution")
        for _ in range(count):
            border = BORDER if not padded and not trunk.state else None
            trunk.layer(Convolution(width=width, padding=border), activation="relu", init="he")
        pools.append(trunk.layer(Pool(ceil=not padded)))
    return pools


def _up(trunk: Trunk, factor: int, classes: int, padded: bool) -> None:
    padding = None if padded else 0
    op = Upsampling(width=classes, factor=factor, mode="transposed", kernel=2 * factor, padding=padding, bias=False)
    trunk.layer(op, init="bilinear")


def _cropped(trunk: Trunk, scored: Network, size: tuple[int, ...], offset: int | None) -> Network:
    """Return the network with its result cut to the image's size, or as it is if it has that size."""
    if scored.shapes.output[1:] == size[1:]:
        return scored
    trunk.layer(Crop(size=size[1:], offset=offset))
    return trunk.network(size, scored.head)
