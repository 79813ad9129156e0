"""Deeper plain networks that fit their own training data worse."""

from __future__ import annotations

from statistics import mean, median
from typing import TYPE_CHECKING

from pydantic import Field

from ...network import families
from ...network.base import Frozen
from ...tasks.experiment import Experiment, Training
from ...tasks.task import Task
from ..claim import Chart, Claim, Row, Rows, Verdict

if TYPE_CHECKING:
    import pandas

SHALLOW = 20
"""Layers of the plain network that the deep one is worse than, as in the paper's first figure."""
EPOCHS, EPOCH = 15, 1438 / 64
"""Of training, and steps in which batches of 64 pass all training digits."""
RECORDED = 4
"""Steps from one batch whose error counts to the next."""
LOST, LEARNED = 0.5, 0.02
"""Training error above which the deep plain network is expected, and below which the residual one is."""
PLAIN, RESIDUAL = "plain", "residual"


class Controls(Frozen):
    depth: int = Field(56, ge=32, le=110, description="linear layers of the deepest networks")
    seeds: int = Field(2, ge=1, le=8, description="trainings of each network")


def experiment(depth: int, seeds: int) -> Experiment:
    options = {"depth": depth, "width": 64, "norm": "batch", "init": "he", "input": (64,), "head": 10}
    training = Training(optimizer="sgd", learning_rate=0.05, steps=round(EPOCHS * EPOCH), record_every=RECORDED)
    variants = {PLAIN: families.mlp(**options), RESIDUAL: families.mlp(skip_every=2, **options)}
    return Experiment(variants=variants, task=Task(name="digits"), training=training)


def expected(depth: int, seeds: int) -> list[Row]:
    places = [(layers, series) for layers in (SHALLOW, depth) for series in (PLAIN, RESIDUAL)]
    return [{"x": layers, "series": series, **band} for layers, series in places if (band := _band(series, layers))]


def measure(depth: int, seeds: int) -> Rows:
    """`x` is how many layers a network has, `measured` the share of the last of 15 epochs' training digits that it reads wrong,
    0…1; the median over seeds, `least` and `most` the extremes. Width 64, batch norm, He's weights, SGD at 0.05; the skips, over
    two layers each, are all that differs. `low` and `high` are the band.
    """
    from ...learning.training import train

    depths = (SHALLOW, depth)
    work, done = seeds * sum(depths), 0.0
    for layers in depths:
        opened = experiment(layers, seeds)
        training = opened.training
        errors: dict[str, list[float]] = {PLAIN: [], RESIDUAL: []}
        for seed in range(seeds):
            metrics: dict[str, list[float]] = {PLAIN: [], RESIDUAL: []}
            for frame in train(opened.replaced(training=training.replaced(seed=seed))):
                if frame.step >= training.steps - EPOCH:
                    for series, found in metrics.items():
                        living = frame.variants.get(series)
                        found.append((living and living.metric) or 0.0)
                yield (done + layers * frame.step / training.steps) / work, None
            done += layers
            for series, found in metrics.items():
                errors[series].append(1 - mean(found))
        for series, found in errors.items():
            row = {"x": layers, "series": series, "measured": median(found), "least": min(found), "most": max(found)}
            yield done / work, row | _band(series, layers)


def _band(series: str, layers: int) -> Row:
    if series == RESIDUAL:
        return {"low": 0.0, "high": LEARNED}
    return {"low": LOST, "high": 1.0} if layers > SHALLOW else {}


def verdict(frame: pandas.DataFrame) -> Verdict:
    plain, residual = (frame[frame.series == series].set_index("x") for series in (PLAIN, RESIDUAL))
    deepest = plain.index[-1]
    shallow, deep, with_skips = plain.measured.iloc[0], plain.measured.iloc[-1], residual.measured.iloc[-1]
    said = (
        f"Of the digits it is trained on the plain network reads {shallow:.1%} wrong with {SHALLOW} layers and {deep:.0%} with "
        f"{deepest}; the residual one {residual.measured.iloc[0]:.1%} and {with_skips:.1%}."
    )
    return Verdict(bool(deep > max(LOST, shallow) and residual.measured.max() < LEARNED), said, float(deep))


KIND = Claim(
    number=50,
    name="degradation",
    title="A deeper plain network has a larger training error than a shallower one, which is no overfitting; with residuals it "
    "has not.",
    who="He et al.",
    year=2015,
    paper="Deep Residual Learning for Image Recognition, arXiv:1512.03385",
    controls=Controls,
    measure=measure,
    chart=Chart("bars", "layers", "training error, share of digits"),
    verdict=verdict,
    band=f"Training error without skips: over {LOST:.0%} for the deepest, and more than with {SHALLOW} layers; with them under "
    f"{LEARNED:.0%}.",
    read_next=(
        "Srivastava et al. 2015, Highway Networks, arXiv:1505.00387",
        "He et al. 2016, Identity Mappings in Deep Residual Networks, arXiv:1603.05027",
    ),
    experiment=experiment,
    expected=expected,
)
