"""How the state of a Transformer grows with depth, by where its norms stand."""

from __future__ import annotations

from statistics import mean
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from ...network.base import Frozen
from ...network.network import Head
from ...tasks.experiment import Experiment, Training
from ...tasks.task import Task
from ..claim import Chart, Claim, Row, Rows, Verdict
from ..norm_places import PERI, POST, PRE, transformer

if TYPE_CHECKING:
    import pandas

SEEDS, BATCH = 3, 8
NEAR = 0.25
"""Share of the predicted value that Peri-LN's last one is off at most: its branches are not quite independent."""


class Controls(Frozen):
    blocks: int = Field(24, ge=2, le=100, description="Transformer blocks")
    init: Literal["he", "torch"] = Field("he", description="how the maps start: by He, or with torch's own smaller weights")


def experiment(blocks: int, init: str) -> Experiment:
    head = Head(outputs=10)
    places = (("pre", PRE), ("peri", PERI), ("post", POST))
    variants = {name: transformer(blocks, place, init, (8, 8), head)[0] for name, place in places}
    return Experiment(variants=variants, task=Task(name="digits"), training=Training(steps=200))


def expected(blocks: int, init: str) -> list[Row]:
    formulas = ((PERI, lambda block: 1 + 2 * block), (POST, lambda block: 1))
    return [{"x": k, "series": place, "predicted": formula(k)} for place, formula in formulas for k in range(blocks + 1)]


def measure(blocks: int, init: str) -> Rows:
    """`x` is a block, 0 the first one's input; `measured` the mean of h² over all elements of its output, in units of the input's,
    for 8 sequences of 8 standard normal vectors of 32 numbers, at the start, the mean of three seeds. `predicted`: Peri-LN adds two
    branches of variance 1 a block, Post-LN divides each sum by its own.
    """
    from ..signals import state_norms

    predicted = {(row["series"], row["x"]): row["predicted"] for row in expected(blocks, init)}
    for part, place in enumerate((PRE, PERI, POST)):
        stack, ends = transformer(blocks, place, init)
        found = []
        for seed in range(SEEDS):
            _, norms = state_norms(stack, seed, BATCH)
            found.append([(norms[end] / norms[0]) ** 2 for end in ends])
            yield (part + (seed + 1) / SEEDS) / 3, None
        for block, squares in enumerate(zip(*found, strict=True)):
            row = {"x": block, "series": place, "measured": mean(squares), "predicted": predicted.get((place, block))}
            yield (part + 1) / 3, row


def verdict(frame: pandas.DataFrame) -> Verdict:
    last = frame[frame.x == frame.x.max()].set_index("series")
    pre, peri, post = (float(last.measured[place]) for place in (PRE, PERI, POST))
    off = peri / float(last.predicted[PERI]) - 1
    said = (
        f"Behind {frame.x.max()} blocks the mean of h² is {pre:.0f} times the input's with Pre-LN, {peri:.0f} with Peri-LN "
        f"(predicted {last.predicted[PERI]:.0f}) and {post:.2g} with Post-LN."
    )
    return Verdict(bool(pre >= peri >= post and abs(off) < NEAR), said, pre / peri)


KIND = Claim(
    number=81,
    name="peri_norm",
    title="The state of a Pre-LN Transformer grows with depth as its branches like; with a norm behind each branch, too, it grows "
    "linearly.",
    who="Kim et al.",
    year=2025,
    paper="Peri-LN: Revisiting Normalization Layer in the Transformer Architecture, arXiv:2502.02732",
    controls=Controls,
    measure=measure,
    chart=Chart("line", "block, from the input", "mean of h² over the input's", log_y=True),
    verdict=verdict,
    band=f"Started by He, at the last block Pre-LN ≥ Peri-LN ≥ Post-LN, and Peri-LN within {NEAR:.0%} of 1 + 2 × blocks.",
    read_next=(
        "Xiong et al. 2020, On Layer Normalization in the Transformer Architecture, arXiv:2002.04745",
        "Sun et al. 2025, The Curse of Depth in Large Language Models, arXiv:2502.05795",
    ),
    experiment=experiment,
    expected=expected,
)
