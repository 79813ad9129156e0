"""The settings of the loss: their words, and which of them act on which task. Imports no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from .experiment import Training
    from .task import Task

Loss = Literal["auto", "dice", "cross_entropy+dice"]
LOSSES = {"auto": "the task's own", "dice": "Dice", "cross_entropy+dice": "cross-entropy + Dice"}
"""The losses' names as they are written."""
ClassWeights = Literal["none", "balanced"]
CLASS_WEIGHTS = {"none": "none", "balanced": "balanced"}


def takes(task: Task, training: Training) -> set[str]:
    """Return the fields of `Training` that can change the loss of `task`, beside `training`'s other settings."""
    fields = {"loss"} if task.finds_masks else set()
    if task.kind.loss == "squared_error" or training.loss == "dice":
        return fields
    return fields | {"class_weights"} | (set() if task.kind.loss == "binary_cross_entropy" else {"label_smoothing"})


def problem(task: Task, training: Training) -> str | None:
    """Return one sentence about a setting of the loss that `task` has no use for, or None."""
    title, known = task.kind.title, takes(task, training)
    if training.loss != "auto" and "loss" not in known:
        return f"Dice is a loss of masks, and {title} has none: leave loss at auto"
    for field, words, left in (("class_weights", "class weights act", "none"), ("label_smoothing", "label smoothing acts", "0")):
        if getattr(training, field) == type(training).model_fields[field].default or field in known:
            continue
        if training.loss == "dice":
            return f"{words} on a cross-entropy, and Dice alone has none: take cross_entropy+dice, or leave {field} at {left}"
        if task.finds_masks:
            return f"label smoothing is of two classes or more, and {title} has masks of one thing: leave {field} at {left}"
        return f"{words} on classes, and {title} is about numbers: leave {field} at {left}"
    return None


def fitted_loss(task: Task, training: Training) -> Training:
    """Return `training` without the settings of the loss that `task` has no use for."""
    fields = ("loss", "class_weights", "label_smoothing")
    for field in fields:  # what a loss takes is known when it is fitted itself
        if field not in takes(task, training):
            training = training.replaced(**{field: type(training).model_fields[field].default})
    return training
