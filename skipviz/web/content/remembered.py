"""What was worked out of an experiment, kept as long as that very experiment is held: pages ask for it with every change."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from ...tasks.experiment import Experiment

Value = TypeVar("Value")


def remembered(work_out: Callable[[Experiment], Value]) -> Callable[[Experiment], Value]:
    """Have `work_out` called once for each experiment object; comparing two of 2,500 layers would cost as much again."""
    known: dict[int, tuple[weakref.ref, Value]] = {}

    @wraps(work_out)
    def value_of(experiment: Experiment) -> Value:
        key = id(experiment)
        found = known.get(key)
        if found is not None and found[0]() is experiment:
            return found[1]
        value = work_out(experiment)
        known[key] = weakref.ref(experiment, lambda _: known.pop(key, None)), value
        return value

    return value_of
