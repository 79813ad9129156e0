"""Training at a gradient that explodes, with its norm clipped and as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from ...network import families
from ...network.base import Frozen
from ...tasks.experiment import Experiment, Training
from ...tasks.task import Task
from ..claim import Chart, Claim, Rows, Verdict

if TYPE_CHECKING:
    import pandas

EARLY, RIGHT = 20, 0.7
"""Steps within which training diverges without clipping, and the share of held-out digits that is read right with it at the end."""
CLIPPED, FREE = "clipped", "not clipped"


class Controls(Frozen):
    longest: float = Field(1.0, ge=0.01, le=100, description="norm to which a longer gradient is shortened")
    depth: int = Field(24, ge=4, le=60, description="linear layers, a residual over every two, without norm")


def experiment(longest: float, depth: int) -> Experiment:
    network = families.mlp(depth, 64, 2, init="he", input=(64,), head=10)
    training = Training(optimizer="sgd", learning_rate=0.1, steps=400, clip_norm=longest, record_every=4)
    return Experiment(variants={"residual": network}, task=Task(name="digits"), training=training)


def measure(longest: float, depth: int) -> Rows:
    """`x` is a step of SGD at 0.1, `measured` the loss of its batch of 64 digits in nats, missing where it is no number any more;
    `norm` the L2 norm of the whole gradient before it is clipped, `right` the share of held-out digits that is read right.
    """
    from ...learning.training import train

    opened = experiment(longest, depth)
    steps = opened.training.steps
    for part, (series, most) in enumerate(((FREE, None), (CLIPPED, longest))):
        for frame in train(opened.replaced(training=opened.training.replaced(clip_norm=most))):
            found = frame.variants.get("residual")
            if found:
                row = {"x": frame.step, "series": series, "measured": found.loss, "norm": found.total_grad, "right": found.held_out}
                yield (part + (frame.step + 1) / steps) / 2, row


def verdict(frame: pandas.DataFrame) -> Verdict:
    free, clipped = (frame[frame.series == series] for series in (FREE, CLIPPED))
    broken = free[free.measured.isna()]
    right = clipped.right.dropna().iloc[-1]
    first = clipped.norm.iloc[0]
    fate = f"diverges at step {broken.x.iloc[0]}" if len(broken) else f"ends with a loss of {free.measured.iloc[-1]:.2g}"
    ends = "diverges, too" if clipped.measured.isna().any() else f"reads {right:.0%} of the held-out digits right"
    said = f"The first gradient's norm is {first:.3g}. Not clipped, training {fate}; clipped, it {ends}."
    holds = len(broken) and broken.x.iloc[0] <= EARLY and not clipped.measured.isna().any() and right > RIGHT
    return Verdict(bool(holds), said, float(right))


KIND = Claim(
    number=131,
    name="clipping",
    title="Clipping the norm of the gradient lets a network learn whose first gradients would throw it out of all bounds.",
    who="Pascanu, Mikolov & Bengio",
    year=2013,
    paper="On the Difficulty of Training Recurrent Neural Networks, arXiv:1211.5063",
    controls=Controls,
    measure=measure,
    chart=Chart("line", "step", "loss (nats)", log_y=True),
    verdict=verdict,
    band=f"Without clipping it diverges within {EARLY} steps; with it it reads over {RIGHT:.0%} of the held-out digits right at "
    "the end.",
    read_next=(
        "Zhang et al. 2020, Why Gradient Clipping Accelerates Training, arXiv:1905.11881",
        "Brock et al. 2021, High-Performance Large-Scale Image Recognition Without Normalization, arXiv:2102.06171",
    ),
    experiment=experiment,
)
