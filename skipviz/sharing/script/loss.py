"""The loss and the metric in a script: expressions of outputs and truth, and the sources that they need."""

from __future__ import annotations

from typing import NamedTuple

from ...tasks.experiment import Experiment
from ...tasks.objective import class_count, losses
from .source import Sources


class Objective(NamedTuple):
    """What a script's training says of loss and metric."""

    loss: str
    """The expression of the loss."""
    weights: str
    """The line that computes the weights of the classes, or nothing."""
    metric: str
    """The name of the metric's function."""


def objective_source(experiment: Experiment, sources: Sources) -> Objective:
    """Return what `experiment` trains on; what that needs comes into `sources`."""
    task, training = experiment.task, experiment.training
    options = ", weight=weight" if training.class_weights == "balanced" else ""
    options += f", label_smoothing={training.label_smoothing!r}" if training.label_smoothing else ""
    loss = " + ".join(
        f"{sources.add(kind.function)}(outputs, truth{options if kind.takes else ''})" for kind in losses(task, training)
    )
    weights = ""
    if training.class_weights == "balanced":
        weights = f"    weight = {sources.add('skipviz.learning.objective:balanced_weights')}(y, {class_count(task)})\n"
    metric = task.kind.metric
    return Objective(loss, weights, sources.add(f"skipviz.learning.metric.{metric}:{metric}"))
