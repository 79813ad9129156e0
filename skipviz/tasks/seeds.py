"""Whether several seeds of a network are computed together. Imports the data model only."""

from __future__ import annotations

from ..network.network import Network
from .experiment import Experiment, Training


def obstacle(experiment: Experiment) -> str:
    """Return in a few words why the seeds are computed one after the other; nothing where it is together, on a CPU.

    Together they are where all that is learned is linear maps and nothing is random.
    """
    found = (_of_training(experiment.training), *map(_of_network, experiment.variants.values()))
    return next(filter(None, found), "")


def _of_training(training: Training) -> str:
    if training.accumulation > 1:
        return "a step takes several batches"
    return "" if training.precision == "float32" else f"passes are in {training.precision}"


def _of_network(network: Network) -> str:
    shapes = network.shapes
    for layer, shape in zip((*network.layers, *network.branches), (*shapes.layers, *shapes.branches), strict=True):
        if layer.dropout or layer.drop_path:
            return f"{layer.id} drops at random"
        linear = layer.op.kind == "linear"
        if layer.norm != "none" or (
            not layer.shares and shape.parameters != (layer.op.parameter_count(shape.input) if linear else 0)
        ):
            return f"{layer.id} learns more than a linear map"
    edges = zip((*network.skips, *network.edges), (*shapes.skips, *shapes.edges), strict=True)
    learning = next((edge.id for edge, shape in edges if shape.parameters), "")
    if learning:
        return f"{learning} has weights"
    return "the head is a convolution" if network.head.kind == "pixels" else ""
