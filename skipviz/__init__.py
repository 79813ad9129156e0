"""skipviz: assemble a network as a chain with skips, train it, and measure the gradient of every layer and edge.

Importing this package imports no torch; `build` and `train` do when they are called.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from . import evidence
from .network import (
    Adapter,
    Edge,
    Group,
    Head,
    Join,
    Layer,
    Network,
    NetworkError,
    Node,
    Skip,
    edit,
    families,
)
from .network.operation import CLASSES
from .sharing import link
from .sharing.link import LinkError
from .tasks import presets
from .tasks.experiment import Experiment, ExperimentError, Training, experiment_from_json
from .tasks.task import Task
from .version import __version__ as __version__
from .watch import watch

if TYPE_CHECKING:
    import torch

    from .learning.training import TrainingRun
    from .tasks.event import Event

globals().update(CLASSES)

__all__ = [
    "Adapter",
    "Edge",
    "Experiment",
    "ExperimentError",
    "Group",
    "Head",
    "Join",
    "Layer",
    "LinkError",
    "Network",
    "NetworkError",
    "Node",
    "Skip",
    "Task",
    "Training",
    "build",
    "edit",
    "evidence",
    "experiment_from_json",
    "families",
    "link",
    "presets",
    "train",
    "watch",
    *CLASSES,
]


def build(network: Network, seed: int = 0) -> torch.nn.Module:
    """Return `network` as a torch module `(batch, *input) → (batch, *output)`; weights go by (seed, layer id).

    One of several inputs takes a batch for each, the trunk's first.
    """
    from .learning.build import build as build_module

    return build_module(network, seed)


def train(experiment: Experiment, events: Iterable[Event] = ()) -> TrainingRun:
    """Train `experiment` in this process while its frames are taken; `events` act before the step they name.

    After the last frame, `.model(variant)` gives a module with the trained weights.
    """
    from .learning.training import train as train_here

    return train_here(experiment, events)
