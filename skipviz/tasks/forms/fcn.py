"""The form of fully convolutional networks (Long et al. 2015) over a backbone of stages as VGG's."""

from __future__ import annotations

from ...network import families
from ...network.family.fcn import FUSED, VGG16
from ...network.network import Network
from ..task import Task
from .form import EDGES, Form, Setting
from .heuristics import first_width, of_kind, usual
from .unet import MASKS

WIDENING = {"even": (2, 3, 4, 6, 8), "double": tuple(2 * width // VGG16[0][0] for width, _ in VGG16)}
"""Twice the stages' channels over the first one's."""
COUNTS = {"1": (1,) * 5, "2": (2,) * 5, "3": (3,) * 5, "vgg": tuple(count for _, count in VGG16)}
MOST_STAGES = len(VGG16)
MASKS_OF_IMAGES = tuple(name for name in MASKS if len(Task(name=name).sample_shape()) == 3)


def _make(task: Task, variant, stages, width, widening, convolutions, classifier, edges) -> Network:
    widths = (width * factor // 2 for factor in WIDENING[widening][:stages])
    return families.fcn(
        variant=variant, stages=tuple(zip(widths, COUNTS[convolutions], strict=False)), classifier=classifier,
        padded=edges == "padded", input=task.input_for(True), head=task.head().outputs,
    )  # fmt: skip


def _published(variant, **_) -> tuple[str, int]:
    return f"FCN-{variant} on VGG-16", families.fcn(variant).parameter_count()


def _follow(values: dict, before: Task, task: Task) -> dict:
    """A padded network halves its images as often as their sides allow."""
    halvings = [n for n in range(1, MOST_STAGES + 1) if all(side % 2**n == 0 for side in task.sample_shape()[1:])]
    most = max(halvings, default=0)
    if values["edges"] == "valid" or values["stages"] <= most:
        return values
    if most < 1 + FUSED[values["variant"]]:
        return {**values, "edges": "valid"}
    return {**values, "stages": most}


FORM = Form(
    "FCN",
    (
        Setting(
            "variant", "Fusion", "8s", tuple(FUSED), help="How many shallower stages' scores are added: none, one or two",
            read=lambda network: next((name for name, fused in FUSED.items() if fused == len(of_kind(network, "up")) - 1), "8s"),
        ),
        Setting(
            "stages", "Stages", MOST_STAGES, lambda values: tuple(range(1 + FUSED[values["variant"]], MOST_STAGES + 1)),
            help="Of the backbone, each halves the image; VGG has five", read=lambda network: len(of_kind(network, "pool")),
        ),
        Setting("width", "First width", 12, low=1, high=64, help="VGG's is 64", read=first_width),
        Setting(
            "widening", "Widths", "even", tuple(WIDENING), words={"even": "even steps", "double": "doubled"},
            idle=lambda values: values["stages"] == 1,
        ),
        Setting("convolutions", "Convolutions", "1", tuple(COUNTS), words={"vgg": "as VGG"}, help="Of each stage; VGG's: 2 and 3"),
        Setting("classifier", "Classifier", 48, low=1, high=512, help="Channels of its two convolutions; published: 4,096"),
        Setting(
            "edges", "Edges", "padded", tuple(EDGES), words=EDGES, help="As published, 100 pixels are padded around the image",
            read=lambda network: "valid" if usual((layer.op.ceil for layer in of_kind(network, "pool")), False) else "padded",
        ),
    ),
    _make,
    tasks=MASKS_OF_IMAGES,
    own=("masks", "pixel_classes"),
    published=_published,
    follow=_follow,
)  # fmt: skip
