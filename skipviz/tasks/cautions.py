"""What an experiment cannot do, seen from its description before it starts. Imports no torch."""

from __future__ import annotations

from ..network import Network
from ..network.kind import Norm
from ..network.norm import NORMS
from .experiment import Experiment
from .split import HELD_OUT_SHARE


def cautions(experiment: Experiment) -> list[str]:
    """Return a sentence for each norm that has one or two values to normalise, by variant where there are several."""
    samples = experiment.task.sample_count()
    batch_size = min(experiment.training.batch_size, samples - max(1, samples // HELD_OUT_SHARE))
    said = []
    for name, network in experiment.variants.items():
        prefix = f"{experiment.label(name)}: " if len(experiment.variants) > 1 else ""
        said += [prefix + sentence for sentence in _of_norms(network, batch_size)]
    return said


def _of_norms(network: Network, batch_size: int) -> list[str]:
    places = []
    for k, (layer, shape) in enumerate(zip(network.layers, network.shapes.layers, strict=True), start=1):
        if layer.on and layer.norm != "none":
            places.append((NORMS[layer.norm], layer.normed_shape(shape.input, shape.output), f"f({k})"))
    for skip, shape in zip(network.skips, network.shapes.skips, strict=True):
        if shape.adapter.channels == "project" and shape.adapter.norm != "none":
            places.append((NORMS[shape.adapter.norm], shape.carried, f"the skip h({skip.source}) → h({skip.target})"))
    found: dict[tuple[str, int], list[str]] = {}
    for norm, shape, place in places:
        values = norm.values_normed(shape, batch_size)
        if values <= (2 if norm.centred else 1):
            found.setdefault((norm.name, values), []).append(place)
    return [_sentence(NORMS[name], values, where, batch_size) for (name, values), where in found.items()]


def _sentence(norm: Norm, values: int, places: list[str], batch_size: int) -> str:
    where = places[0] if len(places) == 1 else f"{places[0]} and {len(places) - 1} more"
    over = f"{norm.over}{f' of {batch_size}' if norm.batch else ''}"
    cure = "Take a larger batch or another norm." if norm.batch else "Take more channels or another norm."
    if values == 2:
        what = "two values to normalise, which become about +1 and −1 whatever they are: hardly any gradient gets through it"
    elif norm.centred:
        what = "one value to normalise, so its output is its bias whatever comes in and no gradient gets through it"
    else:
        what = "one value to normalise, which becomes about +1 or −1 whatever it is: hardly any gradient gets through it"
    return f"The {norm.words} at {where} has {what} ({values} in {over}). {cure}"
