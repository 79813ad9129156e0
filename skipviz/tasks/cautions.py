"""What an experiment cannot do, seen from its description before it starts. Imports no torch."""

from __future__ import annotations

from ..network import Network
from ..network.operation import values_normed
from .data import HELD_OUT_SHARE
from .experiment import Experiment

_NORMS = {"batch": "batch norm", "layer": "layer norm", "group": "group norm"}
_OVER = {"batch": "a channel of a batch", "layer": "a sample", "group": "a group"}


def cautions(experiment: Experiment) -> list[str]:
    """Return a sentence for each norm that has one or two values to normalise, by variant where there are several."""
    samples = experiment.task.sample_count()
    batch_size = min(experiment.training.batch_size, samples - max(1, samples // HELD_OUT_SHARE))
    said = []
    for name, network in experiment.variants.items():
        prefix = f"{name}: " if len(experiment.variants) > 1 else ""
        said += [prefix + sentence for sentence in _of_norms(network, batch_size)]
    return said


def _of_norms(network: Network, batch_size: int) -> list[str]:
    found: dict[tuple[str, int], list[str]] = {}
    for k, (layer, shape) in enumerate(zip(network.layers, network.shapes.layers, strict=True), start=1):
        values = values_normed(layer.norm, shape.input if layer.order == "norm-act-op" else shape.output, batch_size)
        if layer.on and values in (1, 2):
            found.setdefault((layer.norm, values), []).append(f"f({k})")
    for skip, shape in zip(network.skips, network.shapes.skips, strict=True):
        norm = shape.adapter.norm if shape.adapter.channels == "project" else "none"
        values = values_normed(norm, shape.carried, batch_size)
        if values in (1, 2):
            found.setdefault((norm, values), []).append(f"the skip h({skip.source}) → h({skip.target})")
    return [_sentence(norm, values, places, batch_size) for (norm, values), places in found.items()]


def _sentence(norm: str, values: int, places: list[str], batch_size: int) -> str:
    where = places[0] if len(places) == 1 else f"{places[0]} and {len(places) - 1} more"
    over = f"{_OVER[norm]}{f' of {batch_size}' if norm == 'batch' else ''}"
    cure = "Take a larger batch or another norm." if norm == "batch" else "Take more channels or another norm."
    if values == 1:
        what = "one value to normalise, so its output is its bias whatever comes in and no gradient gets through it"
    else:
        what = "two values to normalise, which become about +1 and −1 whatever they are: hardly any gradient gets through it"
    return f"The {_NORMS[norm]} at {where} has {what} ({values} in {over}). {cure}"
