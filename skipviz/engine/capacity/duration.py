"""About how long a step takes, from the multiplications, calls and memory that it needs. Imports no torch."""

from __future__ import annotations

import json
from functools import cache
from math import prod

from ...network.base import elements, is_image, spatial
from ...network.edit import PARTS
from ...network.merge import MERGES
from ...network.network import Network
from ...tasks.experiment import Experiment
from ...tasks.seeds import obstacle
from .footprint import footprint

CALL_SECONDS, SKIP_SECONDS = 50e-6, 15e-6
"""What a layer and a skip cost however narrow they are, forward, backward and measured."""
MULTIPLICATIONS, CONVOLVED = 4e10, 2e10
"""Multiplications a second of one core, of matrices and of small convolutions."""
PARAMETER_SECONDS = 10e-9
"""For each parameter, whose gradient is flattened, measured and stepped on."""
ELEMENT_SECONDS = 2e-9
"""For each element that a forward pass holds: written once, read and answered once backward."""
DROPPED_SECONDS = 6e-9
"""For each element of a dropout's mask, which is drawn anew at every step."""


def step_seconds(experiment: Experiment, measured: float | None = None) -> float:
    """Return about how many seconds a watched step takes on one core of a machine that is otherwise idle.

    `measured` is what measuring the experiment at initialisation took, which a watched step repeats: it counts where it is the
    longer, since short measurements are mostly a first time's. The constants were fitted to the fastest steps of 19 networks,
    within a factor of about two; on a busy machine a step takes longer, a small network's by much more.
    """
    batch = experiment.training.batch_size
    if not experiment.task.watched:
        batch = min(batch, experiment.task.sample_count())
    seeds, together = experiment.training.seeds, not obstacle(experiment)
    passes = experiment.training.accumulation * (1 if together else seeds)
    estimate = passes * sum(_seconds(network, batch, seeds if together else 1) for network in experiment.variants.values())
    if experiment.training.precision == "bfloat16":
        estimate *= bfloat16_cost()
    return measured if measured is not None and LONG < measured < FIRST_TIMES * estimate else estimate


def shape_of(experiment: Experiment) -> str:
    """Return as a text what decides how long a step takes: the same for every switch, strength, gain, rate and seed."""
    data = experiment.trained()
    for network in data["variants"].values():
        for part in (one for name in PARTS for one in network.get(name, ())):
            for name in ("on", "strength", "gain", "init", "init_factor"):
                part.pop(name, None)
    training = {name: value for name, value in data.get("training", {}).items() if name in _TIMED}
    return json.dumps([list(data["variants"].values()), data.get("task", {}).get("name"), training], sort_keys=True)


_TIMED = ("optimizer", "batch_size", "accumulation", "precision", "device", "momentum", "seeds")
"""Fields of training that a step's time hangs on."""

LONG = 0.2
"""Seconds from which a measurement says more than the estimate."""

FIRST_TIMES = 50
"""Times the estimate from which even a long measurement is a first time's, taken while the server was still beginning."""


EMULATED, NATIVE = 4.0, 1.0
"""Times a float32 step that one in bfloat16 takes on a CPU, without and with instructions for it."""


@cache
def bfloat16_cost() -> float:
    """Return how many times as long a step in bfloat16 takes here as one in float32."""
    try:
        with open("/proc/cpuinfo") as lines:
            flags = next(line for line in lines if line.startswith(("flags", "Features")))
    except (OSError, StopIteration):
        return EMULATED
    return NATIVE if {"avx512_bf16", "amx_bf16", "bf16"} & set(flags.split()) else EMULATED


def _seconds(network: Network, batch: int, seeds: int) -> float:
    skips = sum(MERGES[skip.merge].calls(skip) for skip in network.skips) + len(network.edges)
    calls = CALL_SECONDS * (network.depth + len(network.branches)) + SKIP_SECONDS * skips
    moved = ELEMENT_SECONDS * batch * footprint(network).forward
    drawn = DROPPED_SECONDS * batch * dropped(network)
    computed = 3 * batch * multiplications(network) / (CONVOLVED if is_image(network.input) else MULTIPLICATIONS)
    return calls + seeds * (moved + drawn + computed + PARAMETER_SECONDS * network.parameter_count())


def dropped(network: Network) -> int:
    """Return how many elements of one sample's forward pass lie under a dropout's mask."""
    return sum(elements(shape.output) for layer, shape in zip(network.layers, network.shapes.layers, strict=True) if layer.dropout)


def multiplications(network: Network) -> int:
    """Return the multiplications of one sample's forward pass: each weight once at each place that it is used at."""
    shapes = network.shapes
    total = sum(layer.op.multiplications(shape.input) for layer, shape in zip(network.layers, shapes.layers, strict=True))
    beside = zip(network.branches, shapes.branches, strict=True)
    total += sum(node.op.multiplications(shape.input) for node, shape in beside if not node.is_merge)
    total += sum(part.parameters * prod(spatial(part.carried)) for part in (*shapes.skips, *shapes.edges))
    return total + shapes.head_parameters * (1 if len(shapes.output) == 1 else prod(spatial(shapes.output)))
