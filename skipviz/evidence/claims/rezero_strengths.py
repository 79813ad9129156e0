"""Where ReZero's branch scales go, which start at nothing."""

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

EPOCHS, EPOCH, EVERY = 7, 1438 / 64, 5
"""Of training; steps in which batches of 64 pass all training digits; and steps between two measurements."""
ERROR = 0.05
"""Training error of the last epoch, at most."""


class Controls(Frozen):
    depth: int = Field(50, ge=10, le=200, description="linear layers, each a block, L")


def experiment(depth: int) -> Experiment:
    network = families.mlp(depth, 64, 1, scale="rezero", input=(64,), head=10)
    training = Training(steps=round(EPOCHS * EPOCH), record_every=EVERY)
    return Experiment(variants={"rezero": network}, task=Task(name="digits"), training=training)


def measure(depth: int) -> Rows:
    """`x` is a step of Adam at 0.001, `y` a block, `measured` the magnitude of its α, h + α f(h), before that step; without unit.
    `weight_grad` and `scale_grad` are the L2 norms of the loss's gradient by the block's weights and by α, `error` the share of the
    batch's 64 digits that is read wrong.
    """
    from ...learning.trainer import Trainer

    trainer = Trainer(experiment(depth))
    last = trainer.experiment.training.steps - 1
    layers = [layer.id for layer in trainer.experiment.network.layers]
    while trainer.step <= last:
        step, recorded = trainer.step, trainer.step % EVERY == 0 or trainer.step == last
        weights = trainer.weights("rezero")
        scales = [weights[f"layers.{name}.scale"].item() for name in layers] if recorded else []
        frame = trainer.advance(record=recorded)
        for block, scale in enumerate(scales):
            found = frame.variants["rezero"]
            row = {"x": step, "y": block + 1, "series": "α", "measured": abs(scale), "error": 1 - found.metric}
            yield step / last, row | {"weight_grad": found.weight_grad[block], "scale_grad": found.scale_grad[block]}


def verdict(frame: pandas.DataFrame) -> Verdict:
    start, end = (frame[frame.x == step] for step in (0, frame.x.max()))
    depth = len(end)
    held = not start.weight_grad.any() and not start.measured.any() and bool((start.scale_grad > 0).all())
    error = mean(frame[frame.x > frame.x.max() - EPOCH].groupby("x").error.first())
    bound = depth**-0.5
    gradients = "no weight has a gradient and every α has one" if held else "not only the α's have a gradient"
    said = (
        f"At step 0 {gradients}. They leave 0 at once, all layers' alike, and end between {end.measured.min():.3f} and "
        f"{end.measured.max():.3f} in magnitude (1/√L = {bound:.3f}); the training error is then {error:.1%}."
    )
    return Verdict(bool(held and end.measured.max() < bound and error < ERROR), said, float(end.measured.max()))


KIND = Claim(
    number=121,
    name="rezero_strengths",
    title="Branch scales that start at 0 make a deep network the identity, learn first, and stay small.",
    who="Bachlechner et al.",
    year=2020,
    paper="ReZero Is All You Need: Fast Convergence at Large Depth, arXiv:2003.04887",
    controls=Controls,
    measure=measure,
    chart=Chart("surface", "step", "block, from the input", z="branch scale |α|"),
    verdict=verdict,
    band="At step 0 every weight's gradient is exactly 0 and every α's is not; at the end every |α| is under 1/√L, which keeps "
    f"the signal's size, and the training error under {ERROR:.0%}.",
    read_next=(
        "De & Smith 2020, Batch Normalization Biases Residual Blocks Towards the Identity Function, arXiv:2002.10444",
        "Touvron et al. 2021, Going Deeper with Image Transformers, arXiv:2103.17239",
    ),
    experiment=experiment,
)
