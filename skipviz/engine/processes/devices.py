"""Which device a run computes on, decided without torch."""

from __future__ import annotations

import os
import sys
from functools import cache
from typing import Literal

from ...tasks.experiment import Experiment
from ..capacity.duration import step_seconds

BOX_SECONDS = 0.3e-3
"""What a layer's step takes on CUDA however little it computes: its kernels are begun one by one. Measured on an H200: 0.15 ms
of a linear layer, 0.3 ms of a convolution with batch norm."""
PAYS = 3
"""Times as fast a step must be there for CUDA to be taken by itself: a fresh process with CUDA takes seconds to start."""


@cache
def has_cuda() -> bool:
    """Return whether this machine has a CUDA device that this process may use."""
    if os.environ.get("CUDA_VISIBLE_DEVICES", "all") in ("", "-1"):
        return False
    if sys.platform == "linux":
        return os.path.exists("/dev/nvidia0") or os.path.exists("/dev/dxg")
    return sys.platform == "win32" and os.path.exists(os.path.join(os.environ.get("WINDIR", ""), "System32", "nvcuda.dll"))


def resolve(
    experiment: Experiment, cuda: bool = True, before: str | None = None, there: bool | None = None
) -> Literal["cpu", "cuda"] | None:
    """Return the device for `experiment`, or None if it asks for one that is not there, or that it may not have (not `cuda`).

    `there` is whether a cluster has one; None: it is computed on this machine.

    It is asked for by the experiment, or by where its first steps were computed `before`.
    """
    training, wanted = experiment.training, before or experiment.training.device
    cuda = cuda and (has_cuda() if there is None else there)
    if wanted == "cpu":
        return "cpu"
    if wanted == "cuda":
        return "cuda" if cuda else None
    if not cuda:
        return "cpu"
    boxes = sum(network.depth + len(network.branches) for network in experiment.variants.values())
    there = BOX_SECONDS * boxes * training.accumulation
    return "cuda" if step_seconds(experiment) >= PAYS * there else "cpu"
