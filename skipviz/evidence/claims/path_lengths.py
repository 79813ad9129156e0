"""How long the paths are along which a residual network's gradient comes back."""

from __future__ import annotations

import math
from itertools import groupby
from statistics import linear_regression
from typing import TYPE_CHECKING

from pydantic import Field

from ...network import families
from ...network.base import Frozen
from ...network.network import Network
from ...tasks.experiment import Experiment, Training
from ...tasks.task import Task
from ..claim import Chart, Claim, Row, Rows, Verdict
from ..progress import part
from ..theory import squared_factors

if TYPE_CHECKING:
    import pandas

WITHOUT, WITH, SAMPLED = "no norm, exact", "batch norm, exact", "batch norm, paths sampled"
WIDTH, BATCH = 128, 64
SAMPLES = 30
"""Paths of each length."""
HALF = 0.03
"""How far the mean length without norm may be from half of the blocks, as a share of all."""
FACTORS = (0.85, 1.15)
"""Of theory's factor a block."""
SHORT, SHARE = 0.32, 0.9
"""With batch norm more than this share of the gradient comes along paths through at most this share of the blocks."""


class Controls(Frozen):
    blocks: int = Field(54, ge=20, le=100, description="residual blocks, of which a path goes through some and passes the others")


def network(blocks: int, norm: str, **more) -> Network:
    order = {"order": "norm-act-op", "init": "he"}
    return families.mlp(depth=blocks, width=WIDTH, skip_every=1, norm=norm, **order, **more)


def experiment(blocks: int) -> Experiment:
    variants = {name: network(blocks, norm, input=(64,), head=10) for name, norm in (("batch-norm", "batch"), ("no-norm", "none"))}
    return Experiment(variants=variants, task=Task(name="digits"), training=Training(steps=300))


def expected(blocks: int) -> list[Row]:
    rows = []
    for series, norm in ((WITHOUT, "none"), (WITH, "batch")):
        squares = squared_factors(network(blocks, norm, input=(WIDTH,)))
        rows += [{"x": k, "series": series, "predicted": share} for k, share in enumerate(_by_length(squares))]
    factor = _factor(squares)
    for k in range(1, blocks // 2 + 1, max(1, blocks // 18)):
        share = math.log(math.comb(blocks, k)) + k * math.log(factor) - blocks * math.log1p(factor)
        rows.append({"x": k, "series": SAMPLED, "predicted": math.exp(share)})
    return rows


def measure(blocks: int) -> Rows:
    """`x` is through how many branches a path goes, `measured` the share of the input's gradient that comes back along all paths of
    that length, 0…1. Exact: of the squared L2 norm, each length's paths added as vectors. Sampled: of the sum of the paths' norms,
    as Veit et al. estimated it, `norm` being the geometric mean of those sampled.

    128 wide, ReLU and weights (He) in every branch, a batch of 64 random inputs, float64, a random cotangent.
    """
    import torch

    from ..paths import Paths

    rows = {series: list(found) for series, found in groupby(expected(blocks), lambda row: row["series"])}
    for number, (series, norm) in enumerate(((WITHOUT, "none"), (WITH, "batch"))):
        stack = network(blocks, norm, input=(WIDTH,))
        paths = Paths(stack, 0, BATCH)
        gradients = yield from part(paths.by_length(), number / 3, (number + 1) / 3)
        energy = gradients.flatten(1).square().sum(1)
        for row, share in zip(rows[series], (energy / energy.sum()).tolist(), strict=True):
            yield (number + 1) / 3, {**row, "measured": share}
    lengths = [row["x"] for row in rows[SAMPLED]]
    generator = torch.Generator().manual_seed(0)
    order = [torch.randperm(blocks, generator=generator) for _ in range(len(lengths) * SAMPLES)]
    through = torch.stack([places < lengths[path // SAMPLES] for path, places in enumerate(order)])
    gradients = yield from part(paths.along(through), 2 / 3, 1)
    logs = gradients.flatten(1).norm(dim=1).log().view(-1, SAMPLES).mean(1)
    slope, start = linear_regression(lengths, logs.tolist())
    total = blocks * math.log1p(math.exp(slope)) + start
    for row, log in zip(rows[SAMPLED], logs.tolist(), strict=True):
        count = math.log(math.comb(blocks, row["x"]))
        yield 1, {**row, "measured": math.exp(count + log - total), "norm": math.exp(log)}


def _by_length(squares: list[float]) -> list[float]:
    """Return the share of the gradient's energy by path length: of the product of all 1 + t·b² the coefficients of t."""
    coefficients = [1.0]
    for square in squares:
        coefficients = [a + square * b for a, b in zip([*coefficients, 0.0], [0.0, *coefficients], strict=True)]
    return [coefficient / sum(coefficients) for coefficient in coefficients]


def _factor(squares: list[float]) -> float:
    """Return the geometric mean of the factor on a norm, through one branch."""
    return math.exp(sum(math.log(square) for square in squares) / len(squares) / 2)


def verdict(frame: pandas.DataFrame) -> Verdict:
    series = {name: rows.set_index("x") for name, rows in frame.groupby("series")}
    blocks = int(series[WITHOUT].index[-1])
    without, added = (sum(length * share for length, share in series[name].measured.items()) for name in (WITHOUT, WITH))
    sampled = series[SAMPLED]
    factor = math.exp(linear_regression([*sampled.index], [math.log(norm) for norm in sampled.norm])[0])
    theory = _factor(squared_factors(network(blocks, "batch", input=(WIDTH,))))
    most = int(SHORT * blocks)
    short = sum(math.comb(blocks, k) * factor**k for k in range(most + 1)) / (1 + factor) ** blocks
    holds = abs(without / blocks - 0.5) < HALF and FACTORS[0] < factor / theory < FACTORS[1] and short > SHARE
    said = (
        f"Without norm the gradient comes back through {without:.1f} of {blocks} blocks on average. With batch norm a path's norm "
        f"falls × {factor:.2f} a block (theory {theory:.2f}), so {short:.0%} of the sum of norms is that of paths through at most "
        f"{most}. They add up as vectors, so even shorter ones count: {added:.1f} blocks on average."
    )
    return Verdict(holds, said, factor)


KIND = Claim(
    number=20,
    name="path_lengths",
    title="With batch norm nearly all of a residual network's gradient comes back along paths through few of its blocks.",
    who="Veit, Wilber & Belongie",
    year=2016,
    paper="Residual Networks Behave Like Ensembles of Relatively Shallow Networks, arXiv:1605.06431",
    controls=Controls,
    measure=measure,
    chart=Chart("line", "blocks that a path goes through", "share of the gradient, all paths of that length"),
    verdict=verdict,
    band="Without norm the mean length is half of the blocks ± 3 % of them. With batch norm a path's norm falls by theory's factor "
    "a block ± 15 % (of 54 blocks 0.23 to 0.31), so that of the sum of all norms more than 90 % is that of paths through a third "
    "of the blocks at most.",
    read_next=(
        "De & Smith 2020, Batch Normalization Biases Residual Blocks Towards the Identity Function, arXiv:2002.10444",
        "Balduzzi et al. 2017, The Shattered Gradients Problem, arXiv:1702.08591",
    ),
    experiment=experiment,
    expected=expected,
)
