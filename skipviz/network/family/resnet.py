"""Residual networks (He et al. 2015, Deep Residual Learning; He et al. 2016, Identity Mappings) and their plain twins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Literal, get_args

from ..base import NetworkError
from ..network import Head, Network
from ..node import Node
from ..operation import Convolution, Identity, Linear, Mean, Pool
from ..skip import Adapter
from .trunk import Scale, Trunk, branch_scale, chosen, counted, head_of, pixels, refusing_in_words

Shortcut = Literal["pad", "project", "project-all", "pool"]
Block = Literal["basic", "bottleneck"]
Layout = Literal["cifar", "imagenet", "small"]
Init = Literal["he", "fixup"]

IMAGENET = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3), 200: (3, 24, 36, 3)}
"""Blocks a stage, by depth; from 50 on they are bottlenecks (He et al. 2015, table 1; 200: He et al. 2016)."""
EXPANSION = 4
"""Output over inner width of a bottleneck."""
IMAGENET_PIXELS = 64
"""From this side on an input of a depth that both layouts have is taken for one of ImageNet's kind."""


ENDS = {"scale", "scale_learned", "drop_path"}
"""Fields of the layer that a branch ends with."""


@dataclass(frozen=True)
class _Plan:
    """What a depth means: blocks a stage, their kind, and the stem."""

    layout: Layout
    block: Block
    blocks: tuple[int, ...]
    widths: tuple[int, ...]
    version: int
    shortcut: Shortcut
    plain: bool
    norm: str
    init: Init
    scale: Scale
    drop_path: float
    zero_gamma: bool
    groups: int
    group_width: int
    reduction: int

    @property
    def bias(self) -> bool:
        """A norm after a convolution takes the bias's place."""
        return self.norm == "none"


@refusing_in_words
def resnet(
    depth: int = 20,
    shortcut: Shortcut | None = None,
    version: int = 1,
    plain: bool = False,
    block: Block | None = None,
    layout: Layout | None = None,
    widths: Sequence[int] | None = None,
    norm: str = "batch",
    init: Init = "he",
    scale: Scale = None,
    drop_path: float = 0.0,
    zero_gamma: bool = False,
    groups: int = 1,
    group_width: int = 4,
    reduction: int = 0,
    input: Sequence[int] | None = None,
    head: Head | int | None = None,
) -> Network:
    """Return a residual network, or with `plain` its twin without skips.

    CIFAR's: depth 6n+2 (20, 32, 44, 56, 110, 1202) of basic blocks, or 9n+2 of bottlenecks (version 2: 164, 1001), stages of
    16, 32 and 64 channels, 3×32×32 in, 10 classes. ImageNet's: 18, 34, 50, 101, 152 (version 2: 200), 3×224×224, 1,000 classes;
    a depth that is both is ImageNet's unless `input` is smaller than 64 pixels or `layout` says otherwise. `layout="small"` has
    ImageNet's four stages behind a 3×3 stem without stride or pool, for 3×32×32 and 10 classes, as ResNet-18 is used on CIFAR.

    `shortcut` where shapes change: `pad` is He's option A (stride and zero channels), `project` B (stride and 1×1), with `project-
    all` (C) every shortcut is a projection, and with `pool` those of B that stride take the mean of each 2×2 instead, as
    ResNet-D's (He et al. 2018; its stem and the place of its bottleneck's stride are not made); None: A for CIFAR's version 1,
    else B. Version 1 has its ReLU after the sum, as a box of its own, and a bottleneck's stride in its first convolution; version
    2 has norm and ReLU before each convolution, shared by both ways where a shortcut projects, and a last norm and ReLU.
    `norm="none"` gives the convolutions biases. `scale` is the branch scale. `drop_path` is the last branch's, those before it
    growing to it in equal parts (Huang et al. 2016). `zero_gamma`: the norm that ends a branch of version 1 starts with γ = 0
    (Goyal et al. 2017).
    More than one of `groups` makes a ResNeXt (Xie et al. 2017): a bottleneck is groups × `group_width` wide in the first stage,
    twice as wide in each next, its 3×3 convolution maps the groups apart and has the stride; 50 with 32 × 4 is the paper's.
    With a `reduction` each branch ends in a squeeze-and-excitation (Hu et al. 2018): the mean of each channel, through as many
    features as channels ÷ `reduction` (the paper's: 16) with a ReLU and back with a sigmoid, is a factor on the channel; 0: none.

    `init="fixup"` with `norm="none"` is Fixup's (Zhang et al. 2019): of the m convolutions of
    each of L branches all but the last start as He's times L^(−1/(2m−2)), the last and the head at zero, under a learned scale
    from 1. One thing is not the paper's: every convolution has a bias a channel behind it, where the paper has a single number
    before each convolution, linear layer and activation; all start at zero. Raises `NetworkError`.
    """
    plan = _plan(depth, shortcut, version, plain, block, layout, widths, norm, init, scale, input)
    if not 0 <= drop_path <= 0.9:
        raise NetworkError(f"drop-path is between 0 and 0.9, not {drop_path}")
    if zero_gamma and (version == 2 or norm == "none"):
        raise NetworkError("zero γ is of the norm that ends a branch: choose version 1 with a norm")
    if groups > 1 and plan.block != "bottleneck":
        raise NetworkError("groups are of bottlenecks: choose the block bottleneck")
    counted("a group's width", group_width, 1, 4096)
    counted("the reduction of a squeeze-and-excitation", reduction, 0, 4096)
    plan = replace(
        plan, drop_path=0.0 if plain else drop_path, zero_gamma=zero_gamma and not plain, groups=groups, group_width=group_width,
        reduction=reduction,
    )  # fmt: skip
    trunk, size = Trunk(), (3, 224, 224) if plan.layout == "imagenet" else (3, 32, 32)
    _stem(trunk, plan)
    inputs, branches = plan.widths[0], count(1)
    for stage, (blocks, width) in enumerate(zip(plan.blocks, plan.widths, strict=True)):
        for index in range(blocks):
            stride = 2 if stage and not index else 1
            inputs = _unit(trunk, plan, inputs, width, stride, next(branches))
    if version == 2:
        trunk.layer(Identity(), norm=norm, activation="relu")
    classes = 1000 if plan.layout == "imagenet" else 10
    head = head_of(classes if head is None else head)
    if init == "fixup":
        head = head.replaced(init="zero")
    return trunk.network(size if input is None else input, head)


def _plan(depth, shortcut, version, plain, block, layout, widths, norm, init, scale, input) -> _Plan:
    chosen("a ResNet's version", version, (1, 2))
    small = input is not None and pixels(tuple(input)) < IMAGENET_PIXELS
    if layout is None:
        layout = "imagenet" if depth in IMAGENET and not (small and (depth - 2) % 6 == 0) else "cifar"
    chosen("the layout", layout, get_args(Layout))
    if layout != "cifar":
        chosen("the depth of a ResNet of four stages", depth, tuple(IMAGENET))
        block, blocks = block or ("basic" if depth < 50 else "bottleneck"), IMAGENET[depth]
    else:
        bottleneck = version == 2 and (depth == 164 or (depth - 2) % 6)
        block = block or ("bottleneck" if bottleneck else "basic")
        layers = 6 if block == "basic" else 9
        if depth < 2 + layers or (depth - 2) % layers:
            raise NetworkError(f"a ResNet of {block} blocks for small images has {layers}n + 2 layers, not {depth}")
        blocks = ((depth - 2) // layers,) * 3
    chosen("the block", block, ("basic", "bottleneck"))
    widths = tuple(widths or ((16, 32, 64) if layout == "cifar" else (64, 128, 256, 512)))
    if len(widths) != len(blocks):
        raise NetworkError(f"this ResNet has {len(blocks)} stages and {len(widths)} widths are given")
    usual = "pad" if layout == "cifar" and block == "basic" and version == 1 else "project"
    chosen("the shortcut", shortcut or usual, get_args(Shortcut))
    chosen("the initialisation", init, ("he", "fixup"))
    if init == "fixup" and (norm != "none" or scale is not None):
        raise NetworkError("Fixup takes the place of norms and brings its own branch scale; give norm='none' and no scale")
    return _Plan(layout, block, blocks, widths, version, shortcut or usual, plain, norm, init, scale, 0.0, False, 1, 1, 0)


def _stem(trunk: Trunk, plan: _Plan) -> None:
    kernel, stride = (7, 2) if plan.layout == "imagenet" else (3, 1)
    op = Convolution(width=plan.widths[0], kernel=kernel, stride=stride, bias=plan.bias)
    trunk.layer(op, norm=plan.norm, activation="relu", init="he")
    if plan.layout == "imagenet":
        trunk.layer(Pool(kernel=3, stride=2, padding=1))


def _unit(trunk: Trunk, plan: _Plan, inputs: int, width: int, stride: int, branch: int) -> int:
    """Add residual unit number `branch`, counted from 1; return how many channels it gives."""
    kernels = (3, 3) if plan.block == "basic" else (1, 3, 1)
    output = width if plan.block == "basic" else EXPANSION * width
    projects = plan.shortcut == "project-all" or (plan.shortcut != "pad" and (stride > 1 or inputs != output))
    activated = branch == 1 or projects
    if plan.version == 2 and projects and branch > 1:
        trunk.layer(Identity(), norm=plan.norm, activation="relu")
    source = trunk.state
    grouped = plan.groups > 1
    inner = plan.groups * plan.group_width * width // plan.widths[0] if grouped else width
    for place, kernel in enumerate(kernels):
        last = place == len(kernels) - 1
        op = Convolution(
            width=output if last else inner, kernel=kernel, stride=stride if place == grouped else 1,
            groups=plan.groups if place == 1 else 1, bias=plan.bias,
        )  # fmt: skip
        fields = _start(plan, len(kernels), last) | (_ending(plan, branch) if last else {})
        ends = {name: fields.pop(name) for name in ENDS & fields.keys()} if plan.reduction else {}
        if plan.version == 1:
            trunk.layer(op, norm=plan.norm, activation="none" if last else "relu", **fields)
        elif place == 0 and activated:
            trunk.layer(op, **fields)
        else:
            trunk.layer(op, norm=plan.norm, activation="relu", order="norm-act-op", **fields)
    if plan.reduction:
        _excite(trunk, output, plan.reduction, ends)
    if not plan.plain:
        trunk.skip(source, adapter=_adapter(plan, inputs, output, projects, stride))
    if plan.version == 1:
        trunk.layer(Identity(), activation="relu")
    return output


def _excite(trunk: Trunk, width: int, reduction: int, ends: dict) -> None:
    """Scale each channel of the last state by a number that its mean, and those of the others, give."""
    source, squeezed = trunk.state, Linear(width=max(1, width // reduction))
    via = trunk.branch(
        "se", Node(op=Mean()), Node(op=squeezed, activation="relu"), Node(op=Linear(width=width), activation="sigmoid")
    )
    trunk.layer(Identity(), **ends)
    trunk.skip(source, merge="multiply", via=via)


def _start(plan: _Plan, convolutions: int, last: bool) -> dict:
    """Return how a convolution of a branch starts, and the branch scale of the last one."""
    branches = sum(plan.blocks)
    if plan.init == "he":
        return {"init": "he", **(branch_scale(plan.scale, branches) if last else {})}
    if last:
        return {"init": "zero", "scale": 1.0, "scale_learned": True}
    return {"init": "he", "init_factor": round(branches ** (-1 / (2 * convolutions - 2)), 6)}


def _ending(plan: _Plan, branch: int) -> dict:
    """Return what else the last convolution of a branch has."""
    drop_path = round(plan.drop_path * branch / sum(plan.blocks), 6)
    return ({"drop_path": drop_path} if drop_path else {}) | ({"zero_gamma": True} if plan.zero_gamma else {})


def _adapter(plan: _Plan, inputs: int, output: int, projects: bool, stride: int) -> Adapter:
    if projects:
        normed = plan.version == 1 and plan.norm == "batch"
        return Adapter(
            spatial="average-pool" if plan.shortcut == "pool" and stride > 1 else "auto", channels="project",
            bias=plan.version == 1 and not normed, norm="batch" if normed else "none", init="he",
        )  # fmt: skip
    return Adapter(channels="pad") if inputs != output else Adapter()
