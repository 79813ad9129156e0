"""What an experiment becomes with another family, another setting or another task. Imports no streamlit.

A form shows the first variant, and changes that one; the others stay as they are, or follow where the task is another one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from ...network import families
from ...network.base import NetworkError, elements
from ...network.network import Network
from ...tasks.experiment import Experiment, Training
from ...tasks.objective import fitted_loss
from ...tasks.task import Task
from .family_detection import TITLES, Recognised, recognised
from .recipe import Recipe, built, first_recipe, fits
from .setup import FAMILIES, Setup, is_stack, rebuilt, setup_of

SMALL_PICTURE, LARGE_PICTURE = 12 * 12, 32 * 32
"""Pixels up to which 24 convolutions of 16 channels are trained in reasonable time, and 8 of them."""
BATCH_PIXELS = 2**18
"""Of a batch of one's own pictures: 64 of 64×64, 4 of 256×256."""
DEEP, SHALLOW = 24, 8
"""Layers of a usual stack, and of one for large pictures."""
MLP_WIDTH, CONV_WIDTH = 64, 16


def _of_the_first(make: Callable[..., Experiment]) -> Callable[..., Experiment]:
    """Have `make`, which knows experiments of one variant only, change the first one; the others follow its task."""

    @wraps(make)
    def made_beside_others(experiment: Experiment, *arguments, **named) -> Experiment:
        first, *others = experiment.variants
        made = make(experiment.replaced(variants={first: experiment.network}), *arguments, **named)
        if not others:
            return made
        beside = {name: _followed(experiment, experiment.variants[name], made.task) for name in others}
        return made.replaced(variants={**made.variants, **beside})

    return made_beside_others


def _followed(experiment: Experiment, network: Network, task: Task) -> Network:
    """Return a network that learns `task`: the same where it can, else as one alone would follow it."""
    if task.mismatch(network) is None:
        return network
    alone = experiment.replaced(variants={"network": network})
    return (with_own if task.own else with_task)(alone, recognised(alone), task).network


@_of_the_first
def with_recipe(experiment: Experiment, recipe: Recipe, task: Task, keep: bool) -> Experiment:
    """Return the experiment with the recipe's network; with `keep`, skips that stay keep switch, strength and gain.

    Where all skips were off, new ones are off too. Raises `NetworkError`.
    """
    network, old = built(recipe, task), experiment.network.skips
    if keep and old:
        kept = {(skip.source, skip.target): skip for skip in old}
        new = {"on": any(skip.on for skip in old)}
        skips = [skip.model_copy(update=_live(kept.get((skip.source, skip.target)), new)) for skip in network.skips]
        network = network.replaced(skips=tuple(skips))
    variants = {next(iter(experiment.variants)): network}
    return experiment.replaced(variants=variants, task=task, training=fitted_loss(task, experiment.training))


def _live(skip, new: dict) -> dict:
    return {name: getattr(skip, name) for name in ("on", "strength", "gain")} if skip else new


@_of_the_first
def with_family(experiment: Experiment, found: Recognised, family: str, task: Task) -> Experiment:
    """Return the experiment with a family begun afresh on a task that it fits; raises `NetworkError`."""
    if family not in FAMILIES:
        return with_recipe(experiment, first_recipe(family, task), task, keep=False)
    if found.stack:
        return rebuilt(experiment, found.stack.replaced(family=family), task)
    return rebuilt(experiment, usual_stack(experiment.network, family), task)


@_of_the_first
def afresh(experiment: Experiment, near: Recipe | Setup) -> Experiment:
    """Return the experiment with what is nearest to its network in place of it; raises `NetworkError`."""
    if isinstance(near, Setup):
        return rebuilt(experiment, near)
    return with_recipe(experiment, near, experiment.task, keep=False)


@_of_the_first
def with_task(experiment: Experiment, found: Recognised, task: Task) -> Experiment:
    """Return the experiment on another task: its family built for it, or its layers and skips with an input and head that fit.

    What cannot learn the task gives way to a usual network that can. Raises `NetworkError`.
    """
    if found.recipe and fits(found.recipe.family, task):
        return with_recipe(experiment, found.recipe.followed(experiment.task, task), task, keep=True)
    if found.stack and set(FAMILIES) & set(task.kind.families):
        return rebuilt(experiment, found.stack, task)
    if found.family is None:
        try:
            return experiment.on(task)
        except NetworkError:
            pass  # it reads something else altogether: pictures and not numbers, or tokens
    variants = {next(iter(experiment.variants)): _usual_network(task)}
    return experiment.replaced(variants=variants, task=task, training=fitted_loss(task, experiment.training))


def usual(task: Task, training: Training) -> Experiment:
    """Return an experiment with the network that usually learns the task."""
    training = fitted_loss(task, _affordable(training, task) if task.own else training)
    return Experiment(variants={"network": _usual_network(task)}, task=task, training=training)


def usual_words(task: Task) -> str:
    """Return in an imperative what `usual` does, for a button."""
    return f"Take a usual {TITLES[task.kind.families[0]]} for it".replace("a usual Convolutional", "usual convolutions")


def _usual_network(task: Task) -> Network:
    family = task.kind.families[0]
    if family not in FAMILIES:
        return built(first_recipe(family, task), task)
    if family == "mlp":
        return families.mlp(DEEP, MLP_WIDTH, 2, input=task.input_for(False), head=task.head())
    depth, width = _affordable_convolutions(elements(task.sample_shape()[1:]))
    return families.conv(depth, width, 2, input=task.input_for(True), head=task.head())


def _affordable_convolutions(pixels: int) -> tuple[int, int]:
    """Return how many convolutions of how many channels are trained in reasonable time."""
    if pixels <= SMALL_PICTURE:
        return DEEP, CONV_WIDTH
    return SHALLOW, CONV_WIDTH if pixels <= LARGE_PICTURE else CONV_WIDTH // 2


@_of_the_first
def with_own(experiment: Experiment, found: Recognised, task: Task) -> Experiment:
    """Return the experiment on data of one's own; the network stays where it can read it, else a usual one takes its place.

    Large pictures come in small batches. Raises `NetworkError`.
    """
    network, family = experiment.network, task.kind.families[0]
    affordable = experiment.replaced(training=_affordable(experiment.training, task))
    if found.recipe and fits(found.recipe.family, task):
        return with_recipe(affordable, found.recipe.followed(experiment.task, task), task, keep=True)
    if not is_stack(network) or experiment.task.name == task.name or setup_of(network).family == family:
        try:
            return affordable.on(task)
        except NetworkError:
            pass  # it reads something else altogether: pictures and not numbers, or tokens
    setup = usual_stack(network, family)
    if family == "conv":
        depth, width = _affordable_convolutions(elements(task.sample_shape()[1:]))
        setup = setup.replaced(depth=depth, width=width)
    return rebuilt(affordable, setup, task)


def _affordable(training: Training, task: Task) -> Training:
    most = max(4, BATCH_PIXELS // elements(task.sample_shape()[1:])) if task.own.is_pictures else training.batch_size
    return training.replaced(batch_size=min(training.batch_size, most))


def usual_stack(network: Network, family: str) -> Setup:
    """Return a plain stack's settings for one who comes from another network."""
    own = {
        "depth": DEEP,
        "width": MLP_WIDTH if family == "mlp" else CONV_WIDTH,
        "activation": "relu",
        "norm": "none",
        "order": "op-norm-act",
    }
    skips = {"init": "torch", "pattern": "residual", "every": 2, "merge": "add", "scale": "none"}
    return setup_of(network).replaced(family=family, **own, **skips)
