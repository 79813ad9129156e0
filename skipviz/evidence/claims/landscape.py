"""The loss around what a network has learned, on a plane of two random directions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from ...network import families
from ...network.base import Frozen
from ...tasks.experiment import Experiment, Training
from ...tasks.task import Task
from ..claim import Chart, Claim, Rows, Verdict
from ..progress import part

if TYPE_CHECKING:
    import pandas
    from torch import Tensor

    from ...learning.parameters import FlatParameters

SAMPLES = 256
"""Of the training set, on which the loss is taken: the first ones, for they are in a shuffled order."""
EPOCHS, EPOCH = 10, 1438 / 64
"""Of training, and steps in which batches of 64 pass all training digits."""
SADDLE = 0.1
"""Share of the larger curvature's size that the smaller one is below 0 where a place counts as not convex."""
CONVEX, CHAOTIC = 0.05, 0.1
"""Share of places that are not convex, at most with skips and at least without."""
DEEP = 32
"""Layers from which the claim is expected to hold."""
PLAIN, RESIDUAL = "plain", "residual"


class Controls(Frozen):
    depth: int = Field(DEEP, ge=8, le=56, description="linear layers")
    places: Literal[21, 31] = Field(21, description="points of the grid a side, as many for each network")


def experiment(depth: int, places: int) -> Experiment:
    options = {"depth": depth, "width": 64, "norm": "batch", "init": "he", "input": (64,), "head": 10}
    training = Training(optimizer="sgd", learning_rate=0.05, steps=round(EPOCHS * EPOCH))
    variants = {PLAIN: families.mlp(**options), RESIDUAL: families.mlp(skip_every=2, **options)}
    return Experiment(variants=variants, task=Task(name="digits"), training=training)


def measure(depth: int, places: int) -> Rows:
    """`x` and `y` are how far the weights stand from where ten epochs of SGD led, along two random directions, −1…1, and `measured`
    the cross-entropy of 256 training digits there, in nats. A direction has, for each row of a weight matrix, a random vector of
    that row's length, and 0 for biases and norms (filter normalisation); batch norm has its running statistics, as in the paper.
    """
    import torch

    from ...learning.build import build
    from ...learning.parameters import FlatParameters
    from ...learning.trainer import Trainer
    from ...tasks.data import dataset
    from ..training import steps

    trainer = Trainer(experiment(depth, places))
    yield from part(steps(trainer), 0, 0.4)
    data = dataset(trainer.experiment.task)
    digits, classes = torch.from_numpy(data.x[:SAMPLES]), torch.from_numpy(data.y[:SAMPLES])
    axis = [2 * k / (places - 1) - 1 for k in range(places)]
    for number, (series, network) in enumerate(trainer.experiment.variants.items()):
        model = build(network).eval()
        model.load_state_dict(trainer.weights(series))
        flat = FlatParameters(model)
        learned, across, along = flat.values.clone(), direction(flat, 0), direction(flat, 1)
        for row, y in enumerate(axis):
            for column, x in enumerate(axis):
                flat.values.copy_(learned + x * across + y * along)
                with torch.no_grad():
                    loss = torch.nn.functional.cross_entropy(model(digits), classes).item()
                done = (number * places + row + (column + 1) / places) / (2 * places)
                yield 0.4 + 0.6 * done, {"x": x, "y": y, "series": series, "measured": loss, "layers": depth}


def direction(flat: FlatParameters, seed: int) -> Tensor:
    """Return a filter-normalised random direction, as flat as the parameters."""
    import torch

    generator, parts = torch.Generator().manual_seed(seed), []
    for parameter in flat.parameters:
        part = torch.zeros(parameter.shape)
        if parameter.dim() > 1:
            part = torch.randn(parameter.shape, generator=generator)
            part *= parameter.detach().norm(dim=1, keepdim=True) / part.norm(dim=1, keepdim=True)
        parts.append(part.flatten())
    return torch.cat(parts)


def not_convex(surface: pandas.DataFrame) -> float:
    """Return the share of inner grid points at which the smaller curvature is below −0.1 of the larger one's magnitude."""
    import numpy as np

    z = surface.pivot(index="y", columns="x", values="measured").to_numpy(float)
    across, along = (np.diff(z, 2, axis)[part] for axis, part in ((1, np.s_[1:-1, :]), (0, np.s_[:, 1:-1])))
    mixed = (z[2:, 2:] - z[2:, :-2] - z[:-2, 2:] + z[:-2, :-2]) / 4
    middle, spread = (across + along) / 2, np.hypot((across - along) / 2, mixed)
    return float((middle - spread < -SADDLE * np.abs(middle + spread)).mean())


def verdict(frame: pandas.DataFrame) -> Verdict:
    plain, residual = (not_convex(frame[frame.series == series]) for series in (PLAIN, RESIDUAL))
    said = f"{plain:.0%} of the places around the plain network are not convex, {residual:.1%} of those around the residual one."
    smooth, chaotic, layers = residual <= CONVEX, plain >= CHAOTIC, frame.layers.iloc[0]
    if smooth and not chaotic and layers < DEEP:
        return Verdict(None, f"{said} With {layers} layers the plain one is no chaos yet.", plain - residual)
    return Verdict(smooth and chaotic, said, plain - residual)


KIND = Claim(
    number=40,
    name="landscape",
    title="Around what a deep plain network has learned the loss is a chaotic landscape; with skips it is a smooth bowl.",
    who="Li et al.",
    year=2018,
    paper="Visualizing the Loss Landscape of Neural Nets, arXiv:1712.09913",
    controls=Controls,
    measure=measure,
    chart=Chart("surface", "first direction", "second direction", log_y=True, z="cross-entropy (nats)"),
    verdict=verdict,
    band=f"From {DEEP} layers on, not convex (a curvature of the surface below −{SADDLE} of the other's size): at most "
    f"{CONVEX:.0%} of the places with skips, at least {CHAOTIC:.0%} without.",
    read_next=(
        "Goodfellow et al. 2015, Qualitatively Characterizing Neural Network Optimization Problems, arXiv:1412.6544",
        "Santurkar et al. 2018, How Does Batch Normalization Help Optimization?, arXiv:1805.11604",
    ),
    experiment=experiment,
)
