"""The settings of the loss: which losses a training has, and which of its fields act on which task. Imports no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from .loss import CHOSEN, LOSSES
from .objective_kind import Loss

if TYPE_CHECKING:
    from .experiment import Training
    from .task import Task

ClassWeights = Literal["none", "balanced"]
CLASS_WEIGHTS = {"none": "none", "balanced": "balanced"}


def losses(task: Task, training: Training) -> tuple[Loss, ...]:
    """Return the losses that are added up: the task's own, the one chosen in its place, or both."""
    own, chosen = LOSSES[task.kind.loss], LOSSES.get(training.loss)
    return (own,) if chosen is None else (own, chosen) if chosen.added else (chosen,)


def choices(task: Task) -> dict[str, str]:
    """Return what `Training.loss` can be for `task`, with its words."""
    return {name: words for name, words in CHOSEN.items() if name == "auto" or task.kind.loss in LOSSES[name].replaces}


def class_count(task: Task) -> int:
    """Return how many classes are told apart; a mask's pixels are of two."""
    return max(2, task.output_shape()[-1 if task.gives_tokens else 0])


def takes(task: Task, training: Training) -> set[str]:
    """Return the fields of `Training` that can change the loss of `task`, beside `training`'s other settings."""
    taken = {field for kind in losses(task, training) for field in kind.takes}
    return taken | ({"loss"} if len(choices(task)) > 1 else set())


def problem(task: Task, training: Training) -> str | None:
    """Return one sentence about a setting of the loss that `task` has no use for, or None."""
    if task.watched:
        return None
    title, known, own = task.kind.title, takes(task, training), LOSSES[task.kind.loss]
    if training.loss not in choices(task):
        return f"{LOSSES[training.loss].only.format(title)}: leave loss at auto"
    for field, words, left in (("class_weights", "class weights act", "none"), ("label_smoothing", "label smoothing acts", "0")):
        if getattr(training, field) == type(training).model_fields[field].default or field in known:
            continue
        if field in own.takes:
            chosen = LOSSES[training.loss]
            other = next((name for name, kind in LOSSES.items() if kind.added and kind.function == chosen.function), "auto")
            return f"{words} on a cross-entropy, and {chosen.words} alone has none: take {other}, or leave {field} at {left}"
        if task.finds_masks:
            return f"label smoothing is of two classes or more, and {title} has masks of one thing: leave {field} at {left}"
        return f"{words} on classes, and {title} is about numbers: leave {field} at {left}"
    return None


def fitted_loss(task: Task, training: Training) -> Training:
    """Return `training` without the settings of the loss that `task` has no use for."""
    fields = type(training).model_fields
    if training.loss not in choices(task):
        training = training.replaced(loss="auto")
    unused = {"class_weights", "label_smoothing"} - takes(task, training)
    return training.replaced(**{field: fields[field].default for field in unused}) if unused else training
