"""Published architectures as the sidebar offers them: a family, its few settings, and the tasks it fits.

Which recipe a network came from is found again by its structure, so that undo and redo need to know nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from ..network import families
from ..network.network import Network
from ..tasks.task import KINDS, Task


@dataclass(frozen=True)
class Setting:
    """One widget: a choice among `options`, or a whole number between `low` and `high`."""

    name: str
    label: str
    default: Any
    options: tuple = ()
    low: int = 1
    high: int = 100
    help: str | None = None


@dataclass(frozen=True)
class Form:
    """A family's widgets; `make(task, **values)` builds the network. `tasks` are those it fits, the first its own."""

    title: str
    settings: tuple[Setting, ...]
    tasks: tuple[str, ...]
    make: Callable[..., Network]
    published: Callable[..., tuple[str, int]] | None = None
    """The name in words and the parameters of the paper's own network nearest to the values."""

    def defaults(self) -> dict:
        return {setting.name: setting.default for setting in self.settings}


@dataclass(frozen=True)
class Recipe:
    """A family with the values of its settings, in the form's order."""

    family: str
    values: tuple

    def settings(self) -> dict:
        """Return the values by name."""
        return dict(zip((setting.name for setting in FORMS[self.family].settings), self.values, strict=True))

    def changed(self, **values) -> Recipe:
        """Return the recipe with some values replaced."""
        return Recipe(self.family, tuple({**self.settings(), **values}.values()))


def _resnet(task: Task, depth, width, shortcut, version, norm, scale, plain) -> Network:
    return families.resnet(
        depth=depth, layout="cifar", widths=(width, 2 * width, 4 * width), shortcut=shortcut, version=int(version[1:]), norm=norm,
        scale=None if scale == "none" else scale, plain=plain == "plain", input=task.input_for(True), head=task.head(),
    )  # fmt: skip


def _published_resnet(depth, shortcut, version, **_) -> tuple[str, int]:
    network = families.resnet(depth=depth, layout="cifar", shortcut=shortcut, version=int(version[1:]))
    return f"ResNet-{depth} on 3×32×32", network.parameter_count()


def _published_unet(**_) -> tuple[str, int]:
    return "U-Net 2015 on 1×572×572", families.unet().parameter_count()


def _published_densenet(**_) -> tuple[str, int]:
    return "DenseNet-121 on 3×224×224", families.densenet(121).parameter_count()


def _published_fcn(variant, **_) -> tuple[str, int]:
    return f"FCN-{variant} on VGG-16", families.fcn(variant).parameter_count()


def _published_transformer(norm, **_) -> tuple[str, int]:
    network = families.transformer(depth=6, width=512, heads=8, feed_forward=2048, norm=norm, input=(16, 512))
    return "the encoder of 6 × 512, without embedding and head", network.parameter_count() - network.shapes.head_parameters


def _densenet(task: Task, layers, growth, compression, bottleneck) -> Network:
    return families.densenet(
        depth=None, blocks=(layers,) * 3, growth=growth, compression=compression, bottleneck=bottleneck == "yes",
        input=task.input_for(True), head=task.head(),
    )  # fmt: skip


def _unet(task: Task, scales, width, convolutions, up, merge, norm, long, short) -> Network:
    return families.unet(
        depth=scales, width=width, convolutions=convolutions, up=up, merge=merge, padded=True, norm=norm, long=long == "on",
        short_every=1 if short == "on" else 0, input=task.input_for(True), head=task.head(),
    )  # fmt: skip


def _fcn(task: Task, variant, width, classifier) -> Network:
    stages = tuple((width * factor // 2, 1) for factor in (2, 3, 4, 6, 8))
    return families.fcn(variant=variant, stages=stages, classifier=classifier, padded=True, input=task.input_for(True), head=1)


def _highway(task: Task, depth, width, gate_bias, activation) -> Network:
    return families.highway(
        depth=depth,
        width=width,
        gate_bias=gate_bias,
        activation=activation,
        init="torch",
        input=task.input_for(False),
        head=task.head(),
    )


def _transformer(task: Task, depth, width, heads, feed_forward, norm, residual) -> Network:
    """Return a Transformer of a task's tokens, or of an image's rows."""
    return families.transformer(
        depth=depth, width=width, heads=heads, feed_forward=feed_forward, norm=norm, residual=residual == "on",
        vocabulary=task.token_count() or None, causal=task.causal, input=task.sample_shape()[-2:], head=task.head(),
    )  # fmt: skip


_NORMS = ("none", "batch", "layer", "group")
_SWITCH = ("on", "off")
_IMAGES = tuple(name for name, kind in KINDS.items() if kind.picture == "masks")
_POINTS = tuple(name for name, kind in KINDS.items() if kind.picture == "boundary")

FORMS: dict[str, Form] = {
    "resnet": Form(
        "ResNet",
        (
            Setting("depth", "Depth", 20, (8, 14, 20, 32, 44, 56, 110), help="6n + 2, as He et al. count: weighted layers"),
            Setting("width", "First width", 16, low=1, high=64, help="The published one is 16; later stages have twice as many"),
            Setting("shortcut", "Shortcut", "pad", ("pad", "project", "project-all"), help="He's options A, B and C"),
            Setting("version", "Version", "v1", ("v1", "v2"), help="v2: norm and activation before each convolution"),
            Setting("norm", "Norm", "batch", _NORMS),
            Setting("scale", "Branch scale", "none", ("none", "skipinit", "rezero"), help="1/√L, or learned from 0"),
            Setting("plain", "Skips", "residual", ("residual", "plain")),
        ),
        ("digits",),
        _resnet,
        _published_resnet,
    ),
    "unet": Form(
        "U-Net",
        (
            Setting("scales", "Down-scalings", 2, low=1, high=4),
            Setting("width", "First width", 8, low=1, high=64, help="The published one is 64"),
            Setting("convolutions", "Convolutions", 2, low=1, high=6, help="3×3 convolutions a scale"),
            Setting("up", "Up-sampling", "transposed", ("transposed", "bilinear")),
            Setting("merge", "Merge", "concat", ("concat", "add")),
            Setting("norm", "Norm", "none", _NORMS),
            Setting("long", "Long skips", "on", _SWITCH),
            Setting("short", "Short skips", "off", _SWITCH, help="Residual skips inside the blocks (Drozdzal et al. 2016)"),
        ),
        _IMAGES,
        _unet,
        _published_unet,
    ),
    "fcn": Form(
        "FCN",
        (
            Setting("variant", "Fusion", "8s", ("32s", "16s", "8s"), help="How many shallower stages' scores are added"),
            Setting("width", "First width", 12, low=1, high=64),
            Setting("classifier", "Classifier", 48, low=1, high=512),
        ),
        _IMAGES,
        _fcn,
        _published_fcn,
    ),
    "transformer": Form(
        "Transformer",
        (
            Setting("depth", "Blocks", 4, low=1, high=60),
            Setting("width", "Width", 32, (8, 16, 32, 64, 128)),
            Setting("heads", "Heads", 4, (1, 2, 4, 8)),
            Setting("feed_forward", "Feed-forward", 64, low=1, high=512),
            Setting("norm", "Layer norm", "pre", ("pre", "post")),
            Setting("residual", "Residuals", "on", _SWITCH),
        ),
        ("digits", "sequences", "text"),
        _transformer,
        _published_transformer,
    ),
    "densenet": Form(
        "DenseNet",
        (
            Setting("layers", "Layers a block", 4, low=1, high=12),
            Setting("growth", "Growth rate", 8, low=1, high=48),
            Setting("compression", "Compression", 0.5, (0.25, 0.5, 0.75, 1.0)),
            Setting("bottleneck", "Bottleneck", "yes", ("yes", "no")),
        ),
        ("digits",),
        _densenet,
        _published_densenet,
    ),
    "highway": Form(
        "Highway",
        (
            Setting("depth", "Depth", 50, low=1, high=300),
            Setting("width", "Width", 32, low=1, high=512),
            Setting("gate_bias", "Gate bias", -2, (-1, -2, -3, -4)),
            Setting("activation", "Activation", "relu", ("relu", "tanh", "sigmoid", "gelu")),
        ),
        ("digits", *_POINTS),
        _highway,
    ),
}


_OWN_DATA = {
    "resnet": ("labels",),
    "densenet": ("labels",),
    "unet": ("masks",),
    "fcn": ("masks",),
    "highway": ("classes", "numbers", "labels"),
}
"""What each family tells of one's own data."""


def fits(family: str, task: Task) -> bool:
    """Return whether a published architecture is built for the task's kind of data."""
    return task.own.kind in _OWN_DATA.get(family, ()) if task.own else task.name in FORMS[family].tasks


_PRESETS: dict[str, tuple[str, dict]] = {
    **{f"resnet-{depth}-cifar": ("resnet", {"depth": depth}) for depth in (20, 56, 110)},
    **{f"plain-{depth}-cifar": ("resnet", {"depth": depth}) for depth in (20, 56)},
    **{name: ("unet", {"scales": 3, "norm": "batch"}) for name in ("unet-shapes", "unet-no-skips")},
    **{f"fcn-{variant}": ("fcn", {"variant": variant, "width": 8, "classifier": 32}) for variant in ("32s", "16s", "8s")},
    "transformer-post-ln": ("transformer", {"norm": "post"}),
    "transformer-pre-ln": ("transformer", {"norm": "pre"}),
    "transformer-no-residual": ("transformer", {"norm": "post"}),
    "transformer-text": ("transformer", {"depth": 2}),
    "unet-membranes": ("unet", {"norm": "batch"}),
    "densenet-bc": ("densenet", {"layers": 6, "growth": 12}),
    "highway-50": ("highway", {"width": 50}),
}
"""Which presets a family's settings give."""


@cache
def preset_recipes() -> dict[str, Recipe]:
    """Return the recipes of the presets that a family's settings give, by the presets' names."""
    return {name: first_recipe(family).changed(**values) for name, (family, values) in _PRESETS.items()}


def first_recipe(family: str) -> Recipe:
    """Return the family with its usual settings."""
    return Recipe(family, tuple(FORMS[family].defaults().values()))


def built(recipe: Recipe, task: Task) -> Network:
    """Return the recipe's network for `task`; raises `NetworkError`."""
    return FORMS[recipe.family].make(task, **recipe.settings())


@cache
def published_words(recipe: Recipe) -> str:
    """Return a sentence with the paper's own parameter count, or nothing where no paper fixes one."""
    published = FORMS[recipe.family].published
    if published is None:
        return ""
    name, count = published(**recipe.settings())
    return f"As published ({name}): {count:,} parameters"


def structure(network: Network) -> int:
    """Return a number that networks share which differ in switches, strengths and gains only."""
    layers = tuple(
        (layer.id, layer.op, layer.activation, layer.norm, layer.order, layer.init, layer.scale) for layer in network.layers
    )
    skips = tuple((skip.source, skip.target, skip.merge) for skip in network.skips)
    return hash((network.input, layers, skips, network.head))
