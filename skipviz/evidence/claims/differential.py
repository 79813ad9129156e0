"""What a residual branch adds, beside what it reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from ...network import edit, families
from ...network.base import Frozen
from ...tasks.experiment import Experiment, Training
from ...tasks.task import Task
from ..claim import Chart, Claim, Rows, Verdict
from ..progress import part

if TYPE_CHECKING:
    import pandas
    from torch import Tensor

    from ...learning.build import NetworkModule

SMALL, WHOLE, NEAR = 0.3, 1.0, 0.15
"""Change over state in the later half of a trained network, by the median: at most with residuals, at least without; and the share
that it is off theory at most at the start, by the mean."""
SAMPLES, STEPS = 256, 225
"""Training digits that are read, and steps of training: ten times through them."""
START, TRAINED, PLAIN = "residual, at the start", "residual, trained", "plain, trained"


class Controls(Frozen):
    depth: int = Field(30, ge=12, le=100, description="linear layers, each a block")


def experiment(depth: int) -> Experiment:
    options = {"depth": depth, "width": 64, "norm": "batch", "order": "norm-act-op", "init": "he", "input": (64,), "head": 10}
    stack = families.mlp(skip_every=1, **options)
    residual = edit.set_layer(edit.remove_skip(stack, stack.skips[0].id), "f1", norm="none", activation="none")
    variants = {"residual": residual, "plain": edit.switch_all(residual, False)}
    training = Training(optimizer="sgd", learning_rate=0.05, steps=STEPS)
    return Experiment(variants=variants, task=Task(name="digits"), training=training)


def measure(depth: int) -> Rows:
    """`x` is a block, `measured` ‖h_k − h_(k−1)‖/‖h_(k−1)‖, L2 norms over 256 digits; between states, of a residual block, is its
    branch f. Each is batch norm, ReLU and a linear layer of 64 features. `predicted`, at the start: a branch has variance 1, so the
    k-th reads the first state's variance + k − 1.
    """
    import torch

    from ...learning.build import build
    from ...learning.trainer import Trainer
    from ...tasks.data import dataset
    from ..training import steps

    trainer = Trainer(experiment(depth))
    yield from part(steps(trainer), 0, 0.9)
    digits = torch.from_numpy(dataset(trainer.experiment.task).x[:SAMPLES])
    for number, (series, variant) in enumerate(((START, "residual"), (TRAINED, "residual"), (PLAIN, "plain"))):
        model = build(trainer.experiment.variants[variant])
        if series != START:
            model.load_state_dict(trainer.weights(variant))
        h = states(model, digits)
        first = h[1].square().mean().item()
        for block in range(1, depth):
            row = {"x": block, "series": series, "measured": ((h[block + 1] - h[block]).norm() / h[block].norm()).item()}
            if series == START:
                row["predicted"] = (first + block - 1) ** -0.5
            yield 0.9 + 0.1 * (number + block / (depth - 1)) / 3, row


def states(model: NetworkModule, inputs: Tensor) -> list[Tensor]:
    """Return h_0…h_n, with batch norm taking the batch's statistics."""
    from ...learning.probe import record

    _, recording = record(model, inputs)
    return [state.detach() for state in recording.states]


def verdict(frame: pandas.DataFrame) -> Verdict:
    ratios = {series: rows.set_index("x") for series, rows in frame.groupby("series")}
    later = {series: float(rows.measured[rows.index > rows.index.max() / 2].median()) for series, rows in ratios.items()}
    start = ratios[START]
    off = float((start.measured / start.predicted - 1).abs().mean())
    said = (
        f"In the later half a trained residual block changes its state by {later[TRAINED]:.2f} of its length, a plain layer by "
        f"{later[PLAIN]:.2f}. At the start a branch is off the predicted share by {off:.0%} on average."
    )
    return Verdict(later[TRAINED] < SMALL and later[PLAIN] > WHOLE and off < NEAR, said, later[TRAINED])


KIND = Claim(
    number=100,
    name="differential",
    title="Residual blocks make small changes to what they read, the smaller the deeper they lie; plain layers make all of it "
    "anew.",
    who="Jastrzębski et al.",
    year=2018,
    paper="Residual Connections Encourage Iterative Inference, arXiv:1710.04773",
    controls=Controls,
    measure=measure,
    chart=Chart("line", "block, from the input", "change over state, ‖f(h)‖/‖h‖", log_y=True),
    verdict=verdict,
    band=f"In the later half of a trained network under {SMALL} with residuals and over {WHOLE:g} without; at the start within "
    f"{NEAR:.0%} of theory on average.",
    read_next=(
        "Greff et al. 2017, Highway and Residual Networks Learn Unrolled Iterative Estimation, arXiv:1612.07771",
        "Fleuret, The Little Book of Deep Learning, section 4.7: a differential improvement instead of a full update",
    ),
    experiment=experiment,
)
