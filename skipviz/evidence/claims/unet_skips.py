"""Long skips of a U-Net starve its centre at the start, short ones feed it."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from pydantic import Field

from ...network import families
from ...network.base import Frozen
from ...network.network import Network
from ...tasks.experiment import Experiment, Training
from ...tasks.task import Task
from ..claim import Chart, Claim, Rows, Verdict

if TYPE_CHECKING:
    import pandas

LONG, BOTH, NONE = "long skips", "long and short skips", "no skips"
SKIPS = {LONG: {}, BOTH: {"short_every": 2}, NONE: {"long": False}}
"""What the family takes for each."""
SEEDS, SIDE, BATCH = 5, 16, 8
STARVED, EVEN, LOST = 0.03, 0.05, 0.005
"""The centre's gradient over the last layer's with long skips alone, at most; the least over the largest of all layers with both,
at least; the first layer's over the last's with none, at most."""


class Controls(Frozen):
    convolutions: int = Field(6, ge=2, le=8, multiple_of=2, description="convolutions a scale, of which there are three")


def network(convolutions: int, series: str, side: int) -> Network:
    return families.unet(2, 8, convolutions, padded=True, init="torch", input=(1, side, side), head=1, **SKIPS[series])


def experiment(convolutions: int) -> Experiment:
    variants = {name: network(convolutions, series, 32) for name, series in zip(("long", "both", "none"), SKIPS, strict=True)}
    return Experiment(variants=variants, task=Task(name="shapes"), training=Training(batch_size=16, steps=200))


def measure(convolutions: int) -> Rows:
    """`x` is a convolution, the first one 1; `measured` ‖∂L/∂W‖ of its weights over the last one's, L2 norms over a batch of 8
    images of standard normal pixels, 16 × 16, at the start; L is a random linear functional of all outputs; the median of five
    seeds. `side`: pixels a side of what it gives. No norm, torch's own first weights, as in the paper.
    """
    import torch

    from ...learning.build import build

    for part, series in enumerate(SKIPS):
        found, stack = [], network(convolutions, series, SIDE)
        for seed in range(SEEDS):
            model, generator = build(stack, seed), torch.Generator().manual_seed(seed)
            outputs = model(torch.randn(BATCH, 1, SIDE, SIDE, generator=generator))
            (outputs * torch.randn(outputs.shape, generator=generator)).sum().backward()
            norms = [layer.operation.weight.grad.norm().item() for layer in model.layers if list(layer.parameters())]
            found.append([norm / norms[-1] for norm in norms])
            yield (part + (seed + 1) / SEEDS) / len(SKIPS), None
        sides = [shape.output[1] for shape in stack.shapes.layers if shape.parameters]
        for place, values in enumerate(zip(sides, *found, strict=True), start=1):
            yield (part + 1) / len(SKIPS), {"x": place, "series": series, "measured": median(values[1:]), "side": values[0]}


def verdict(frame: pandas.DataFrame) -> Verdict:
    norms = {series: rows.set_index("x") for series, rows in frame.groupby("series")}
    starved = float(norms[LONG][norms[LONG].side == norms[LONG].side.min()].measured.median())
    even = float(norms[BOTH].measured.min() / norms[BOTH].measured.max())
    lost = float(norms[NONE].measured.iloc[0])
    said = (
        f"With long skips alone the centre's gradient is {starved:.2g} of the last layer's; with short ones, too, no layer's is "
        f"under {even:.2g} of the largest. Without any the first layer's is {lost:.1g} of the last's."
    )
    return Verdict(starved < STARVED and even > EVEN and lost < LOST, said, starved)


KIND = Claim(
    number=60,
    name="unet_skips",
    title="With long skips alone the layers in the centre of a deep U-Net hardly get a gradient; short skips give them theirs.",
    who="Drozdzal et al.",
    year=2016,
    paper="The Importance of Skip Connections in Biomedical Image Segmentation, arXiv:1608.04117",
    controls=Controls,
    measure=measure,
    chart=Chart("line", "convolution, from the input", "gradient ‖∂L/∂W‖ over the last one's", log_y=True),
    verdict=verdict,
    band=f"Centre over last with long skips alone under {STARVED}; smallest over largest with both over {EVEN}; first over last "
    f"with none under {LOST}.",
    read_next=(
        "Ronneberger et al. 2015, U-Net, arXiv:1505.04597",
        "Zhou et al. 2018, UNet++, arXiv:1807.10165",
    ),
    experiment=experiment,
)
