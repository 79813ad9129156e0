"""About how long a step takes, from the multiplications, calls and memory that it needs. Imports no torch."""

from __future__ import annotations

import json
from functools import cache
from math import prod

from ...network.base import elements, is_image, spatial
from ...network.edit import PARTS
from ...network.layer import Layer
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


class Rehearsed:
    """The same of a small network's steps, which are made again without Python (`learning.rehearsal`), measured of 25 networks."""

    LIGHT_ELEMENTS = 2**15
    """Elements of a batch's largest state up to which they are."""
    STEP, CALL, SKIP = 100e-6, 5.5e-6, 2.5e-6
    """What a step costs in itself, a linear map or norm, and a skip."""
    MULTIPLICATIONS, ELEMENT, PARAMETER = 4.3e10, 2.3e-9, 1.7e-9
    FRAME, LAYER_OF_FRAME, PARAMETER_OF_FRAME = 1e-3, 40e-6, 2.5e-9
    """What measuring a step costs beside it, in itself, for each layer and for each parameter."""
    FRAMES = 60
    """Steps a second that are measured while they are watched."""


def step_seconds(experiment: Experiment, measured: float | None = None) -> float:
    """Return about how many seconds a watched step takes on one core of a machine that is otherwise idle.

    `measured` is what measuring the experiment at initialisation took, which a watched step repeats: it counts where it is the
    longer, since short measurements are mostly a first time's. The constants were fitted to the fastest steps of 19 networks,
    and of 25 whose passes are made again, within a factor of about two; on a busy machine a step takes longer.
    """
    batch = experiment.training.batch_size
    if not experiment.task.watched:
        batch = min(batch, experiment.task.sample_count())
    seeds, together = experiment.training.seeds, not obstacle(experiment)
    passes = experiment.training.accumulation * (1 if together else seeds)
    at_once = seeds if together else 1
    estimate = passes * sum(
        (_rehearsed_seconds if _is_rehearsed(experiment, network, at_once * batch) else _seconds)(network, batch, at_once)
        for network in experiment.variants.values()
    )
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


def _is_rehearsed(experiment: Experiment, network: Network, batch: int) -> bool:
    """Return whether passes of `batch` samples are made again: light ones, on the CPU, one a step, in which nothing draws."""
    training = experiment.training
    if experiment.task.watched or training.device == "cuda" or training.accumulation > 1 or training.precision != "float32":
        return False
    draws = any(box.dropout or box.drop_path for box in _boxes(network))
    return not draws and batch * max(map(elements, network.shapes.states)) <= Rehearsed.LIGHT_ELEMENTS


def _rehearsed_seconds(network: Network, batch: int, seeds: int) -> float:
    """Return what a step of a small network takes on the average, where as many of them are measured as a second shows."""
    boxes, parameters = _boxes(network), seeds * network.parameter_count()
    took = Rehearsed.STEP + Rehearsed.SKIP * _skips(network) + Rehearsed.PARAMETER * parameters
    took += Rehearsed.CALL * sum(box.op.calls + (box.norm != "none") for box in boxes)
    took += Rehearsed.ELEMENT * seeds * batch * footprint(network).forward
    took += 3 * seeds * batch * multiplications(network) / Rehearsed.MULTIPLICATIONS
    frame = Rehearsed.FRAME + Rehearsed.LAYER_OF_FRAME * len(boxes) + Rehearsed.PARAMETER_OF_FRAME * parameters
    return min(took + frame, took / max(1e-9, 1 - Rehearsed.FRAMES * frame))


def _boxes(network: Network) -> list[Layer]:
    """Return what computes by itself: layers, and nodes of branches that are no merges."""
    return [*network.layers, *(node for node in network.branches if not node.is_merge)]


def _skips(network: Network) -> int:
    return sum(MERGES[skip.merge].calls(skip) for skip in network.skips) + len(network.edges)


def _seconds(network: Network, batch: int, seeds: int) -> float:
    calls = CALL_SECONDS * (network.depth + len(network.branches)) + SKIP_SECONDS * _skips(network)
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
