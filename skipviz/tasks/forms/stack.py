"""The forms of plain stacks of equal layers, linear or convolutional, under a pattern of skips.

A stack's layers and skips may also be set one by one: skips of no pattern, scales of no name and dropout stay as they are then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ...network import families
from ...network.layer import MAX_INIT_FACTOR
from ...network.merge import CHOSEN
from ...network.network import MAX_LAYERS, Network
from ...network.pattern import skips_of
from ..task import KINDS, OWN_KINDS, Task
from .form import ACTIVATIONS, INIT_WORDS, NORM_WORDS, NORMS, SCALES, SCALES_HELP, Form, Setting
from .heuristics import first_width, usual

CUSTOM = "custom"
PATTERNS = ("none", "residual", "nested", "dense")
ORDERS = {"op-norm-act": "op first", "norm-act-op": "norm first"}
EVERY = {"residual": 2, "dense": 6}
DEEP, WIDE = 300, 512
"""The most layers and features that a form offers; a link may bring more."""


def is_stack(network: Network) -> bool:
    """Return whether the network is of linear layers only, or of convolutions only, which a stack's settings describe."""
    return not network.branches and {layer.op.kind for layer in network.layers} in ({"linear"}, {"conv"})


def _form(family: str, title: str, width: int) -> Form:
    def make(task: Task, every, merge, pattern, scale, init_factor, **values) -> Network:
        skips = pattern not in ("none", CUSTOM)
        network = getattr(families, family)(
            skip_every=every if skips else 0, merge=merge if skips else None, pattern=pattern if skips else "none",
            scale=None if scale in ("none", CUSTOM) else scale, input=task.input_for(family == "conv"), head=task.head(), **values,
        )  # fmt: skip
        layers = (layer.model_copy(update={"init_factor": init_factor}) for layer in network.layers)
        return network if init_factor == 1 else network.replaced(layers=tuple(layers))

    tasks = sorted((name for name, kind in KINDS.items() if family in kind.families), key=lambda name: name != "digits")
    own = tuple(name for name, kind in OWN_KINDS.items() if family in kind.families)
    return Form(title, _settings(width), make, tuple(tasks), own, along=_along, free=True)


def _along(changed: dict) -> dict:
    """Return what changes with a pattern: its spacing and how its skips merge."""
    pattern = changed.get("pattern")
    return {"every": EVERY.get(pattern, 1), "merge": "add" if pattern == "residual" else "concat"} if pattern in PATTERNS else {}


def _common(field: str) -> Callable[[Network], Any]:
    return lambda network: usual((getattr(layer, field) for layer in network.layers), None)


def _or_custom(name: str, options: tuple) -> Callable[[dict], tuple]:
    return lambda values: (*options, CUSTOM) if values[name] == CUSTOM else options


def _pattern(network: Network) -> tuple[str, int]:
    """Return the pattern that gives the network's skips and its spacing; of skips of no pattern their usual length."""
    pairs = {(skip.source, skip.target) for skip in network.skips}
    span = usual((target - source for source, target in pairs), 2)
    joined = [("nested", min((source for source, _ in pairs), default=1)), *(("dense", block) for block in range(2, 13))]
    added = [("residual", span)]
    for pattern, every in (("none", span), *(added + joined if usual(_merges(network), "add") == "add" else joined + added)):
        skips = skips_of(pattern, network.shapes.states, max(1, every))
        if {(skip.source, skip.target) for skip in skips} == pairs:
            return pattern, max(1, every)
    return "residual", span


def _merges(network: Network) -> Iterator[str]:
    return (skip.merge for skip in network.skips)


def _scale(network: Network) -> str:
    scaled = next((layer for layer in network.layers if layer.scale is not None), None)
    if scaled is None:
        return "none"
    return ("skipinit" if scaled.scale else "rezero") if scaled.scale_learned else "root"


def _settings(width: int) -> tuple[Setting, ...]:
    return (
        Setting("depth", "Depth", 24, low=1, high=MAX_LAYERS, slider=DEEP, read=lambda network: network.depth),
        Setting("width", "Width", width, low=1, high=4096, slider=WIDE, read=first_width),
        Setting("activation", "Activation", "relu", tuple(ACTIVATIONS), words=ACTIVATIONS, read=_common("activation")),
        Setting("norm", "Norm", "none", NORMS, words=NORM_WORDS, read=_common("norm")),
        Setting("order", "Order", "op-norm-act", tuple(ORDERS), words=ORDERS, read=_common("order")),
        Setting("init", "Init", "torch", tuple(INIT_WORDS), words=INIT_WORDS, read=_common("init")),
        Setting(
            "pattern", "Skips", "residual", _or_custom("pattern", PATTERNS), read=lambda network: _pattern(network)[0],
            help="Residual: adds over every few layers, a residual MLP. Nested: as U-Net. Dense: as DenseNet.",
        ),
        Setting(
            "every", "Every", 2, low=1, high=DEEP, idle=lambda values: values["pattern"] in ("none", CUSTOM),
            read=lambda network: _pattern(network)[1],
            help="Layers a residual skip passes, spacing of nested skips, or a dense block's length.",
        ),
        Setting("scale", "Branch scale", "none", _or_custom("scale", tuple(SCALES)), words=SCALES, help=SCALES_HELP, read=_scale),
        Setting(
            "init_factor", "Init factor", 1.0, low=0.0001, high=MAX_INIT_FACTOR, read=_common("init_factor"),
            help="On every layer's initial weights. N(0, 1/n) times √n is N(0, 1): 8 at width 64.",
        ),
        Setting("merge", "", "add", tuple(CHOSEN), read=lambda network: usual(_merges(network), "add")),
    )  # fmt: skip


MLP, CONV = _form("mlp", "MLP", 64), _form("conv", "Convolutional", 16)
