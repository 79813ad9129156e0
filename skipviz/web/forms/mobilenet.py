"""The form of MobileNetV2 (Sandler et al. 2018)."""

from __future__ import annotations

from ...network import families
from ...network.family.mobilenet import LAST, STAGES, STEM, divisible
from ...network.network import Network
from ...tasks.task import Task
from .form import NORM_WORDS, NORMS, OF_IMAGES, WITH_SKIPS, Form, Setting
from .heuristics import of_kind, usual

LAYOUTS = {"small": "small", "imagenet": "ImageNet"}
WIDTHS = (0.25, 0.35, 0.5, 0.75, 1.0, 1.4)
PUBLISHED = tuple(count for _, _, count, _ in STAGES)


def _make(task: Task, layout, width, expansion, blocks, last, norm, plain) -> Network:
    return families.mobilenet(
        width=width, expansion=expansion, blocks=None if blocks == "published" else (int(blocks),) * len(STAGES), last=last,
        layout=layout, norm=norm, plain=plain == "plain", input=task.input_for(True), head=task.head(),
    )  # fmt: skip


def _read(network: Network) -> dict | None:
    convolutions = of_kind(network, "conv")
    depthwise = [layer.op for layer in convolutions if layer.op.groups > 1 and layer.op.groups == layer.op.width]
    if not depthwise or of_kind(network, "up"):
        return None
    narrow = [layer.op.width for layer in convolutions if layer.op.kernel == 1 and layer.activation == "none"]
    wide = [op.width / width for op, width in zip(depthwise[1:], narrow, strict=False)]
    published = abs(len(depthwise) - sum(PUBLISHED)) <= 1
    return {
        "layout": "imagenet" if convolutions[0].op.stride > 1 else "small",
        "width": _width(convolutions[0].op.width, narrow),
        "expansion": round(usual(wide, 6)),
        "blocks": "published" if published else str(max(1, round(len(depthwise) / len(STAGES)))),
        "last": convolutions[-1].op.width,
        "norm": usual((layer.norm for layer in convolutions), "batch"),
        "plain": "residual" if network.skips else "plain",
    }


def _width(stem: int, narrow: list[int]) -> float:
    """Return the offered multiplier that gives most of these channels."""
    channels = {divisible(base) for _, base, _, _ in STAGES}
    wanted = {stem, *narrow}
    return max(WIDTHS, key=lambda width: len(wanted & {divisible(base * width) for base in (STEM, *channels)}))


def _published(**_) -> tuple[str, int]:
    return "MobileNetV2 on 3×224×224", families.mobilenet().parameter_count()


FORM = Form(
    "MobileNetV2",
    (
        Setting("layout", "Layout", "small", tuple(LAYOUTS), words=LAYOUTS, help="Small images keep their sides at the beginning"),
        Setting("width", "Width", 0.25, WIDTHS, help="Times the published channels, to multiples of 8"),
        Setting("expansion", "Expansion", 6, low=1, high=12, help="Channels inside a block over those that it reads"),
        Setting(
            "blocks", "Blocks a stage", "2", ("1", "2", "3", "published"), words={"published": "as published"},
            help="Published: 1, 2, 3, 4, 3, 3, 1; the first of a stage changes the channels and has no skip",
        ),
        Setting("last", "Last width", 160, low=1, high=LAST, help="Channels before the head; published: 1,280"),
        Setting("norm", "Norm", "batch", NORMS, words=NORM_WORDS),
        WITH_SKIPS,
    ),
    _make,
    _read,
    **OF_IMAGES,
    published=_published,
)  # fmt: skip
