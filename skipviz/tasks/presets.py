"""Experiments by name, each with what to do, what will be seen, and the paper."""

from __future__ import annotations

from functools import cache

from ..network import edit, families
from ..network.base import NetworkError
from ..network.family.trunk import branch_scale
from ..network.layer import Layer
from ..network.network import Head, Network
from ..network.operation import Convolution, Linear, Upsampling
from ..network.skip import Skip
from .experiment import Experiment, Training
from .preset import Preset
from .published import PUBLISHED
from .task import Task


def figure_unit(panel: str) -> Network:
    """Return the network that one panel of Figure 4.9 draws: `left`, `center` or `right`."""
    if panel == "left":
        pairs = ((1, 3), (1, 6), (4, 5), (5, 7))
        layers = [Layer(op=Linear(width=64), activation="relu")] * 8
        skips = [Skip(source=i, target=j, merge="concat") for i, j in pairs]
        return Network(input=(64,), layers=layers, skips=skips, head=Head(outputs=10))
    if panel == "right":
        layers = [Layer(op=Linear(width=64), activation="relu")] * 4
        return Network(
            input=(64,), layers=layers, skips=[Skip(source=0, target=2), Skip(source=2, target=4)], head=Head(outputs=10)
        )
    down = [Convolution(width=12), Convolution(width=16, stride=2), Convolution(width=24, stride=2)]
    up = [Upsampling(width=16), Upsampling(width=12), Convolution(width=12)]
    layers = [Layer(op=op, activation="relu") for op in (*down, *up)]
    skips = [Skip(source=1, target=5, merge="concat"), Skip(source=2, target=4, merge="concat")]
    return Network(input=(1, 32, 32), layers=layers, skips=skips, head=Head(kind="pixels", outputs=1))


def figure(panel: str, repeat: int = 1) -> Experiment:
    """Return a panel of Figure 4.9 as an experiment, its unit stacked `repeat` times; raises `NetworkError`."""
    network = edit.repeated(figure_unit(panel), repeat)
    if panel == "right":
        network = _branches_scaled(network)
    elif repeat > 1:
        network = _started_larger(network)
    task = Task(name="shapes") if panel == "center" else Task(name="digits")
    return Experiment(variants={panel: network}, task=task, training=_figure_training(panel, repeat))


def _branches_scaled(network: Network) -> Network:
    """Return `network` with each block's last layer times 1/√(blocks), as `deep_residual` has it."""
    ends = {skip.target for skip in network.skips}
    scale = branch_scale("root", len(ends))
    layers = (layer.replaced(**scale) if k in ends else layer for k, layer in enumerate(network.layers, start=1))
    return edit.changed(network, layers=tuple(layers))


def _started_larger(network: Network) -> Network:
    """Return `network` with weights large enough that a gradient passes each copy's layers that no skip leads past."""
    layers = (layer.replaced(init="glorot") for layer in network.layers)
    return edit.changed(network, layers=tuple(layers))


def _figure_training(panel: str, repeat: int) -> Training:
    """Return how a panel is trained: plain gradient descent, since Adam divides a vanishing gradient by its own size."""
    if panel == "center":
        return Training(optimizer="momentum", learning_rate=0.1, batch_size=16, steps=120)
    long = repeat > LONG_FROM
    rate = 0.1 if long or (panel == "left" and repeat > 1) else 0.3
    return Training(optimizer="sgd", learning_rate=rate, steps=100 if long else 300)


MOST_REPEATS = {"left": 3, "center": 3, "right": 200}
"""How often each panel's unit is repeated at most: of left and centre each copy has layers that no skip leads past."""
LONG_FROM = 25
"""Repeats of the residual panel beyond which its steps are long, and a third of them is enough."""


def vanishing(on: bool, depth: int = 24, width: int = 64) -> Experiment:
    """Return the lab's opening experiment: two spirals, residual skips over every two layers, on or off."""
    network = edit.switch_all(families.mlp(depth=depth, width=width, skip_every=2), on)
    return Experiment(variants={"network": network}, task=Task(name="spiral"), training=Training(steps=2000))


def curve(depth: int = 30, width: int = 64) -> Experiment:
    """Return a regression whose residual skips are off."""
    network = edit.switch_all(families.mlp(depth, width, 2, input=(1,), head=1), False)
    return Experiment(variants={"network": network}, task=Task(name="regression"), training=Training(steps=1000))


def deep_residual(depth: int = 300, width: int = 32) -> Experiment:
    """Return a residual stack of several hundred layers, each block's last layer times α = 1/√(blocks).

    Without α the forward signal of so deep a stack without norm grows by √(7/6) a block (De & Smith 2020, SkipInit).
    """
    network = families.mlp(depth=depth, width=width, skip_every=2, scale="root")
    return Experiment(variants={"network": network}, task=Task(name="spiral"), training=Training(steps=400))


def unscaled_residual(depth: int = 60, width: int = 64) -> Experiment:
    """Return a residual stack under He's initialisation in which nothing holds the signal: neither norm nor branch scale."""
    network = families.mlp(depth, width, 2, init="he", input=(64,), head=10)
    return Experiment(variants={"network": network}, task=Task(name="digits"), training=Training(steps=300))


_PRESETS = (
    Preset(
        "vanishing-plain",
        "Vanishing gradient, 24 layers",
        "Start it, wait a second, then press Residual.",
        "The first layer's gradient, a billionth of the last's, jumps to a tenth of it in one step, and the network "
        "begins to learn.",
        "He et al. 2015, Deep Residual Learning for Image Recognition",
        lambda: vanishing(on=False),
    ),
    Preset(
        "vanishing-residual",
        "Residual, 24 layers",
        "Start it and switch single skips off while it learns.",
        "The gradient of every layer stays near their median; with a skip off the loss jumps, and the network learns on.",
        "He et al. 2015, Deep Residual Learning for Image Recognition",
        lambda: vanishing(on=True),
    ),
    Preset(
        "curve-plain",
        "A curve, 30 layers",
        "Start it, wait two hundred steps, then press Residual.",
        "Without skips the network's curve stays flat, at the points' mean; with them it bends to the points within fifty steps.",
        "He et al. 2015, Deep Residual Learning for Image Recognition",
        curve,
    ),
    Preset(
        "residual-300",
        "Residual, 300 layers",
        "Start it, wait two hundred steps, then switch one skip near the input off and on again.",
        "Three hundred layers learn, and guess while that skip is off; repeated blocks are folded to their smallest, median "
        "and largest gradient.",
        "He et al. 2015, Deep Residual Learning for Image Recognition",
        deep_residual,
    ),
    Preset(
        "residual-unscaled",
        "Residual without norm or branch scale, 60 layers",
        "Look at the bars, then start it.",
        "Every block at least doubles the square of the signal and of the gradient, so that 30 blocks begin with a loss of "
        "thousands; Figure 4.9, right, has a branch scale and begins near guessing.",
        "De & Smith 2020, Batch Normalization Biases Residual Blocks Towards the Identity Function",
        unscaled_residual,
    ),
    Preset(
        "figure-4-9-left",
        "Figure 4.9, left: any layer to any later layer",
        "Shut the valve beside f(5), and start it.",
        "The layers below it still learn: their gradient comes back through the skips.",
        "Fleuret, The Little Book of Deep Learning, section 4.7",
        lambda: figure("left"),
    ),
    Preset(
        "figure-4-9-center",
        "Figure 4.9, centre: equal scales joined",
        "Before you start it, switch the inner skip off, then the outer one.",
        "The smallest scale keeps its gradient; the first layers at the larger ones lose their short way back, and most "
        "of their gradient.",
        "Ronneberger et al. 2015, U-Net",
        lambda: figure("center"),
    ),
    Preset(
        "figure-4-9-right",
        "Figure 4.9, right: residual, ×6",
        "Repeat the block more often.",
        "The gradient at the bottom stays about as large as the layers' median, up to 800 layers: a branch scale of 1/√(blocks) "
        "holds it, and the signal.",
        "He et al. 2015, Deep Residual Learning for Image Recognition",
        lambda: figure("right", 6),
    ),
    Preset(
        "digits-conv",
        "Digits, 20 convolutions",
        "Start it and toggle Plain and Residual.",
        "Without skips a 20-layer stack of convolutions does not start to learn; with them it reads digits.",
        "He et al. 2015, Deep Residual Learning for Image Recognition",
        lambda: Experiment(
            variants={"network": families.conv(depth=20, width=16, skip_every=2)},
            task=Task(name="digits"),
            training=Training(steps=600),
        ),
    ),
    *PUBLISHED,
)
_BY_NAME = {preset.name: preset for preset in _PRESETS}


def names() -> tuple[str, ...]:
    """Return the names of all presets."""
    return tuple(_BY_NAME)


def preset(name: str) -> Preset:
    """Return the preset of that name with its sentences; raises `NetworkError`."""
    if name not in _BY_NAME:
        raise NetworkError(f"there is no preset {name[:60]!r}; there are {', '.join(_BY_NAME)}")
    return _BY_NAME[name]


def get(name: str) -> Experiment:
    """Return the experiment of that name, always the same object; raises `NetworkError`."""
    return _made(preset(name))


@cache
def _made(preset: Preset) -> Experiment:
    return preset.make()
