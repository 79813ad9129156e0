"""A Post-LN Transformer that learns with a warm-up only."""

from __future__ import annotations

from statistics import mean
from typing import TYPE_CHECKING

from pydantic import Field

from ...network import families
from ...network.base import Frozen
from ...tasks.experiment import Experiment, Training
from ...tasks.task import Task
from ..claim import Chart, Claim, Rows, Verdict

if TYPE_CHECKING:
    import pandas

EVERY, LAST = 5, 4
"""Steps between two measured batches, and how many of them a loss is averaged over."""
APART, CLOSE = 0.4, 0.3
"""Nats by which Post-LN's loss is above Pre-LN's at the end: at least without a warm-up, at most with one."""
PRE, POST, WARM = "Pre-LN", "Post-LN", "Post-LN, warm-up"


class Controls(Frozen):
    steps: int = Field(100, ge=60, le=300, description="steps; a warm-up takes five sixths of them")
    blocks: int = Field(12, ge=4, le=24, description="Transformer blocks")


def experiment(steps: int, blocks: int) -> Experiment:
    task = Task(name="text", length=16)
    options = {"causal": True, "vocabulary": task.token_count(), "input": task.input_for(False), "head": task.head()}
    variants = {name: families.transformer(blocks, 32, 4, norm=name, **options) for name in ("pre", "post")}
    training = Training(learning_rate=0.006, batch_size=16, steps=steps + 1, record_every=EVERY)
    return Experiment(variants=variants, task=task, training=training)


def measure(steps: int, blocks: int) -> Rows:
    """`x` is a step of Adam at 0.006, `measured` the loss of its batch, 16 passages of 16 characters, in nats a character. The
    warm-up raises the rate from nothing in five sixths of all steps.
    """
    from ...learning.training import train

    opened = experiment(steps, blocks)
    warm = opened.replaced(
        variants={"post": opened.variants["post"]}, training=opened.training.replaced(warmup_steps=round(steps * 5 / 6))
    )
    done = 0
    for run, series in ((opened, {"pre": PRE, "post": POST}), (warm, {"post": WARM})):
        for frame in train(run):
            for name, variant in frame.variants.items():
                yield (
                    (done + frame.step / steps * len(series)) / 3,
                    {"x": frame.step, "series": series[name], "measured": variant.loss},
                )
        done += len(series)


def verdict(frame: pandas.DataFrame) -> Verdict:
    pre, post, warm = (mean(frame[frame.series == series].measured.iloc[-LAST:]) for series in (PRE, POST, WARM))
    said = (
        f"At step {frame.x.max()} Post-LN's loss is {post:.2f} nats, {post - pre:.2f} above Pre-LN's; with a warm-up it is "
        f"{warm:.2f}, {warm - pre:.2f} above."
    )
    return Verdict(bool(post - pre >= APART and warm - pre <= CLOSE), said, post - pre)


KIND = Claim(
    number=80,
    name="warm_up",
    title="A deep Transformer with its norms behind the sums does not learn at a large rate without a warm-up; with them in the "
    "branches it does.",
    who="Xiong et al.",
    year=2020,
    paper="On Layer Normalization in the Transformer Architecture, arXiv:2002.04745",
    controls=Controls,
    measure=measure,
    chart=Chart("line", "step", "loss (nats a character)"),
    verdict=verdict,
    band=f"At the end Post-LN's loss is at least {APART} nats above Pre-LN's, with a warm-up at most {CLOSE}.",
    read_next=(
        "Popel & Bojar 2018, Training Tips for the Transformer Model, arXiv:1804.00247",
        "Huang et al. 2020, Improving Transformer Optimization Through Better Initialization (ICML)",
    ),
    experiment=experiment,
)
