"""What many matrices that mix residual streams do one behind the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from ...network import families
from ...network.base import Frozen
from ...tasks.experiment import Experiment, Training
from ...tasks.task import Task
from ..claim import Chart, Claim, Row, Rows, Verdict
from ..progress import part

if TYPE_CHECKING:
    import pandas

STREAMS = 4
LARGER, KEPT = 10.0, (0.5, 2.0)
"""How many times the free gain is at least the doubly stochastic one, which stays between these."""
PUBLISHED = 64
"""Matrices in a row, of 32 blocks."""
SEED = 2
"""Of seeds 0 to 3 the free gains are 20, 30,000, 2,000 and 7,000: this one's lies between."""
FREE, DOUBLY = "free", "doubly stochastic"
MIX = {FREE: "free", DOUBLY: "sinkhorn"}

BAND: Row = {"low": KEPT[0], "high": KEPT[1]}


class Controls(Frozen):
    blocks: int = Field(32, ge=4, le=48, description="Transformer blocks, with two matrices each")
    steps: int = Field(40, ge=10, le=200, description="steps of training: at the start every stream keeps itself")


def experiment(blocks: int, steps: int) -> Experiment:
    task = Task(name="sequences")
    options = {"vocabulary": task.token_count(), "input": (task.tokens(),), "head": task.head(), "streams": STREAMS}
    variants = {name: families.transformer(blocks, 16, 2, 32, "pre", mix=name, **options) for name in MIX.values()}
    return Experiment(
        variants=variants, task=task, training=Training(learning_rate=0.01, batch_size=16, steps=steps + 1, seed=SEED)
    )


def expected(blocks: int, steps: int) -> list[Row]:
    return [{"x": count, "series": DOUBLY, **BAND} for count in range(1, 2 * blocks + 1)]


def measure(blocks: int, steps: int) -> Rows:
    """`x` is how many matrices H, 4 × 4, stand one behind the other, from the first on; `measured` the largest sum of magnitudes in
    a row of their product, the most that a stream's signal grows by; `backward` the same of columns, for the gradient. Trained by
    Adam at 0.01 to reverse eight tokens.
    """
    import numpy as np

    from ...learning.trainer import Trainer
    from ..training import seen
    from ..training import steps as taken

    trainer = Trainer(experiment(blocks, steps))
    yield from part(taken(trainer), 0, 0.9)
    frames = seen(trainer)
    for number, (series, mix) in enumerate(MIX.items()):
        product = np.eye(STREAMS)
        matrices = np.array(frames[mix].mixing).reshape(-1, STREAMS, STREAMS)
        for count, matrix in enumerate(matrices, start=1):
            product = matrix @ product
            rows, columns = (float(np.abs(product).sum(axis).max()) for axis in (1, 0))
            row = {"x": count, "series": series, "measured": rows, "backward": columns}
            yield 0.9 + 0.1 * (number + count / len(matrices)) / 2, row | (BAND if series == DOUBLY else {})


def verdict(frame: pandas.DataFrame) -> Verdict:
    free, doubly = (frame[frame.series == series].measured for series in (FREE, DOUBLY))
    most, kept = float(free.max()), KEPT[0] <= doubly.min() <= doubly.max() <= KEPT[1]
    said = (
        f"Over {len(free)} matrices in a row a signal grows up to {most:.1f} times where they are free, and {doubly.max():.2f} "
        "times where they are doubly stochastic."
    )
    grown = most > LARGER * doubly.max()
    if kept and not grown and len(free) < PUBLISHED:
        return Verdict(None, f"{said} The claim is of {PUBLISHED} or more.", most)
    return Verdict(bool(kept and grown), said, most)


KIND = Claim(
    number=130,
    name="composite_gain",
    title="Residual streams that are mixed freely grow with every layer; doubly stochastic matrices keep their size at any depth.",
    who="Zhu et al. (free), Xie et al. (doubly stochastic)",
    year=2025,
    paper="Hyper-Connections, arXiv:2409.19606; mHC: Manifold-Constrained Hyper-Connections, arXiv:2512.24880",
    controls=Controls,
    measure=measure,
    chart=Chart("line", "matrices in a row", "largest gain of their product", log_y=True),
    verdict=verdict,
    band=f"Doubly stochastic between {KEPT[0]} and {KEPT[1]:g} at every depth; free more than {LARGER:g} times that.",
    read_next=(
        "Sinkhorn & Knopp 1967, Concerning Nonnegative Matrices and Doubly Stochastic Matrices",
        "He et al. 2016, Identity Mappings in Deep Residual Networks, arXiv:1603.05027",
    ),
    experiment=experiment,
    expected=expected,
)
