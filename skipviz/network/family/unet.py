"""U-Net (Ronneberger et al. 2015), as published or padded, with long skips and, if wanted, short ones (Drozdzal et al. 2016)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ..network import Head, Network
from ..operation import Convolution, Pool, Upsampling
from ..skip import Adapter
from .trunk import Trunk, chosen, counted, head_of, pixels, refusing_in_words

PUBLISHED_INPUT = (1, 572, 572)
PADDED_INPUT = (1, 256, 256)
WIDEST = 4096
"""Channels that a layer has at most."""


@dataclass(frozen=True)
class _Plan:
    convolutions: int
    padded: bool
    norm: str
    activation: str
    short_every: int
    init: str
    dropout: float


@refusing_in_words
def unet(
    depth: int = 4,
    width: int = 64,
    convolutions: int = 2,
    up: Literal["transposed", "bilinear"] = "transposed",
    merge: Literal["concat", "add"] = "concat",
    padded: bool = False,
    short_every: int = 0,
    norm: str = "none",
    activation: str = "relu",
    init: str = "he",
    long: bool = True,
    dropout: float = 0.0,
    input: Sequence[int] | None = None,
    head: Head | int = 2,
) -> Network:
    """Return a U-Net of `depth` down-scalings; the default is the published one without its dropout, 1×572×572 in and
    2×388×388 out.

    Every scale has `convolutions` 3×3 convolutions, of `width` channels at the first scale and twice as many at each next.
    Without `padded` they are valid ones and long skips are cropped. `up` is a transposed 2×2 convolution, or bilinear resizing
    and a 3×3 one. Long skips concat or add (`merge`); `long=False` leaves them out. `short_every=k` lays an add over every k
    convolutions of a scale, projected where widths differ. `norm` stands after every 3×3 convolution and takes its bias's
    place. `dropout` acts at the end of the contracting path, as published: on the last convolution of its two deepest
    scales. `head` is a `Head` or a number of classes for each pixel. Raises `NetworkError`.
    """
    counted("a U-Net's depth", depth, 1, 8)
    counted("the number of convolutions a scale", convolutions, 1, 100)
    counted("the number of convolutions under a short skip", short_every, 0, convolutions)
    counted("the widest scale's number of channels", width * 2**depth, 1, WIDEST)
    chosen("the merge of long skips", merge, ("concat", "add"))
    chosen("up-sampling", up, ("transposed", "bilinear"))
    size = tuple(input) if input is not None else PADDED_INPUT if padded else PUBLISHED_INPUT
    pixels(size)
    plan, trunk, ends = _Plan(convolutions, padded, norm, activation, short_every, init, dropout), Trunk(), []
    for scale in range(depth):
        ends.append(_scale(trunk, plan, width * 2**scale, drops=scale == depth - 1))
        trunk.layer(Pool())
    _scale(trunk, plan, width * 2**depth, drops=True)
    for scale in reversed(range(depth)):
        narrow = width * 2**scale
        transposed = Upsampling(width=narrow, mode="transposed", kernel=2)
        trunk.layer(transposed if up == "transposed" else Upsampling(width=narrow, mode="bilinear"), init=init)
        if long:
            trunk.skip(ends[scale], merge=merge, adapter=Adapter(spatial="crop"))
        _scale(trunk, plan, narrow)
    return trunk.network(size, head_of(head, "pixels"))


def _scale(trunk: Trunk, plan: _Plan, width: int, drops: bool = False) -> int:
    """Add the convolutions of one scale, with dropout at its end if it `drops`; return the number of the state they end in."""
    source = trunk.state
    for place in range(1, plan.convolutions + 1):
        op = Convolution(width=width, padding=None if plan.padded else 0, bias=plan.norm == "none")
        dropout = plan.dropout if drops and place == plan.convolutions else 0.0
        trunk.layer(op, norm=plan.norm, activation=plan.activation, init=plan.init, dropout=dropout)
        if plan.short_every and place % plan.short_every == 0:
            trunk.skip(source, adapter=Adapter(spatial="crop", init=plan.init))
            source = trunk.state
    return trunk.state
