"""What the long skip of each scale adds to a trained U-Net."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from ...network import families
from ...network.base import Frozen, written
from ...tasks.experiment import Experiment, Training
from ...tasks.task import Task
from ..claim import Chart, Claim, Rows, Verdict
from ..progress import part

if TYPE_CHECKING:
    import pandas

SIDE, STEPS = 32, 80
LEARNED, MOST, LEAST, ORDER = 0.8, 0.3, 0.05, 0.02
"""Dice with all skips on, at least; what the finest scale's skip adds to it at least and the coarsest one's at most; and by how
much a finer one may add less than the next coarser one."""
WHOLE, NOTHING = "none off", "all off"


class Controls(Frozen):
    scales: int = Field(3, ge=2, le=4, description="halvings of the image, each with a long skip past what is smaller")
    task: Literal["shapes", "membranes"] = Field("shapes", description="what is found: shapes in noise, or membranes of cells")


def experiment(scales: int, task: str) -> Experiment:
    network = families.unet(scales, 8, padded=True, norm="batch", input=(1, SIDE, SIDE), head=1)
    training = Training(learning_rate=0.01, batch_size=16, steps=STEPS)
    return Experiment(variants={"u-net": network}, task=Task(name=task, samples=256, image_size=SIDE), training=training)


def measure(scales: int, task: str) -> Rows:
    """`x` is whose long skip is off, by the scale's pixels a side; `measured` the Dice overlap of the masks of 51 held-out images
    with the true ones, 0…1; `loss` is by how much it is less than with all skips on.

    A U-Net of 8 channels at the first scale, with batch norm, after 80 steps of Adam on batches of 16 images of 32 × 32 pixels.
    """
    from ...learning.trainer import Trainer
    from ..training import lesion, steps

    trainer = Trainer(experiment(scales, task))
    yield from part(steps(trainer), 0, 0.9)
    network = trainer.experiment.network
    skips = sorted(network.skips, key=lambda skip: skip.source)
    off = {WHOLE: ()} | {f"{written(network.shapes.states[skip.source][1:])} pixels": (skip.id,) for skip in skips}
    off[NOTHING] = tuple(skip.id for skip in skips)
    whole = None
    for place, (x, ids) in enumerate(off.items(), start=1):
        (frame,) = lesion(trainer, skips=ids).values()
        dice = 2 * frame.held_out / (1 + frame.held_out)
        whole = dice if whole is None else whole
        row = {"x": x, "series": "Dice", "measured": dice, "loss": whole - dice}
        if place == 1:
            row |= {"low": LEARNED, "high": 1.0}
        elif place == 2:
            row |= {"low": 0.0, "high": whole - MOST}
        elif place == len(off) - 1:
            row |= {"low": whole - LEAST, "high": 1.0}
        yield 0.9 + 0.1 * place / len(off), row


def verdict(frame: pandas.DataFrame) -> Verdict:
    losses = frame.set_index("x").loss
    whole = float(frame.measured.iloc[0])
    each = losses.drop([WHOLE, NOTHING])
    said = ", ".join(f"{scale} {loss:.2f}" for scale, loss in each.items())
    ordered = all(finer >= coarser - ORDER for finer, coarser in pairwise(each))
    holds = bool(whole >= LEARNED and each.iloc[0] >= MOST and each.iloc[-1] <= LEAST and ordered)
    text = f"Of a Dice of {whole:.2f} each scale's skip holds: {said}. Without all of them {frame.measured.iloc[-1]:.2f} is left."
    return Verdict(holds, text, float(each.iloc[0]))


KIND = Claim(
    number=110,
    name="multi_scale",
    title="The long skips of a U-Net bring back what pooling left out, the finest scale's most of all.",
    who="Ronneberger, Fischer & Brox",
    year=2015,
    paper="U-Net: Convolutional Networks for Biomedical Image Segmentation, arXiv:1505.04597",
    controls=Controls,
    measure=measure,
    chart=Chart("bars", "long skip that is off, by its scale in pixels", "Dice overlap of held-out masks"),
    verdict=verdict,
    band="With all skips on, a Dice of at least 0.8. Switched off after training, the finest scale's skip costs at least 0.3 of "
    "it, the coarsest one's at most 0.05, and none costs 0.02 more than a finer one's.",
    read_next=(
        "Drozdzal et al. 2016, The Importance of Skip Connections in Biomedical Image Segmentation, arXiv:1608.04117",
        "Long, Shelhamer & Darrell 2014, Fully Convolutional Networks for Semantic Segmentation, arXiv:1411.4038",
    ),
    experiment=experiment,
)
