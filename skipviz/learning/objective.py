"""The loss that an experiment trains on."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pkgutil import resolve_name

import torch
from torch import Tensor

from ..tasks.experiment import Experiment
from ..tasks.objective import class_count, losses
from ..tasks.own import IGNORED


def balanced_weights(truth: Tensor, classes: int) -> Tensor:
    """Return n / (k · n_c) for each of k classes that occur n_c times among n, 0 for others (King and Zeng 2001)."""
    labels = (truth > 0.5).long() if truth.is_floating_point() else truth.long()
    counts = torch.bincount(labels[labels != IGNORED], minlength=classes).double()
    return torch.where(counts > 0, counts.sum() / ((counts > 0).sum() * counts), 0.0).float()


def objective(experiment: Experiment, truth: Tensor) -> Callable[[Tensor, Tensor], Tensor]:
    """Return the loss of a batch as a function of (outputs, truth); `truth` here is that of all training samples.

    Where a step takes several batches its loss is the mean of theirs: of weighted means and of Dice, which are no means over
    samples, that is another number than the one of all their samples together.
    """
    task, training = experiment.task, experiment.training
    options = {}
    if training.class_weights == "balanced":
        options["weight"] = balanced_weights(truth, class_count(task))
    if training.label_smoothing:
        options["label_smoothing"] = training.label_smoothing
    first, *more = (
        partial(resolve_name(kind.function), **options) if kind.takes and options else resolve_name(kind.function)
        for kind in losses(task, training)
    )
    return (lambda outputs, truth: first(outputs, truth) + more[0](outputs, truth)) if more else first


def finite(value: float) -> float | None:
    """Return `value`, or None if it is NaN or infinite."""
    return value if abs(value) < torch.inf else None
