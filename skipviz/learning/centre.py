"""The middle of images and volumes: what valid convolutions leave of a mask."""

from __future__ import annotations

from torch import Tensor


def centre(images: Tensor, like: Tensor) -> Tensor:
    """Return the middle of images that is as large as `like`, `(batch, channels, …)`, or all of them."""
    wanted = like.shape[2:]
    firsts = [(side - kept) // 2 for side, kept in zip(images.shape[-len(wanted) :], wanted, strict=True)]
    return images[(..., *(slice(first, first + kept) for first, kept in zip(firsts, wanted, strict=True)))]
