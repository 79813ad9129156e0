"""The form of the Vision Transformer (Dosovitskiy et al. 2021)."""

from __future__ import annotations

from ...network import families
from ...network.family.transformer import MOST_BLOCKS
from ...network.network import Network
from ..task import Task
from .form import ACTIVATIONS, DROPOUTS, OF_IMAGES, SWITCH, WITH_SKIPS, Form, Setting
from .heuristics import first_width, of_kind, usual


def _make(task: Task, depth, width, heads, patch, feed_forward, token, activation, dropout, plain) -> Network:
    return families.vit(
        depth=depth, width=width, heads=heads, patch=patch, feed_forward=feed_forward, class_token=token == "on",
        activation=activation, dropout=dropout, plain=plain == "plain", input=task.input_for(True), head=task.head(),
    )  # fmt: skip


def _published(**_) -> tuple[str, int]:
    return "ViT-B/16 on 3×224×224", families.vit().parameter_count()


FORM = Form(
    "Vision Transformer",
    (
        Setting(
            "depth", "Blocks", 4, low=1, high=MOST_BLOCKS, help="Published: 12",
            read=lambda network: len(of_kind(network, "attention")),
        ),
        Setting("width", "Width", 32, (8, 16, 32, 64, 128, 256, 512, 768), help="Published: 768", read=first_width),
        Setting(
            "heads", "Heads", 4, (1, 2, 4, 8, 12, 16), help="They divide the width",
            read=lambda network: usual((layer.op.heads for layer in of_kind(network, "attention")), 4),
        ),
        Setting(
            "patch", "Patch", 2, (1, 2, 4, 8, 16, 32), help="Pixels a side of what one position reads; they divide the image",
            read=lambda network: usual((layer.op.stride for layer in of_kind(network, "conv")), 2),
        ),
        Setting(
            "feed_forward", "Feed-forward", 64, low=1, high=3072, help="Width between a block's two linear layers",
            read=lambda network: usual((layer.op.width for layer in of_kind(network, "linear")[::2]), 64),
        ),
        Setting(
            "token", "Class token", "on", SWITCH, help="A learned position of its own that the head reads; else their mean",
            read=lambda network: "on" if of_kind(network, "first") else "off",
        ),
        Setting(
            "activation", "Activation", "gelu", tuple(ACTIVATIONS), words=ACTIVATIONS,
            read=lambda network: usual((layer.activation for layer in of_kind(network, "linear")[1::2]), "gelu"),
        ),
        Setting("dropout", "Dropout", 0.0, DROPOUTS, help="While training, before each sum"),
        WITH_SKIPS,
    ),
    _make,
    published=_published,
    **OF_IMAGES,
)  # fmt: skip
