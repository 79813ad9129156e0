"""The form of highway networks (Srivastava et al. 2015)."""

from __future__ import annotations

from ...network import families
from ...network.base import NetworkError, is_image
from ...network.network import Network
from ..task import KINDS, Task
from .form import ACTIVATIONS, INIT_WORDS, NORM_WORDS, NORMS, Form, Setting
from .heuristics import first_width, of_kind

POINTS = tuple(name for name, kind in KINDS.items() if kind.picture == "boundary")
INITS = tuple(name for name in INIT_WORDS if name != "zero")  # with which a highway could not start
PUBLISHED_DEPTHS = (10, 20, 50, 100)
"""Of the paper's networks, 50 units wide, on MNIST's 784 pixels."""


def _make(task: Task, depth, width, gate_bias, activation, norm, init, layers) -> Network:
    images = layers == "conv"
    if images and not is_image(task.sample_shape()):
        raise NetworkError(f"{task.kind.title.lower()} gives no pictures for convolutions: choose linear layers")
    return families.highway(
        depth=depth, width=width, gate_bias=gate_bias, activation=activation, norm=norm, init=init, input=task.input_for(images),
        head=task.head(),
    )  # fmt: skip


def _published(depth, **_) -> tuple[str, int]:
    deep = min(PUBLISHED_DEPTHS, key=lambda one: abs(one - depth))
    return f"{deep} layers of 50 on 28×28 digits", families.highway(deep, 50, input=(784,)).parameter_count()


def _follow(values: dict, before: Task, task: Task) -> dict:
    return values if is_image(task.sample_shape()) else {**values, "layers": "linear"}


FORM = Form(
    "Highway",
    (
        Setting("depth", "Depth", 50, low=2, high=300, read=lambda network: network.depth),
        Setting("width", "Width", 32, low=1, high=512, help="The published one is 50", read=first_width),
        Setting(
            "gate_bias", "Gate bias", -2.0, low=-10.0, high=10.0,
            help="At the start: the more negative, the more is carried past; the paper takes −1 to −4",
        ),
        Setting("activation", "Activation", "relu", tuple(ACTIVATIONS), words=ACTIVATIONS),
        Setting("norm", "Norm", "none", NORMS, words=NORM_WORDS),
        Setting("init", "Init", "torch", INITS, words=INIT_WORDS),
        Setting(
            "layers", "Layers", "linear", ("linear", "conv"), words={"conv": "3×3 conv"},
            read=lambda network: "conv" if of_kind(network, "conv") else "linear",
        ),
    ),
    _make,
    tasks=("digits", *POINTS),
    own=("classes", "numbers", "labels"),
    published=_published,
    follow=_follow,
)  # fmt: skip
