"""The twin of a network: the same one without its skips, trained beside it on the same batches."""

from __future__ import annotations

from ..network import edit
from ..network.network import Network
from .experiment import Experiment

TWIN = "without-skips"
"""The twin's name among an experiment's variants."""


def twin_of(network: Network) -> Network:
    """Return `network` with every skip off; equal seeds give it equal weights at the start.

    A fixed branch scale goes with the skips: it weighs a branch against its skip, and on a plain network it would only
    make the signal vanish faster. Valves and layer switches stand as they do in `network`, where a layer can be off without skips.
    """
    bare = edit.awake(edit.bare(network))
    layers = tuple(layer if layer.scale is None or layer.scale_learned else layer.replaced(scale=None) for layer in bare.layers)
    return bare if layers == bare.layers else edit.changed(bare, layers=layers)


def with_twin(experiment: Experiment) -> Experiment:
    """Return the experiment of the first network and its twin."""
    name, network = next(iter(experiment.variants.items()))
    return experiment.replaced(variants={name: network, TWIN: twin_of(network)})
