"""The form of a U-Net whose contracting path is a ResNet."""

from __future__ import annotations

from ...network import families
from ...network.network import Network
from ..task import Task
from .fcn import MASKS_OF_IMAGES
from .form import NORM_WORDS, NORMS, Form, Setting


def _make(task: Task, depth, width, resize, norm) -> Network:
    return families.resnet_unet(
        depth=depth, width=width, decoder=tuple(max(1, 4 * width >> scale) for scale in range(5)), resize=resize, norm=norm,
        input=task.input_for(True), classes=task.head().outputs,
    )  # fmt: skip


def _published(**_) -> tuple[str, int]:
    return "U-Net on ResNet-34 on 3×224×224", families.resnet_unet().parameter_count()


FORM = Form(
    "U-Net on ResNet",
    (
        Setting("depth", "Encoder", 18, (18, 34, 50), words={deep: f"ResNet-{deep}" for deep in (18, 34, 50)}),
        Setting("width", "First width", 8, low=1, high=64, help="The published encoder's is 64; each stage doubles it"),
        Setting("resize", "Up-sampling", "nearest", ("nearest", "bilinear"), help="Without weights, to twice the size"),
        Setting("norm", "Norm", "batch", NORMS, words=NORM_WORDS),
    ),
    _make,
    tasks=MASKS_OF_IMAGES,
    own=("masks", "pixel_classes"),
    published=_published,
)  # fmt: skip
