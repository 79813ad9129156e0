"""The form of ConvNeXt (Liu et al. 2022)."""

from __future__ import annotations

from ...network import families
from ...network.family.convnext import BLOCKS, SCALE
from ...network.network import Network
from ..task import Task
from .form import DROPOUTS, OF_IMAGES, WITH_SKIPS, Form, Setting
from .heuristics import first_stride, first_width, of_kind

MOST_STAGES = len(BLOCKS)


def _make(task: Task, stages, blocks, width, patch, kernel, scale, drop_path, plain) -> Network:
    counts = BLOCKS[:stages] if blocks == "published" else (int(blocks),) * stages
    return families.convnext(
        blocks=counts, widths=tuple(width * 2**stage for stage in range(stages)), patch=patch, kernel=kernel,
        layer_scale=SCALE if scale == "on" else None, drop_path=drop_path, plain=plain == "plain",
        input=task.input_for(True), head=task.head(),
    )  # fmt: skip


def _published(**_) -> tuple[str, int]:
    return "ConvNeXt-T on 3×224×224", families.convnext().parameter_count()


FORM = Form(
    "ConvNeXt",
    (
        Setting(
            "stages", "Stages", 2, low=1, high=MOST_STAGES, help="Each has half the sides of the one before and twice the channels",
            read=lambda network: 1 + sum(layer.op.stride > 1 for layer in of_kind(network, "conv")[1:]),
        ),
        Setting(
            "blocks", "Blocks a stage", "2", ("1", "2", "3", "published"), words={"published": "as published"},
            help="Published: 3, 3, 9, 3",
        ),
        Setting("width", "Width", 16, low=1, high=512, help="Channels of the first stage; ConvNeXt-T: 96", read=first_width),
        Setting(
            "patch", "Patch", 1, (1, 2, 4), help="Pixels a side of what becomes the first state's pixels; ConvNeXt-T: 4",
            read=first_stride,
        ),
        Setting("kernel", "Kernel", 7, (3, 5, 7, 9, 11), help="Of the convolution of each channel by itself"),
        Setting("scale", "LayerScale", "on", ("on", "off"), help="A factor on each channel of a branch, learned from 10⁻⁶ on"),
        Setting(
            "drop_path", "Drop-path", 0.0, DROPOUTS, idle=lambda values: values["plain"] == "plain",
            help="Of the last block, from 0 at the first one on in equal steps",
        ),
        WITH_SKIPS,
    ),
    _make,
    **OF_IMAGES,
    published=_published,
)  # fmt: skip
