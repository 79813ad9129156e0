"""A run's frames as one tidy table, for files. pandas is imported inside functions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..tasks.experiment import Experiment

if TYPE_CHECKING:
    import pandas

    from ..learning.frame import Frame
    from ..network.network import Network

COLUMNS = ("step", "variant", "quantity", "part", "value")
"""One row a number: `part` is a layer's or a skip's id, `h<k>` for a state, `head`, or empty for the whole network."""

SCALARS = {"loss": "", "metric": "", "held_out": "", "head_grad": "head"}
LAYER_FIELDS = ("weight_grad", "trunk_grad", "scale_grad", "update_ratio", "ghost")
STATE_FIELDS = ("state_grad", "state_rms", "ghost_state")
SKIP_FIELDS = ("skip_grad", "skip_weight_grad")


def table(experiment: Experiment, frames: Iterable[Frame | dict]) -> pandas.DataFrame:
    """Return the numbers of `frames` (objects or their JSON data) as a table with `COLUMNS`.

    Gradients are L2 norms of the batch's mean loss; what was not measured or not finite has no row.
    `trunk_grad` of f_k is the part of ∂L/∂h_{k-1} that came back through f_k.
    """
    import pandas

    columns: dict[str, list] = {name: [] for name in COLUMNS}
    parts = {name: _parts(network) for name, network in experiment.variants.items()}
    for frame in frames:
        data = frame if isinstance(frame, dict) else frame.to_data()
        for variant, measured in data["variants"].items():
            for quantity, names in parts[variant].items():
                _append(columns, data["step"], variant, quantity, names, measured.get(quantity))
    made = pandas.DataFrame(columns)
    return made.astype({"step": "int64", "variant": "category", "quantity": "category", "part": "category", "value": "float64"})


def _parts(network: Network) -> dict[str, list[str]]:
    """Return for each quantity of a frame the names of its entries."""
    layers = [layer.id for layer in network.layers]
    states = [f"h{k}" for k in range(network.depth + 1)]
    skips = [skip.id for skip in network.skips]
    named = {name: [part] for name, part in SCALARS.items()}
    named |= dict.fromkeys(LAYER_FIELDS, layers) | dict.fromkeys(STATE_FIELDS, states) | dict.fromkeys(SKIP_FIELDS, skips)
    return named


def _append(columns: dict[str, list], step: int, variant: str, quantity: str, names: list[str], values) -> None:
    if not isinstance(values, list):
        values = [values]
    for name, value in zip(names, values, strict=False):
        if value is not None:
            for column, entry in zip(COLUMNS, (step, variant, quantity, name, value), strict=True):
                columns[column].append(entry)
