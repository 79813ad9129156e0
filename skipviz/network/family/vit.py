"""Vision Transformer (Dosovitskiy et al. 2021): a Pre-LN Transformer of an image's patches."""

from __future__ import annotations

from collections.abc import Sequence

from ..network import Head, Network
from .transformer import transformer
from .trunk import counted, refusing_in_words


@refusing_in_words
def vit(
    depth: int = 12,
    width: int = 768,
    heads: int = 12,
    patch: int = 16,
    feed_forward: int | None = None,
    class_token: bool = True,
    activation: str = "gelu",
    dropout: float = 0.0,
    plain: bool = False,
    input: Sequence[int] = (3, 224, 224),
    head: Head | int = 1000,
) -> Network:
    """Return a Vision Transformer, by default ViT-B/16; with `plain` its twin without residual skips.

    Squares of `patch` × `patch` pixels are mapped to `width` features; their positions are learned. `feed_forward` is the width
    inside a block's second branch (None: 4 × `width`). The head reads the `class_token`, or without it the mean of all patches.
    `dropout` acts on what each branch adds and on the sum with the positions. Raises `NetworkError`.
    """
    counted("the side of a patch", patch, 1, 4096)
    return transformer(
        depth=depth, width=width, heads=heads, feed_forward=feed_forward, norm="pre", positions="learned", activation=activation,
        residual=not plain, dropout=dropout, patch=patch, class_token=class_token, input=input, head=head,
    )  # fmt: skip
