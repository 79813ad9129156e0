"""A U-Net whose contracting path is a ResNet (the usual way to segment with a published encoder)."""

from __future__ import annotations

from collections.abc import Sequence

from ..base import NetworkError, spatial, written
from ..network import Head, Network
from ..operation import Convolution, Resize
from .resnet import resnet
from .trunk import Trunk, counted, pixels, refusing_in_words

SCALES = 5
"""Times that the encoder halves an image: by its stem, its pool and its last three stages."""


@refusing_in_words
def resnet_unet(
    depth: int = 34,
    width: int = 64,
    decoder: Sequence[int] = (256, 128, 64, 32, 16),
    resize: str = "nearest",
    norm: str = "batch",
    input: Sequence[int] = (3, 224, 224),
    classes: int = 1,
) -> Network:
    """Return a U-Net on the four stages of an ImageNet ResNet of that `depth`, of `width` channels in the first stage.

    Five times, weightless resizing doubles the image, the encoder's last state of that size is concatenated (Ronneberger et al.
    2015), and two 3×3 convolutions of `decoder` channels follow; the last size has no such state. A 3×3 convolution gives the
    `classes` of each pixel. Raises `NetworkError`.
    """
    if len(decoder) != SCALES:
        raise NetworkError(f"this decoder has {SCALES} widths, and {len(decoder)} are given")
    for one in decoder:
        counted("a decoder's width", one, 1, 4096)
    pixels(tuple(input))
    if any(side % 2**SCALES for side in tuple(input)[1:]):
        raise NetworkError(f"the sides of an image divide by {2**SCALES}, and {written(tuple(input)[1:])} do not")
    widths = tuple(width * 2**stage for stage in range(4))
    encoder = resnet(depth, layout="imagenet", widths=widths, norm=norm, input=input, head=classes)
    trunk = Trunk()
    trunk.layers, trunk.skips = list(encoder.layers), list(encoder.skips)
    ends = {spatial(shape): k for k, shape in enumerate(encoder.shapes.states) if k}
    side = encoder.shapes.states[-1][1:]
    for channels in decoder:
        side = tuple(2 * one for one in side)
        trunk.layer(Resize(mode=resize))
        if side in ends:
            trunk.skip(ends[side], merge="concat")
        for _ in range(2):
            trunk.layer(Convolution(width=channels, bias=norm == "none"), norm=norm, activation="relu", init="he")
    trunk.layer(Convolution(width=classes))
    return trunk.network(input, Head(kind="state", outputs=classes))
