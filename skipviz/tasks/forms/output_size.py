"""What the lab says of an output that is not as large as its image, and the next sizes that fit."""

from __future__ import annotations

from itertools import accumulate
from operator import mul

from ...network.base import NetworkError, is_image, written
from ...network.network import Network


def output_words(network: Network) -> str:
    """Return the output's size as a sentence, where it is not the input's, and the next sizes that do not leave pixels over."""
    image, output = network.input, network.shapes.output
    if not (is_image(image) and is_image(output)) or image[1:] == output[1:]:
        return ""
    said = f"The output has {written(output[1:])} pixels and the image {written(image[1:])}"
    reach = int(max(accumulate((layer.op.coarsens for layer in network.layers), mul)))
    sizes = [tuple(_next(network, side, step, reach) for side in image[1:]) for step in (-1, 1)]
    others = [written(size) for size in sizes if None not in size and size != image[1:]]
    return f"{said}; next sizes that fit: {' and '.join(others)}." if others else f"{said}."


def _next(network: Network, side: int, step: int, reach: int) -> int | None:
    """Return the nearest side from this one on, itself included, that leaves no pixel over, or None."""
    return next((one for one in range(side, side + step * reach, step) if _divides(network, one)), None)


def _divides(network: Network, side: int) -> bool:
    """Return whether the trunk makes an image of that side smaller without a pixel left over anywhere."""
    for layer, known in zip(network.layers, network.shapes.layers, strict=True):
        if not is_image(known.input):
            return False
        if layer.op.coarsens > 1 and side % layer.op.coarsens:
            return False
        try:
            side = layer.op.output_shape((known.input[0], side, side))[1]
        except NetworkError:
            return False
    return True
