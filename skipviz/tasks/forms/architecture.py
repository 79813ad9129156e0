"""What an experiment becomes with another family, another setting or another task.

A form shows one variant, the first unless it is told which, and changes that one; the others stay as they are, or follow where
the task is another one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from ...network.base import NetworkError, elements
from ...network.network import Network
from ..experiment import Experiment, Training
from ..objective import fitted_loss
from ..task import Task
from . import FORMS
from .family_detection import TITLES, Recognised, recognised
from .form_values import FormValues, built, fits, usual_values, values_of
from .kept import kept
from .stack import is_stack

SMALL_PICTURE, LARGE_PICTURE = 12 * 12, 32 * 32
"""Pixels up to which 24 convolutions of 16 channels are trained in reasonable time, and 8 of them."""
BATCH_PIXELS = 2**18
"""Of a batch of one's own pictures: 64 of 64×64, 4 of 256×256."""
DEEP, SHALLOW = 24, 8
"""Layers of a usual stack, and of one for large pictures."""
CONV_WIDTH = 16


def _of_one(make: Callable[..., Experiment]) -> Callable[..., Experiment]:
    """Have `make`, which knows experiments of one variant only, change the one called `variant`; the others follow its task."""

    @wraps(make)
    def made_beside_others(experiment: Experiment, *arguments, variant: str | None = None, **named) -> Experiment:
        variant = variant or next(iter(experiment.variants))
        made = make(experiment.alone(variant), *arguments, **named)
        if len(experiment.variants) == 1:
            return made
        variants = {
            name: made.network if name == variant else _followed(experiment, network, made.task)
            for name, network in experiment.variants.items()
        }
        return made.replaced(variants=variants)

    return made_beside_others


def _followed(experiment: Experiment, network: Network, task: Task) -> Network:
    """Return a network that learns `task`: the same where it can, else as one alone would follow it; raises `NetworkError`."""
    if task.mismatch(network) is None:
        return network
    alone = experiment.replaced(variants={"network": network})
    return (with_own if task.own else with_task)(alone, recognised(alone), task).network


@_of_one
def with_values(experiment: Experiment, form: FormValues, task: Task, keep: bool) -> Experiment:
    """Return the experiment with the form's network; with `keep`, skips that stay keep switch, strength and gain.

    Where all skips were off, new ones are off too. Raises `NetworkError`.
    """
    network = built(form, task)
    if keep:
        network = kept(network, experiment.network, form)
    variants = {next(iter(experiment.variants)): network}
    return experiment.replaced(variants=variants, task=task, training=fitted_loss(task, experiment.training))


@_of_one
def with_family(experiment: Experiment, found: Recognised, family: str, task: Task) -> Experiment:
    """Return the experiment with a family begun afresh on a task that it fits; raises `NetworkError`."""
    if found.form and FORMS[found.form.family].free and FORMS[family].free:
        return with_values(experiment, values_of(family, found.form.settings()), task, keep=True)
    return with_values(experiment, usual_values(family, task), task, keep=FORMS[family].free)


@_of_one
def afresh(experiment: Experiment, near: FormValues) -> Experiment:
    """Return the experiment with what is nearest to its network in place of it; raises `NetworkError`."""
    return with_values(experiment, near, experiment.task, keep=FORMS[near.family].free)


@_of_one
def with_task(experiment: Experiment, found: Recognised, task: Task) -> Experiment:
    """Return the experiment on another task: its family built for it, or its layers and skips with an input and head that fit.

    What cannot learn the task gives way to a usual network that can. Raises `NetworkError`.
    """
    if found.form and fits(found.form.family, task):
        return with_values(experiment, found.form.followed(experiment.task, task), task, keep=True)
    if found.form and FORMS[found.form.family].free:
        other = next((family for family in task.kind.families if family in FORMS and FORMS[family].free), None)
        if other:
            return with_values(experiment, values_of(other, found.form.settings()), task, keep=True)
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
    return built(_usual_values(task), task)


def _usual_values(task: Task) -> FormValues:
    """Return what usually learns the task; of convolutions as many as are trained in reasonable time."""
    usual = usual_values(task.kind.families[0], task)
    if usual.family != "conv":
        return usual
    depth, width = _affordable_convolutions(elements(task.sample_shape()[1:]))
    return usual.changed(depth=depth, width=width)


def _affordable_convolutions(pixels: int) -> tuple[int, int]:
    """Return how many convolutions of how many channels are trained in reasonable time."""
    if pixels <= SMALL_PICTURE:
        return DEEP, CONV_WIDTH
    return SHALLOW, CONV_WIDTH if pixels <= LARGE_PICTURE else CONV_WIDTH // 2


@_of_one
def with_own(experiment: Experiment, found: Recognised, task: Task) -> Experiment:
    """Return the experiment on data of one's own; the network stays where it can read it, else a usual one takes its place.

    Large pictures come in small batches. Raises `NetworkError`.
    """
    form, same = found.form, experiment.task.name == task.name
    affordable = experiment.replaced(training=_affordable(experiment.training, task))
    usual = same or not form or not FORMS[form.family].free or form.family == task.kind.families[0]
    if form and usual and fits(form.family, task):
        return with_values(affordable, form.followed(experiment.task, task), task, keep=True)
    if same or not is_stack(experiment.network):
        try:
            return affordable.on(task)
        except NetworkError:
            pass  # it reads something else altogether: pictures and not numbers, or tokens
    return with_values(affordable, _usual_values(task), task, keep=True)


def _affordable(training: Training, task: Task) -> Training:
    most = max(4, BATCH_PIXELS // elements(task.sample_shape()[1:])) if task.own.is_pictures else training.batch_size
    return training.replaced(batch_size=min(training.batch_size, most))
