"""A variant's trained weights as a safetensors file, which says in its metadata how it is loaded."""

from __future__ import annotations

import numpy as np

from ..network.network import Network
from ..version import __version__

SUFFIX = ".safetensors"
LOADING = """import safetensors, safetensors.torch, skipviz

with safetensors.safe_open(path, "pt") as file:
    network = skipviz.Network.kept(file.metadata()["network"])
model = skipviz.build(network)
model.load_state_dict(safetensors.torch.load_file(path))
model.eval()
"""
"""Python that gives a file's model; `path` is where the file lies."""


def to_safetensors(weights: dict[str, np.ndarray], network: Network, variant: str, steps: int) -> bytes:
    """Return the file of weights by name; `network` has the switches of the end, `steps` were taken with these weights."""
    from safetensors.numpy import save

    metadata = {
        "load": LOADING,
        "variant": variant,
        "step": str(steps),
        "network": network.model_dump_json(exclude_defaults=True),
        "skipviz": __version__,
    }
    return save({name: np.asarray(array, order="C") for name, array in weights.items()}, metadata)
