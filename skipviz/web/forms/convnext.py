"""The form of ConvNeXt (Liu et al. 2022)."""

from __future__ import annotations

from ...network import families
from ...network.family.convnext import BLOCKS, SCALE
from ...network.network import Network
from ...tasks.task import Task
from .form import DROPOUTS, OF_IMAGES, WITH_SKIPS, Form, Setting
from .heuristics import of_kind, usual

MOST_STAGES = len(BLOCKS)


def _make(task: Task, stages, blocks, width, patch, kernel, scale, drop_path, plain) -> Network:
    counts = BLOCKS[:stages] if blocks == "published" else (int(blocks),) * stages
    return families.convnext(
        blocks=counts, widths=tuple(width * 2**stage for stage in range(stages)), patch=patch, kernel=kernel,
        layer_scale=SCALE if scale == "on" else None, drop_path=drop_path, plain=plain == "plain",
        input=task.input_for(True), head=task.head(),
    )  # fmt: skip


def _read(network: Network) -> dict | None:
    convolutions = of_kind(network, "conv")
    normed = [layer for layer in convolutions[1:] if layer.norm == "channel" and layer.order == "op-norm-act"]
    depthwise = [layer.op for layer in normed if layer.op.groups == layer.op.width]
    if not depthwise:
        return None
    widths = list(dict.fromkeys(op.width for op in depthwise))
    stages = min(len(widths), MOST_STAGES)
    published = stages > 2 and len(depthwise) == sum(BLOCKS[:stages])
    ends = [layer for layer in convolutions if layer.op.kernel == 1 and layer.activation == "none" and layer.norm == "none"]
    return {
        "stages": stages,
        "blocks": "published" if published else str(max(1, round(len(depthwise) / stages))),
        "width": widths[0],
        "patch": convolutions[0].op.stride,
        "kernel": usual((op.kernel for op in depthwise), 7),
        "scale": "on" if usual((layer.scale_learned for layer in ends), True) else "off",
        "drop_path": max((layer.drop_path for layer in network.layers), default=0.0),
        "plain": "residual" if network.skips else "plain",
    }


def _published(**_) -> tuple[str, int]:
    return "ConvNeXt-T on 3×224×224", families.convnext().parameter_count()


FORM = Form(
    "ConvNeXt",
    (
        Setting(
            "stages", "Stages", 2, low=1, high=MOST_STAGES, help="Each has half the sides of the one before and twice the channels",
        ),
        Setting(
            "blocks", "Blocks a stage", "2", ("1", "2", "3", "published"), words={"published": "as published"},
            help="Published: 3, 3, 9, 3",
        ),
        Setting("width", "Width", 16, low=1, high=512, help="Channels of the first stage; ConvNeXt-T: 96"),
        Setting("patch", "Patch", 1, (1, 2, 4), help="Pixels a side of what becomes the first state's pixels; ConvNeXt-T: 4"),
        Setting("kernel", "Kernel", 7, (3, 5, 7, 9, 11), help="Of the convolution of each channel by itself"),
        Setting("scale", "LayerScale", "on", ("on", "off"), help="A factor on each channel of a branch, learned from 10⁻⁶ on"),
        Setting(
            "drop_path", "Drop-path", 0.0, DROPOUTS, idle=lambda values: values["plain"] == "plain",
            help="Of the last block, from 0 at the first one on in equal steps",
        ),
        WITH_SKIPS,
    ),
    _make,
    _read,
    **OF_IMAGES,
    published=_published,
)  # fmt: skip
