"""The middle of images: what valid convolutions leave of a mask."""

from __future__ import annotations

from torch import Tensor


def centre(images: Tensor, like: Tensor) -> Tensor:
    """Return the middle of images `(…, height, width)` that is as large as `like`, or all of them."""
    (height, width), (rows, columns) = images.shape[-2:], like.shape[-2:]
    top, left = (height - rows) // 2, (width - columns) // 2
    return images[..., top : top + rows, left : left + columns]
