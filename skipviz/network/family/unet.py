"""U-Net (Ronneberger et al. 2015), of images or volumes, with long skips and, if wanted, short ones (Drozdzal et al. 2016)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ..base import NetworkError, written
from ..network import Head, Network
from ..node import Join, Node
from ..operation import Convolution, Identity, Pool, Upsampling
from ..rim import EXTRA
from ..skip import Adapter
from .trunk import Trunk, chosen, counted, head_of, pixels, refusing_in_words

PUBLISHED_INPUT = (1, 572, 572)
PADDED_INPUT = (1, 256, 256)
PUBLISHED_VOLUME = (3, 116, 132, 132)
"""Of the 3-D U-Net: 132 × 132 × 116 voxels, the depth first."""
WIDEST = 4096
"""Channels that a layer has at most."""


@dataclass(frozen=True)
class _Plan:
    convolutions: int
    padded: bool
    norm: str
    activation: str
    short_every: int
    short_kernel: int
    init: str
    dropout: float
    up: str
    sides: tuple[int, ...]
    """Those of the image, to whose scales what is up-scaled is padded; nothing: long skips are cropped."""
    early: bool
    """Channels are doubled before the pool."""

    def widest(self, width: int) -> int:
        """Return how many channels a scale gives that begins with so many."""
        return 2 * width if self.early else width


@refusing_in_words
def unet(
    depth: int = 4,
    width: int = 64,
    convolutions: int = 2,
    up: Literal["transposed", "bilinear"] = "transposed",
    merge: Literal["concat", "add"] = "concat",
    padded: bool = False,
    short_every: int = 0,
    short_kernel: Literal[1, 3, 5, 7] = 1,
    norm: str = "none",
    activation: str = "relu",
    init: str = "he",
    long: bool = True,
    dropout: float = 0.0,
    gates: bool = False,
    nested: bool = False,
    uneven: Literal["pad", "crop"] = "pad",
    doubled: Literal["after", "before"] = "after",
    input: Sequence[int] | None = None,
    head: Head | int = 2,
) -> Network:
    """Return a U-Net of `depth` down-scalings; the default is the published one without its dropout, 1×572×572 in and
    2×388×388 out.

    Every scale has `convolutions` 3×3 convolutions, of `width` channels at the first scale and twice as many at each next. Without
    `padded` they are valid ones and long skips are cropped. With it, where halving leaves a pixel over, `uneven` pads what is
    up-scaled with zeros to the scale's size, so that the output has the image's, or crops the long skip. `up` is a transposed 2×2
    convolution, or bilinear resizing and a 3×3 one. Long skips concat or add (`merge`); `long=False` leaves them out. `doubled`
    says where each next scale gets twice the channels: after the pool, or in the last convolution before it, as in the 3-D U-Net,
    whose up-convolutions keep the channels and have no bias. A volume, channels × depth × height × width, has cubes for squares
    everywhere. `short_every=k` lays an add over every k convolutions of a scale, projected where widths differ, by 1×1 or, as in
    many a ResUNet (Zhang et al. 2018), by a `short_kernel` of 3. `norm` stands after every 3×3 convolution and takes its bias's
    place. `dropout` acts at the end of the contracting path, as published: on the last convolution of its two deepest scales.
    `gates` scales what each long skip carries, pixel by pixel, by an attention gate (Oktay et al. 2018): σ(ψ(ReLU(W x + V g))), x
    being what the skip carries and g what it is joined with, W and V to half the channels, ψ to one; it wants `padded`, and sizes
    that divide where `uneven` crops. `nested` is U-Net++ (Zhou et al. 2018), without its deep supervision: between the ends of
    each long skip stand further scales' convolutions, which read all before them at their scale and what is up-scaled from the
    next one; it wants the same. `head` is a `Head` or a number of classes for each pixel. Raises `NetworkError`.
    """
    counted("a U-Net's depth", depth, 1, 8)
    counted("the number of convolutions a scale", convolutions, 1, 100)
    counted("the number of convolutions under a short skip", short_every, 0, convolutions)
    chosen("where channels are doubled", doubled, ("after", "before"))
    counted("the widest scale's number of channels", width * 2 ** (depth + (doubled == "before")), 1, WIDEST)
    chosen("the merge of long skips", merge, ("concat", "add"))
    chosen("up-sampling", up, ("transposed", "bilinear"))
    chosen("what is done where sizes do not divide", uneven, ("pad", "crop"))
    if (gates or nested) and not padded:
        raise NetworkError("attention gates and nested skips are of padded convolutions, which keep an image's size")
    if gates and nested:
        raise NetworkError("a U-Net has attention gates or nested skips, not both")
    if nested and doubled == "before":
        raise NetworkError("nested skips are of channels that are doubled after the pool")
    size = tuple(input) if input is not None else PADDED_INPUT if padded else PUBLISHED_INPUT
    pixels(size)
    if (gates or nested) and uneven == "crop" and any(side % 2**depth for side in size[1:]):
        what = "attention gates" if gates else "nested skips"
        raise NetworkError(f"with {what} the sides of an image divide by {2**depth}, and {written(size[1:])} do not: pad up")
    sides = size[1:] if padded and uneven == "pad" else ()
    plan = _Plan(convolutions, padded, norm, activation, short_every, short_kernel, init, dropout, up, sides, doubled == "before")
    trunk, ends = Trunk(), []
    rows: list[list[int | str]] = []
    for scale in range(depth):
        ends.append(_scale(trunk, plan, width * 2**scale, drops=scale == depth - 1))
        rows.append([ends[scale]])
        if nested and long:
            _nest(trunk, plan, rows, width)
        trunk.layer(Pool())
    _scale(trunk, plan, width * 2**depth, drops=True)
    for scale in reversed(range(depth)):
        narrow = plan.widest(width * 2**scale)
        trunk.layer(_up(plan, scale, 2 * narrow if plan.early and not (long and merge == "add") else narrow), init=init)
        if long and gates:
            trunk.skip(ends[scale], merge=merge, via=_gate(trunk, plan, ends[scale], narrow))
        elif long:
            trunk.skip(ends[scale], merge=merge, adapter=Adapter(spatial="crop"))
            for inner in rows[scale][1:]:
                trunk.skip(ends[scale], merge=merge, via=inner)
        _scale(trunk, plan, narrow, up=True)
    return trunk.network(size, head_of(head, "pixels"))


def unet3d(
    depth: int = 3, width: int = 32, input: Sequence[int] = PUBLISHED_VOLUME, head: Head | int = 3, norm: str = "batch", **more
) -> Network:
    """Return a 3-D U-Net (Çiçek et al. 2016) of `depth` down-scalings, by default the published one, 3×116×132×132 in and
    3×28×44×44 out; `more` is what `unet` takes.

    Its count is the paper's, 19,069,955, with `norm="none"`: convolutions then have biases, and no norm is counted; a norm
    takes its convolution's bias's place here. Raises `NetworkError`.
    """
    return unet(depth, width, doubled="before", input=input, head=head, norm=norm, **more)


def _up(plan: _Plan, scale: int, width: int) -> Upsampling:
    """Return what leads up to a scale."""
    ways = {"transposed": {"mode": "transposed", "kernel": 2}, "bilinear": {"mode": "bilinear"}}
    extra = {name: (side >> scale) % 2 for name, side in zip(EXTRA[-len(plan.sides) :], plan.sides, strict=False)}
    return Upsampling(width=width, bias=not plan.early, **ways[plan.up], **extra)


def _nest(trunk: Trunk, plan: _Plan, rows: list[list[int | str]], width: int) -> None:
    """Lay the nodes X^(i,j) that can be computed of the scales up to now; `rows[i]` has those of scale i, X^(i,0) first."""
    for scale in reversed(range(len(rows) - 1)):
        narrow, place = width * 2**scale, len(rows[scale])
        name = f"nested{scale}-{place}"
        state = trunk.node(f"{name}.up", Node(op=_up(plan, scale, narrow), init=plan.init), rows[scale + 1][-1])
        state = trunk.node(f"{name}.all", Node(op=Join(kind="concat")), state, *rows[scale])
        for number in range(1, plan.convolutions + 1):
            op = Convolution(width=narrow, bias=plan.norm == "none")
            layer = Node(op=op, norm=plan.norm, activation=plan.activation, init=plan.init)
            state = trunk.node(f"{name}.{number}", layer, state)
        rows[scale].append(state)


def _gate(trunk: Trunk, plan: _Plan, carried: int, width: int) -> str:
    """Lay an attention gate on what a long skip carries, h_carried; return the id of the node that gives the scaled state."""
    name, half = f"gate{trunk.state}", max(1, width // 2)
    map_to = {"norm": plan.norm, "init": plan.init}
    seen = trunk.node(f"{name}.x", Node(op=Convolution(width=half, kernel=1, bias=plan.norm == "none"), **map_to), carried)
    asked = trunk.node(f"{name}.g", Node(op=Convolution(width=half, kernel=1, bias=plan.norm == "none"), **map_to), trunk.state)
    both = trunk.node(f"{name}.sum", Node(op=Join(kind="add")), asked, seen)
    both = trunk.node(f"{name}.relu", Node(op=Identity(), activation="relu"), both)
    shares = Node(op=Convolution(width=1, kernel=1, bias=plan.norm == "none"), activation="sigmoid", norm=plan.norm)
    return trunk.node(f"{name}.gated", Node(op=Join(kind="multiply")), carried, trunk.node(f"{name}.psi", shares, both))


def _scale(trunk: Trunk, plan: _Plan, width: int, drops: bool = False, up: bool = False) -> int:
    """Add the convolutions of one scale, with dropout at its end if it `drops`; return the number of the state they end in."""
    source = trunk.state
    for place in range(1, plan.convolutions + 1):
        given = width if up or place < plan.convolutions else plan.widest(width)
        op = Convolution(width=given, padding=None if plan.padded else 0, bias=plan.norm == "none")
        dropout = plan.dropout if drops and place == plan.convolutions else 0.0
        trunk.layer(op, norm=plan.norm, activation=plan.activation, init=plan.init, dropout=dropout)
        if plan.short_every and place % plan.short_every == 0:
            trunk.skip(source, adapter=Adapter(spatial="crop", kernel=plan.short_kernel, init=plan.init))
            source = trunk.state
    return trunk.state
