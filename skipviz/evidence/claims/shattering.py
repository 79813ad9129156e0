"""Gradients that turn into white noise over the input as plain networks get deep, and do not with skips."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from pydantic import Field

from ...network import edit, families
from ...network.base import Frozen
from ...network.network import Network
from ...tasks.experiment import Experiment, Training
from ...tasks.task import Task
from ..claim import Chart, Claim, Row, Rows, Verdict

if TYPE_CHECKING:
    import pandas
    from torch import Tensor

WIDTH, POINTS, REACH = 200, 256, 2.0
"""Balduzzi's: features of a layer, points of the grid, and its ends −2 and 2."""
DEPTHS = (1, 2, 4, 8, 12, 16, 24, 32, 50, 75, 100)
PLAIN, RESIDUAL = "plain", "residual"
NOISE, NOISE_FROM = 0.15, 24
"""Autocorrelation below which a plain network's gradient counts as noise, and the depth from which it is expected to be."""
SMOOTH, SMOOTH_TO = 0.5, 50
"""Autocorrelation above which a residual network's gradient is expected to stay, up to this depth."""
SHALLOW = 0.95
"""Autocorrelation above which one layer is expected, whose gradient has one step."""


class Controls(Frozen):
    depth: int = Field(50, ge=24, le=100, description="linear layers of the deepest networks")
    seeds: int = Field(5, ge=3, le=20, description="networks of each depth and kind")


def network(depth: int, residual: bool, **ends) -> Network:
    """Return a stack with batch norm; a residual one has a linear layer, and then blocks of norm, ReLU and a linear layer."""
    if not residual:
        return families.mlp(depth, WIDTH, norm="batch", init="he", **ends)
    stack = families.mlp(depth, WIDTH, 1, norm="batch", init="he", order="norm-act-op", **ends)
    return edit.set_layer(stack, "f1", norm="none", activation="none")


def experiment(depth: int, seeds: int) -> Experiment:
    variants = {name: network(depth, name == RESIDUAL, input=(1,), head=1) for name in (PLAIN, RESIDUAL)}
    return Experiment(variants=variants, task=Task(name="regression"), training=Training(steps=400))


def expected(depth: int, seeds: int) -> list[Row]:
    places = [(layers, series) for series in (PLAIN, RESIDUAL) for layers in _depths(depth)]
    return [{"x": layers, "series": series, **band} for layers, series in places if (band := _band(series, layers))]


def measure(depth: int, seeds: int) -> Rows:
    """`x` is how many layers a network has, `measured` the correlation of its gradient df/dx with that one point further (lag 1)
    over 256 points in −2…2: 1 for a smooth one, 0 for white noise; the median over seeds. At the start, batch norm with the grid's
    own statistics, held fixed. `low` and `high` are the band.
    """
    work, done = 2 * seeds * sum(_depths(depth)), 0
    for series in (PLAIN, RESIDUAL):
        for layers in _depths(depth):
            stack, found = network(layers, series == RESIDUAL, input=(1,), head=1), []
            for seed in range(seeds):
                found.append(autocorrelation(input_gradient(stack, seed)))
                done += layers
                yield done / work, None
            yield done / work, {"x": layers, "series": series, "measured": median(found), **_band(series, layers)}


def _depths(depth: int) -> list[int]:
    return [*(one for one in DEPTHS if one < depth), depth]


def _band(series: str, layers: int) -> Row:
    if layers == 1:
        return {"low": SHALLOW, "high": 1.0}
    if series == PLAIN and layers >= NOISE_FROM:
        return {"low": -NOISE, "high": NOISE}
    return {"low": SMOOTH, "high": 1.0} if series == RESIDUAL and layers <= SMOOTH_TO else {}


def input_gradient(stack: Network, seed: int) -> Tensor:
    """Return df/dx of a network of one number at each point of the grid, `(256,)`, batch norm having the grid's statistics.

    Were they free, every point's output would depend on all points.
    """
    import torch

    from ...learning.build import build

    model = build(stack, seed)
    points = torch.linspace(-REACH, REACH, POINTS)[:, None].requires_grad_()
    with torch.no_grad():
        model(points)
        for name, statistic in model.named_buffers():  # a first batch has a tenth of the share
            started = 1.0 if name.endswith("running_var") else 0.0
            statistic.sub_(0.9 * started).mul_(10)
    model.eval()
    (gradient,) = torch.autograd.grad(model(points).sum(), points)
    return gradient.flatten()


def autocorrelation(series: Tensor) -> float:
    """Return the correlation of a series `(n,)` with itself one place further."""
    centred = series - series.mean()
    return ((centred[1:] * centred[:-1]).sum() / centred.square().sum()).item()


def verdict(frame: pandas.DataFrame) -> Verdict:
    plain, residual = (frame[frame.series == series].set_index("x").measured for series in (PLAIN, RESIDUAL))
    noise = plain[plain.index >= NOISE_FROM].abs().max()
    smooth = residual[residual.index <= SMOOTH_TO]
    said = (
        f"A plain network's gradient correlates {plain.iloc[0]:.2f} with its neighbour's at one layer and at most {noise:.2f} from "
        f"{NOISE_FROM} layers on; a residual one's still {smooth.iloc[-1]:.2f} at {smooth.index[-1]}."
    )
    return Verdict(bool(plain.iloc[0] > SHALLOW and noise < NOISE and smooth.min() > SMOOTH), said, float(smooth.iloc[-1]))


KIND = Claim(
    number=30,
    name="shattering",
    title="The gradient of a deep plain network is white noise over its input; with skips it stays close to smooth.",
    who="Balduzzi et al.",
    year=2017,
    paper="The Shattered Gradients Problem: If resnets are the answer, then what is the question?, arXiv:1702.08591",
    controls=Controls,
    measure=measure,
    chart=Chart("line", "layers", "lag-1 autocorrelation of df/dx", log_x=True),
    verdict=verdict,
    band=f"One layer above {SHALLOW}; without skips below {NOISE} in magnitude from {NOISE_FROM} layers on; with them above "
    f"{SMOOTH} up to {SMOOTH_TO} layers.",
    read_next=(
        "He et al. 2016, Identity Mappings in Deep Residual Networks, arXiv:1603.05027",
        "Yang & Schoenholz 2017, Mean Field Residual Networks: On the Edge of Chaos, arXiv:1712.08969",
    ),
    experiment=experiment,
    expected=expected,
)
