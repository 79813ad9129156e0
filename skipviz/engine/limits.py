"""How much one run may take: what is refused before it starts, and the bound that its process keeps. Imports no torch."""

from __future__ import annotations

import math

from ..network.base import elements
from ..network.network import Network
from ..tasks.experiment import Experiment
from ..tasks.own import UploadError
from ..tasks.task import Task

_COPIES = {"sgd": 5, "momentum": 6, "adam": 7, "adamw": 7}
"""Tensors of a parameter's size at the peak of a recorded step: value, gradient, optimizer state, the step taken, ghost.

These and `_ACTIVATIONS` were chosen so that the estimate was 0.7 to 2 times what six networks took (dense and
convolutional, with and without batch norm); the process's own bound is exact.
"""
_ACTIVATIONS = 6
"""Tensors of a state's size at that peak: operation, norm, activation, their gradients, ghost."""


_DATA_COPIES = 4
"""Tensors of the size of all inputs of one's own data: as kept, as doubles (two), and as the network takes them."""


def memory_mb(experiment: Experiment) -> float:
    """Return about how many MB a run of `experiment` takes beside torch."""
    training = experiment.training
    batch = min(training.batch_size, experiment.task.sample_count())
    networks = sum(_bytes(network, batch, training.optimizer) for network in experiment.variants.values())
    return (networks + _data_bytes(experiment.task)) / 2**20


def _data_bytes(task: Task) -> int:
    """Return what one's own data takes at the peak, while it is standardised; generated data is small."""
    return _DATA_COPIES * 4 * task.own.samples * elements(task.own.shape) if task.own else 0


def _bytes(network: Network, batch: int, optimizer: str) -> int:
    shapes = network.shapes
    states = sum(elements(shape) for shape in shapes.states)
    joined = sum(elements(layer.input) for layer in shapes.layers) + sum(elements(skip.carried) for skip in shapes.skips)
    return 4 * (shapes.parameters * _COPIES[optimizer] + batch * (_ACTIVATIONS * states + joined))


def refusal(experiment: Experiment, limit_mb: int) -> str | None:
    """Return one sentence that says why `experiment` is too big to run, or None."""
    needed = memory_mb(experiment)
    if needed <= limit_mb:
        return None
    parameters = sum(network.parameter_count() for network in experiment.variants.values())
    return (
        f"this experiment needs about {_written(needed)} of memory ({parameters:,} parameters, batches of"
        f" {experiment.training.batch_size:,}) and a run may take {_written(limit_mb)}:"
        " make it narrower, shallower, or its batches smaller"
    )


def _written(megabytes: float) -> str:
    return f"{megabytes / 1024:.1f} GB" if megabytes >= 1024 else f"{math.ceil(megabytes)} MB"


def bound_memory(megabytes: int) -> None:
    """Let this process allocate at most `megabytes` more than it holds; does nothing where the system has no such bound."""
    try:
        import resource

        with open("/proc/self/status") as status:
            held = next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmData:"))
        limit = held + megabytes * 2**20
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (limit if hard < 0 else min(limit, hard), hard))
    except (ImportError, OSError, StopIteration, ValueError):
        return


def is_memory_error(error: BaseException) -> bool:
    """Return whether `error` is Python's or torch's way to say that an allocation failed."""
    return isinstance(error, MemoryError) or "can't allocate memory" in str(error) or "out of memory" in str(error)


def reason(error: BaseException, megabytes: int) -> str:
    """Return one sentence on why a run failed with `error`."""
    if is_memory_error(error):
        return f"the run needed more than the {_written(megabytes)} of memory that a run may take"
    if isinstance(error, UploadError):
        return str(error)
    text = " ".join(str(error).split())[:300]
    return f"the run's worker stopped: {type(error).__name__}{': ' + text if text else ''}"
