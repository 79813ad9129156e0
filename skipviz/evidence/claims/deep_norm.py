"""Gradients of a very deep Post-LN Transformer, and DeepNorm's."""

from __future__ import annotations

from statistics import geometric_mean
from typing import TYPE_CHECKING

from pydantic import Field

from ...network.base import Frozen
from ...network.network import Head
from ...tasks.experiment import Experiment, Training
from ...tasks.task import Task
from ..claim import Chart, Claim, Row, Rows, Verdict
from ..norm_places import DEEP, POST, transformer

if TYPE_CHECKING:
    import pandas

WITHIN, SEEDS, BATCH = 10.0, 3, 8
"""Factor by which the first block's gradient differs at most from the last's with DeepNorm, and more without; networks;
sequences."""

BAND: Row = {"low": 1 / WITHIN, "high": WITHIN}


class Controls(Frozen):
    blocks: int = Field(100, ge=6, le=100, description="Transformer blocks, N")


def experiment(blocks: int) -> Experiment:
    head = Head(outputs=10)
    variants = {
        name: transformer(blocks, place, input=(8, 8), head=head)[0] for name, place in (("post", POST), ("deepnorm", DEEP))
    }
    return Experiment(variants=variants, task=Task(name="digits"), training=Training(steps=200))


def expected(blocks: int) -> list[Row]:
    return [{"x": block, "series": DEEP, **BAND} for block in range(1, blocks + 1)]


def measure(blocks: int) -> Rows:
    """`x` is a block, `measured` ‖∂L/∂h‖ of its output over the last one's: L2 norms over a batch of 8 sequences of 8 standard
    normal vectors of 32 numbers, at the start, the geometric mean of three seeds; L is a random linear functional of the last
    state. Post-LN starts by He, DeepNorm by Glorot × β. `low` and `high` are the band.
    """
    from ..signals import state_norms

    for part, place in enumerate((POST, DEEP)):
        stack, ends = transformer(blocks, place)
        found = []
        for seed in range(SEEDS):
            norms, _ = state_norms(stack, seed, BATCH)
            found.append([norms[end] / norms[ends[-1]] for end in ends[1:]])
            yield (part + (seed + 1) / SEEDS) / 2, None
        for block, ratios in enumerate(zip(*found, strict=True), start=1):
            row = {"x": block, "series": place, "measured": geometric_mean(ratios)}
            yield (part + 1) / 2, row | (BAND if place == DEEP else {})


def verdict(frame: pandas.DataFrame) -> Verdict:
    post, deep = (frame[frame.series == place].set_index("x").measured for place in (POST, DEEP))
    blocks = deep.index[-1]
    said = (
        f"Of {blocks} blocks the first one's gradient is {post.iloc[0]:.2g} of the last one's with Post-LN, and {deep.iloc[0]:.2g} "
        "with DeepNorm."
    )
    kept, lost = 1 / WITHIN < deep.min() <= deep.max() < WITHIN, post.iloc[0] < 1 / WITHIN
    if kept and not lost and blocks < Controls().blocks:
        return Verdict(
            None, f"{said} So few blocks lose no gradient with Post-LN either: the claim is of a hundred.", float(post.iloc[0])
        )
    return Verdict(bool(kept and lost), said, float(post.iloc[0]))


KIND = Claim(
    number=82,
    name="deep_norm",
    title="DeepNorm keeps the gradient of a Post-LN Transformer of a hundred blocks, which it loses otherwise.",
    who="Wang et al.",
    year=2022,
    paper="DeepNet: Scaling Transformers to 1,000 Layers, arXiv:2203.00555",
    controls=Controls,
    measure=measure,
    chart=Chart("line", "block, from the input", "gradient ‖∂L/∂h‖ over the last block's", log_y=True),
    verdict=verdict,
    band=f"Of a hundred blocks: every block's gradient within {WITHIN:g} times of the last one's with DeepNorm, the first one's "
    "not with Post-LN.",
    read_next=(
        "Xiong et al. 2020, On Layer Normalization in the Transformer Architecture, arXiv:2002.04745",
        "Liu et al. 2020, Understanding the Difficulty of Training Transformers, arXiv:2004.08249",
    ),
    experiment=experiment,
    expected=expected,
)
