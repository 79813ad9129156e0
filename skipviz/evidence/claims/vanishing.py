"""Gradients that vanish, stay or explode with depth, by activation, first weights, norm and skips."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import islice
from statistics import mean
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from ...network import families
from ...network.base import Frozen
from ...network.network import Network
from ...tasks.experiment import Experiment, Training
from ..claim import Chart, Claim, Row, Rows, Verdict
from ..theory import predicted

if TYPE_CHECKING:
    import pandas

SEEDS = 3
PLACES = 60
"""Rows of a series at most, about."""


@dataclass(frozen=True)
class Case:
    """A stack, and how far the measured factor a layer may be from the predicted one, as a share of it."""

    options: dict
    within: float
    batch: int = 64


BRANCH = {"skip_every": 1, "order": "norm-act-op"}
"""ReLU before W, so that a branch adds numbers of mean 0: what theory speaks of (De & Smith 2020)."""
CASES = {
    "sigmoid, N(0, 1/n)": Case({"activation": "sigmoid", "init": "normal"}, 0.08),
    "ReLU, torch's own": Case({}, 0.05),
    "ReLU, Glorot": Case({"init": "glorot"}, 0.02),
    "ReLU, He": Case({"init": "he"}, 0.02),
    "ReLU, batch norm": Case({"init": "he", "norm": "batch"}, 0.023, 256),
    "residual, torch's own": Case(BRANCH, 0.02),
    "residual, He": Case({**BRANCH, "init": "he"}, 0.02),
    "residual, He × 1/√L": Case({**BRANCH, "init": "he", "scale": "root"}, 0.02),
    "residual, batch norm": Case({**BRANCH, "init": "he", "norm": "batch"}, 0.02, 256),
}


class Controls(Frozen):
    depth: int = Field(30, ge=10, le=300, description="linear layers")
    width: Literal[64, 128, 256] = Field(128, description="features of each layer, n; theory speaks of many")


def network(case: Case, depth: int, width: int, **more) -> Network:
    return families.mlp(depth=depth, width=width, **case.options, **more)


def experiment(depth: int, width: int) -> Experiment:
    shown = {"plain": "ReLU, torch's own", "he": "ReLU, He", "batch-norm": "ReLU, batch norm", "residual": "residual, torch's own"}
    variants = {name: network(CASES[series], depth, width) for name, series in shown.items()}
    return Experiment(variants=variants, training=Training(steps=500))


def expected(depth: int, width: int) -> list[Row]:
    rows = []
    for series, case in CASES.items():
        gradients = predicted(network(case, depth, width, input=(width,))).gradients
        rows += [{"x": k, "series": series, "predicted": gradients[k]} for k in _shown(depth)]
    return rows


def _shown(depth: int) -> list[int]:
    """Return the states that have a row."""
    return sorted({*range(1, depth, math.ceil(depth / PLACES)), depth})


def measure(depth: int, width: int) -> Rows:
    """`x` is a state h_k, `measured` ‖∂L/∂h_k‖ as a multiple of the last state's: L2 norms over a batch of 64 inputs (256 with
    batch norm), float64, the geometric mean of three seeds; L is a random linear functional of the last state.
    """
    from ..signals import state_norms

    rows = iter(expected(depth, width))
    for number, case in enumerate(CASES.values()):
        stack = network(case, depth, width, input=(width,))
        logs = []
        for seed in range(SEEDS):
            norms, _ = state_norms(stack, seed, case.batch, double=True)
            logs.append([math.log(norm / norms[-1]) for norm in norms])
        for row in islice(rows, len(_shown(depth))):
            k = row["x"]
            yield (number + k / depth) / len(CASES), {**row, "measured": math.exp(mean(log[k] for log in logs))}


def verdict(frame: pandas.DataFrame) -> Verdict:
    missed, furthest = [], (0.0, "")
    for series, rows in frame.groupby("series", sort=False):
        layers = rows.x.max() - 1
        measured, expected = (rows[column].iloc[0] ** (1 / layers) for column in ("measured", "predicted"))
        off = measured / expected - 1
        said = f"{series}: × {measured:.3f} a layer, predicted {expected:.3f}"
        furthest = max(furthest, (abs(off), said))
        if abs(off) > CASES[series].within:
            missed.append(said)
    if missed:
        return Verdict(False, f"{len(missed)} of {len(CASES)} are outside: {'; '.join(missed)}.", float(furthest[0]))
    said = f"All {len(CASES)} fall where theory has them. Furthest off is {furthest[1]}, {furthest[0]:.1%}."
    return Verdict(True, said, float(furthest[0]))


KIND = Claim(
    number=10,
    name="vanishing",
    title="Whether the gradient of a deep network vanishes, stays or explodes is settled by its activation, first weights, norm "
    "and skips before it learns anything.",
    who="Glorot & Bengio, He et al., Yang et al., De & Smith",
    year=2010,
    paper="Understanding the Difficulty of Training Deep Feedforward Neural Networks; Delving Deep into Rectifiers, "
    "arXiv:1502.01852; A Mean Field Theory of Batch Normalization, arXiv:1902.08129; Batch Normalization Biases Residual Blocks "
    "Towards the Identity Function, arXiv:2002.10444",
    controls=Controls,
    measure=measure,
    chart=Chart("line", "state, from the input", "gradient ‖∂L/∂h‖ over the last state's", log_y=True),
    verdict=verdict,
    band="The factor a layer is theory's within 2 % (torch's own weights without skips 5 %, sigmoids 8 %).",
    read_next=(
        "Schoenholz et al. 2017, Deep Information Propagation, arXiv:1611.01232",
        "Hanin & Rolnick 2018, How to Start Training: The Effect of Initialization and Architecture, arXiv:1803.01719",
    ),
    experiment=experiment,
    expected=expected,
)
