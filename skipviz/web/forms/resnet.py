"""The form of residual networks (He et al. 2015 and 2016) for small images and of ImageNet's kind."""

from __future__ import annotations

from math import log2, prod

from ...network import families
from ...network.family.resnet import IMAGENET
from ...network.network import Network
from ...tasks.task import Task
from .form import DROPOUTS, NORM_WORDS, NORMS, OF_IMAGES, SCALES, SCALES_HELP, SWITCH, WITH_SKIPS, Form, Setting
from .heuristics import of_kind, scale_of, usual

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


def _read(network: Network) -> dict | None:
    convolutions = of_kind(network, "conv")
    inner = [layer for layer in convolutions if layer.order == "norm-act-op"]
    if (
        len(convolutions) < 7
        or of_kind(network, "up")
        or usual((skip.merge for skip in network.skips if not skip.via), "add") != "add"
    ):
        return None
    stem = convolutions[0]
    stages = round(log2(max(1, prod(layer.op.stride for layer in convolutions[1:])))) + 1
    layout = "imagenet" if stem.op.kernel == 7 or of_kind(network, "pool") else "small" if stages > 3 else "cifar"
    block = "bottleneck" if sum(layer.op.kernel == 1 for layer in convolutions) > len(convolutions) / 3 else "basic"
    depth, units = _depth(layout, block, len(convolutions) - 1)
    version = "v2" if 2 * len(inner) > len(convolutions) / 2 else "v1"
    ends = [layer for layer in network.layers if layer.scale is not None]
    wide = convolutions[2].op
    groups = wide.groups if block == "bottleneck" else 1
    learned = usual((layer.scale_learned for layer in ends), False)
    fixup = learned and 2 * sum(layer.init == "zero" for layer in convolutions) > units
    return {
        "layout": layout,
        "block": block,
        "depth": depth,
        "width": stem.op.width,
        "version": version,
        "shortcut": _shortcut(network, layout, block, version, units),
        "init": "fixup" if fixup else "he",
        "norm": usual((layer.norm for layer in (inner if version == "v2" else convolutions)), "none"),
        "scale": "none" if fixup else scale_of(ends, units),
        "drop_path": max((layer.drop_path for layer in network.layers), default=0.0),
        "zero_gamma": "on" if any(layer.zero_gamma for layer in convolutions) else "off",
        "plain": "residual" if any(not skip.via for skip in network.skips) else "plain",
        "groups": groups,
        "group_width": wide.width // groups if groups > 1 else GROUP_WIDTH,
        "reduction": _reduction(network),
    }


def _reduction(network: Network) -> int:
    """Return by how much branches squeeze their channels, one of those offered where it may be; 0 without any."""
    nodes = zip(network.branches, network.shapes.branches, strict=True)
    found = {(shape.input[0], node.op.width) for node, shape in nodes if node.op.kind == "linear" and node.activation == "relu"}
    fitting = [r for r in (*REDUCTIONS[1:], *range(1, 65)) if all(max(1, wide // r) == narrow for wide, narrow in found)]
    return fitting[0] if found and fitting else 0


def _depth(layout: str, block: str, convolutions: int) -> tuple[int, int]:
    """Return the depth whose blocks have about so many convolutions, and how many blocks those are."""
    length = CONVOLUTIONS[block]
    units = max(3, round(convolutions / length))
    if layout == "cifar":
        stage = max(1, round(units / 3))
        return 3 * length * stage + 2, 3 * stage
    depth = min((deep for deep in IMAGENET if (deep >= 50) == (block == "bottleneck")), key=lambda d: abs(sum(IMAGENET[d]) - units))
    other = next((deep for deep in IMAGENET if sum(IMAGENET[deep]) == units), depth)
    depth = depth if sum(IMAGENET[depth]) == units else other
    return depth, sum(IMAGENET[depth])


def _shortcut(network: Network, layout: str, block: str, version: str, units: int) -> str:
    """Return how shapes are joined: by the skips' adapters, or in a plain twin of version 2 by its norms before projections."""
    adapters = [skip.adapter.channels for skip in network.skips if not skip.via]
    if not adapters:
        norms = sum(layer.op.kind == "identity" for layer in network.layers) - sum(bool(skip.via) for skip in network.skips)
        if version == "v1" or norms <= 1:
            return "pad"
        return "project-all" if norms >= units > 3 else "project"
    if "pad" in adapters:
        return "pad"
    if any(skip.adapter.spatial == "average-pool" for skip in network.skips):
        return "pool"
    projecting = adapters.count("project")
    return "project-all" if 2 * projecting > len(adapters) and (projecting == len(adapters) or len(adapters) > 6) else "project"


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
            help="Three stages, or four, behind a strided stem or a small one",
        ),
        Setting("block", "Block", "basic", tuple(CONVOLUTIONS), help="Two 3×3 convolutions, or 1×1, 3×3 and 1×1"),
        Setting("depth", "Depth", 20, _depths, help="Weighted layers, as He et al. count"),
        Setting("width", "First width", 16, low=1, high=64, help="Published: 16, ImageNet's 64; each stage doubles it"),
        Setting("version", "Version", "v1", ("v1", "v2"), help="v2: norm and activation before each convolution"),
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
        ),
        Setting(
            "group_width", "Channels a group", GROUP_WIDTH, low=1, high=64, help="In the first stage; each next one doubles it",
            idle=lambda values: values["block"] == "basic" or values["groups"] == 1,
        ),
        Setting(
            "reduction", "Squeeze", 0, REDUCTIONS, words={0: "none", 4: "÷ 4", 8: "÷ 8", 16: "÷ 16"},
            help="Squeeze-and-excitation (Hu et al. 2018): each block scales its channels by factors made of their means, "
            "through so many times fewer features. Published: 16",
        ),
    ),
    _make,
    _read,
    **OF_IMAGES,
    published=_published,
)  # fmt: skip
