"""The form of residual networks (He et al. 2015 and 2016) for small images and of ImageNet's kind."""

from __future__ import annotations

from math import log2, prod

from ...network import families
from ...network.family.resnet import IMAGENET
from ...network.network import Network
from ..task import Task
from .form import DROPOUTS, NORM_WORDS, NORMS, OF_IMAGES, SCALES, SCALES_HELP, SWITCH, WITH_SKIPS, Form, Setting
from .heuristics import first_width, of_kind

LAYOUTS = {"cifar": "CIFAR", "imagenet": "ImageNet", "small": "four stages, small stem"}
CONVOLUTIONS = {"basic": 2, "bottleneck": 3}
"""Of a block, by its kind."""
MOST_BLOCKS = 18
"""Blocks a stage of which every number is offered: up to ResNet-110 and, of bottlenecks, ResNet-164."""
DEEPEST = {("basic", "v1"): 1202, ("bottleneck", "v2"): 1001}
"""The deepest that were published for small images, by block and version: He et al. 2015, table 6, and 2016, table 4."""
FREE_SCALES = tuple(SCALES)
REDUCTIONS = (0, 4, 8, 16)
GROUP_WIDTH = 4
"""Channels of a group in the first stage, of ResNeXt's usual 32 × 4."""


def _make(
    task: Task, layout, block, depth, width, version, shortcut, init, norm, scale, drop_path, zero_gamma, plain, **wide
) -> Network:
    stages = 3 if layout == "cifar" else 4
    return families.resnet(
        depth=depth, layout=layout, block=block, widths=tuple(width * 2**stage for stage in range(stages)), shortcut=shortcut,
        version=int(version[1:]), norm=norm, init=init, scale=None if scale == "none" else scale, plain=plain == "plain",
        drop_path=drop_path, zero_gamma=zero_gamma == "on" and version == "v1" and norm != "none",
        input=task.input_for(True), head=task.head(), **wide | ({} if block == "bottleneck" else {"groups": 1}),
    )  # fmt: skip


def _inner(network: Network) -> int:
    return sum(layer.order == "norm-act-op" for layer in of_kind(network, "conv"))


def _layout(network: Network) -> str:
    convolutions = of_kind(network, "conv")
    stages = round(log2(max(1, prod(layer.op.stride for layer in convolutions[1:])))) + 1
    return "imagenet" if of_kind(network, "pool") else "small" if stages > 3 else "cifar"


def _block(network: Network) -> str:
    kernels = [layer.op.kernel for layer in of_kind(network, "conv")]
    return "bottleneck" if 3 * kernels.count(1) > len(kernels) else "basic"


def _depth(network: Network) -> int:
    return len(of_kind(network, "conv")) + 1


def _published(layout, block, depth, shortcut, version, plain, groups, group_width, reduction, **_) -> tuple[str, int]:
    compared = shortcut if version == "v1" else None  # A, B and C are the first paper's, D has B's count; the second has one
    grouped = groups > 1 and (layout, block, version, plain) == ("imagenet", "bottleneck", "v1", "residual")
    network = families.resnet(
        depth=depth, layout=layout, block=block, shortcut=compared, version=int(version[1:]), plain=plain == "plain",
        groups=groups if grouped else 1, group_width=group_width, reduction=reduction,
    )  # fmt: skip
    name = f"ResNet-{depth}" if plain == "residual" else f"plain-{depth}"
    name = f"ResNeXt-{depth} {groups}×{group_width}d" if grouped else name
    name = f"SE-{name}" if reduction else name
    return f"{name} on {'3×224×224' if layout == 'imagenet' else '3×32×32'}", network.parameter_count()


def _depths(values: dict) -> tuple[int, ...]:
    if values["layout"] != "cifar":
        return tuple(deep for deep in sorted(IMAGENET) if (deep >= 50) == (values["block"] == "bottleneck"))
    depths = tuple(3 * CONVOLUTIONS[values["block"]] * stage + 2 for stage in range(1, MOST_BLOCKS + 1))
    deepest = DEEPEST.get((values["block"], values["version"]))
    return depths if deepest is None else (*depths, deepest)


def _unless_fixup(options: tuple):
    return lambda values: ("none",) if values["init"] == "fixup" else options


FORM = Form(
    "ResNet",
    (
        Setting(
            "layout", "Layout", "cifar", tuple(LAYOUTS), words=LAYOUTS,
            help="Three stages, or four, behind a strided stem or a small one", read=_layout,
        ),
        Setting("block", "Block", "basic", tuple(CONVOLUTIONS), help="Two 3×3 convolutions, or 1×1, 3×3 and 1×1", read=_block),
        Setting("depth", "Depth", 20, _depths, help="Weighted layers, as He et al. count", read=_depth),
        Setting(
            "width", "First width", 16, low=1, high=64, help="Published: 16, ImageNet's 64; each stage doubles it",
            read=first_width,
        ),
        Setting(
            "version", "Version", "v1", ("v1", "v2"), help="v2: norm and activation before each convolution",
            read=lambda network: "v2" if 4 * _inner(network) > len(of_kind(network, "conv")) else "v1",
        ),
        Setting(
            "shortcut", "Shortcut", "pad", ("pad", "project", "project-all", "pool"),
            words={"pad": "A: pad", "project": "B: project", "project-all": "C: all", "pool": "D: pool, project"},
            help="Zero channels, 1×1 where shapes change, 1×1 everywhere, or as in ResNet-D (He et al. 2018) the mean of each "
            "2×2 and then 1×1",
            idle=lambda values: values["plain"] == "plain" and values["version"] == "v1",
        ),
        Setting(
            "init", "Init", "he", ("he", "fixup"), words={"he": "He", "fixup": "Fixup"},
            help="Fixup (Zhang et al. 2019): without norms. Here a bias a channel, in the paper one number before each operation",
        ),
        Setting("norm", "Norm", "batch", _unless_fixup(NORMS), words=NORM_WORDS),
        Setting("scale", "Branch scale", "none", _unless_fixup(FREE_SCALES), words=SCALES, help=SCALES_HELP),
        Setting(
            "drop_path", "Drop-path", 0.0, DROPOUTS, idle=lambda values: values["plain"] == "plain",
            help="The share of samples that leave the last branch out while it trains; less for those before it",
        ),
        Setting(
            "zero_gamma", "Zero γ", "off", SWITCH,
            help="The norm that ends a branch starts with γ = 0: each block starts as its skip",
            idle=lambda values: values["plain"] == "plain" or values["version"] == "v2" or values["norm"] == "none",
        ),
        WITH_SKIPS,
        Setting(
            "groups", "Groups", 1, (1, 2, 4, 8, 16, 32), idle=lambda values: values["block"] == "basic",
            help="Of a bottleneck's 3×3 convolution, mapped apart: a ResNeXt (Xie et al. 2017). Published: 32 of 4 channels",
            read=lambda network: max((layer.op.groups for layer in of_kind(network, "conv")), default=1),
        ),
        Setting(
            "group_width", "Channels a group", GROUP_WIDTH, low=1, high=64, help="In the first stage; each next one doubles it",
            idle=lambda values: values["block"] == "basic" or values["groups"] == 1,
            read=lambda network: next(
                (one.op.width // one.op.groups for one in of_kind(network, "conv") if one.op.groups > 1), GROUP_WIDTH
            ),
        ),
        Setting(
            "reduction", "Squeeze", 0, REDUCTIONS, words={0: "none", 4: "÷ 4", 8: "÷ 8", 16: "÷ 16"},
            help="Squeeze-and-excitation (Hu et al. 2018): each block scales its channels by factors made of their means, "
            "through so many times fewer features. Published: 16",
        ),
    ),
    _make,
    **OF_IMAGES,
    published=_published,
)  # fmt: skip
