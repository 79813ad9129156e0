"""The form of MobileNetV2 (Sandler et al. 2018)."""

from __future__ import annotations

from ...network import families
from ...network.family.mobilenet import LAST, STAGES
from ...network.network import Network
from ..task import Task
from .form import NORM_WORDS, NORMS, OF_IMAGES, WITH_SKIPS, Form, Setting
from .heuristics import first_stride, usual

LAYOUTS = {"small": "small", "imagenet": "ImageNet"}
WIDTHS = (0.25, 0.35, 0.5, 0.75, 1.0, 1.4)
PUBLISHED = tuple(count for _, _, count, _ in STAGES)


def _make(task: Task, layout, width, expansion, blocks, last, norm, plain) -> Network:
    return families.mobilenet(
        width=width, expansion=expansion, blocks=None if blocks == "published" else (int(blocks),) * len(STAGES), last=last,
        layout=layout, norm=norm, plain=plain == "plain", input=task.input_for(True), head=task.head(),
    )  # fmt: skip


def _expansion(network: Network) -> int:
    """Return how many times as many channels most 1×1 convolutions give that a block begins with."""
    layers = [layer.op.kind == "conv" and layer.op.kernel == 1 and layer.activation != "none" for layer in network.layers]
    *inside, _ = [shape.output[0] // shape.input[0] for shape, one in zip(network.shapes.layers, layers, strict=True) if one] or [1]
    return usual(inside, 1)


def _published(**_) -> tuple[str, int]:
    return "MobileNetV2 on 3×224×224", families.mobilenet().parameter_count()


FORM = Form(
    "MobileNetV2",
    (
        Setting(
            "layout", "Layout", "small", tuple(LAYOUTS), words=LAYOUTS, help="Small images keep their sides at the beginning",
            read=lambda network: "imagenet" if first_stride(network) > 1 else "small",
        ),
        Setting("width", "Width", 0.25, WIDTHS, help="Times the published channels, to multiples of 8"),
        Setting(
            "expansion", "Expansion", 6, low=1, high=12, help="Channels inside a block over those that it reads", read=_expansion,
        ),
        Setting(
            "blocks", "Blocks a stage", "2", ("1", "2", "3", "published"), words={"published": "as published"},
            help="Published: 1, 2, 3, 4, 3, 3, 1; the first of a stage changes the channels and has no skip",
        ),
        Setting("last", "Last width", 160, low=1, high=LAST, help="Channels before the head; published: 1,280"),
        Setting("norm", "Norm", "batch", NORMS, words=NORM_WORDS),
        WITH_SKIPS,
    ),
    _make,
    **OF_IMAGES,
    published=_published,
)  # fmt: skip
