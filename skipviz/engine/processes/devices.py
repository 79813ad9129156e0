"""Which device a run computes on, decided without torch."""

from __future__ import annotations

import os
import sys
from functools import cache
from typing import Literal

from ...tasks.experiment import Experiment

CUDA_PAYS = 100_000_000
"""Parameters × samples of a step from which a CUDA device is taken by itself: below, launching kernels costs more than
one core's arithmetic, and a fresh process with CUDA takes seconds to start."""


@cache
def has_cuda() -> bool:
    """Return whether this machine has a CUDA device that this process may use."""
    if os.environ.get("CUDA_VISIBLE_DEVICES", "all") in ("", "-1"):
        return False
    if sys.platform == "linux":
        return os.path.exists("/dev/nvidia0") or os.path.exists("/dev/dxg")
    return sys.platform == "win32" and os.path.exists(os.path.join(os.environ.get("WINDIR", ""), "System32", "nvcuda.dll"))


def resolve(experiment: Experiment, cuda: bool = True) -> Literal["cpu", "cuda"] | None:
    """Return the device for `experiment`, or None if it asks for one that is not there, or that it may not have (`cuda`)."""
    training = experiment.training
    if training.device == "cpu":
        return "cpu"
    if training.device == "cuda":
        return "cuda" if cuda and has_cuda() else None
    parameters = sum(network.parameter_count() for network in experiment.variants.values())
    return "cuda" if cuda and has_cuda() and parameters * training.batch_size >= CUDA_PAYS else "cpu"
