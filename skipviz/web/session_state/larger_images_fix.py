"""The offer to make a task's images larger where an architecture is too deep for them."""

from __future__ import annotations

from collections.abc import Callable

from ...network.base import NetworkError
from ...tasks.experiment import Experiment
from ...tasks.task import Task
from .suggested_fix import SuggestedFix

SIZES = (16, 24, 32, 48, 64, 96, 128, 192, 256)
"""Pixels a side that are offered of images that are made."""


def larger_images(at: Experiment, make: Callable[[Task], Experiment]) -> SuggestedFix | None:
    """Return the offer of the smallest larger images of the task for which `make(task)` gives an experiment, or None."""
    task = at.task
    if "image_size" not in task.kind.settings:
        return None
    for size in SIZES:
        if size <= task.image_size:
            continue
        try:
            made = make(task.replaced(image_size=size))
        except NetworkError:
            continue
        sentence = f"Images of {task.image_size} pixels are too small for that; with {size} pixels a side it fits."
        return SuggestedFix(at, sentence, f"Use images of {size} pixels", made)
    return None
