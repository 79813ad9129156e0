"""A variant's trained weights as a safetensors file, which says in its metadata how it is loaded. Imports no torch."""

from __future__ import annotations

import io
import json
import zipfile
from math import prod

import numpy as np

from ..network.network import Network
from ..tasks.experiment import experiment_from_json
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


OWN_LOADING = """import safetensors.torch

model = make_model()  # as your own file makes it; tied weights are here under one name
model.load_state_dict(safetensors.torch.load_file(path), strict=False)
"""
"""The same of a module that the lab was opened on."""


class WeightsError(ValueError):
    """Weights that cannot be given; one sentence."""


def to_safetensors(weights: dict[str, np.ndarray], network: Network, variant: str, steps: int) -> bytes:
    """Return the file of weights by name; `network` has the switches of the end, `steps` were taken with these weights."""
    from safetensors.numpy import save

    metadata = {
        "load": OWN_LOADING if network.watched else LOADING,
        "variant": variant,
        "step": str(steps),
        "network": network.model_dump_json(exclude_defaults=True),
        "skipviz": __version__,
    }
    return save({name: np.asarray(array, order="C") for name, array in weights.items()}, metadata)


def from_checkpoint(data: bytes, variant: str, label: str) -> bytes:
    """Return the file of a variant's weights, from the bytes of a run's checkpoint (`skipviz.learning.checkpoint`).

    `label` is what people call the variant. The weights of one that diverged are those before the step at which it did. Raises
    `WeightsError`.
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            facts = json.loads(archive["facts"].tobytes())
            experiment = experiment_from_json(facts["experiment"])
            if "weights" not in facts and not experiment.task.watched:
                raise WeightsError("this run was kept by an earlier version, without the names of its weights")
            place = list(experiment.variants).index(variant)
            if experiment.task.watched:
                weights = _own(archive, f"{place}/value/", facts["bfloat16"])
            else:
                weights = _parted(archive[f"{place}/values"], facts["weights"][place])
            buffers = f"{place}/buffer/"
            weights |= {name.removeprefix(buffers): archive[name] for name in archive.files if name.startswith(buffers)}
    except (LookupError, TypeError, OSError, EOFError, zipfile.BadZipFile, ValueError) as error:
        if isinstance(error, WeightsError):
            raise
        raise WeightsError("the weights that were kept of this run cannot be read") from None
    steps = min(facts["step"], facts["diverged"].get(variant, facts)["step"])
    return to_safetensors(weights, experiment.variants[variant], label, steps)


def _own(archive, prefix: str, halves: list[str]) -> dict[str, np.ndarray]:
    """Return the parameters of a person's own module by name; what is bfloat16, which numpy has not, as float32."""
    found = {name: archive[name] for name in archive.files if name.startswith(prefix)}
    for name in found.keys() & set(halves):
        found[name] = (found[name].view(np.uint16).astype(np.uint32) << 16).view(np.float32)
    return {name.removeprefix(prefix): array for name, array in found.items()}


def _parted(values: np.ndarray, shapes: list) -> dict[str, np.ndarray]:
    """Return a flat vector's parts by name."""
    ends = np.cumsum([prod(shape) for _, shape in shapes])
    return {name: part.reshape(shape) for (name, shape), part in zip(shapes, np.split(values, ends[:-1]), strict=True)}
