"""A U-Net that is asked to copy, and leaves that to its skips."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from ...network import edit, families
from ...network.base import Frozen
from ...network.network import Network
from ...tasks.experiment import Experiment, Training
from ...tasks.task import Task
from ..claim import Chart, Claim, Rows, Verdict

if TYPE_CHECKING:
    import pandas
    from torch import Tensor

    from ...learning.build import NetworkModule

SIDE, DEPTH, SAMPLES, BATCH, RATE = 16, 2, 256, 16, 0.003
EVERY = 5
"""Steps between two measurements."""
RELEASED, FREE = "skips frozen, then released", "skips from the start"
WORKS, IDLE = 1.3, 1.25
"""Error without the deep path over the error with it: at least while the skips are frozen, at most at the end."""
FALL = 10.0
"""How many times the centre's share of the gradient falls at least, from the frozen steps to the released ones."""


class Controls(Frozen):
    release: int = Field(75, ge=30, le=200, description="steps with the skips frozen; as many follow")


def network(side: int = SIDE) -> Network:
    return families.unet(DEPTH, 8, 2, padded=True, input=(1, side, side), head=1)


def experiment(release: int) -> Experiment:
    free = network(32)
    variants = {"free": free, "frozen": edit.switch_all(free, False)}
    return Experiment(variants=variants, task=Task(name="shapes"), training=Training(batch_size=BATCH, steps=2 * release))


def measure(release: int) -> Rows:
    """`x` is a step, `measured` the median ‖∂L/∂W‖ of the convolutions at the smallest scale over the last convolution's, L2 norms.
    L is the squared error of copying a noisy image of 16 × 16 pixels. `error` is that of the 51 held-out ones, and `without` the
    same with nothing coming up from the smaller scales.
    """
    import numpy as np
    import torch

    from ...learning.batches import Batches
    from ...learning.build import build
    from ...tasks.data import dataset

    data = dataset(Task(name="shapes", image_size=SIDE, samples=SAMPLES))
    images, kept = torch.from_numpy(data.x), torch.from_numpy(data.held_out_x)
    stack, steps, batches = network(), 2 * release, Batches(len(data.x), BATCH, 0)
    centre = [layer.id for layer, shape in zip(stack.layers, stack.shapes.layers, strict=True) if shape.parameters and _deep(shape)]
    last = stack.layers[-1].id
    for part, series in enumerate((FREE, RELEASED)):
        model = build(stack)
        optimizer = torch.optim.Adam(model.parameters(), RATE)
        for step in range(steps + 1):
            if step in (0, release):
                model.set_network(edit.switch_all(stack, series == FREE or step == release))
            batch = images[batches.indices(step)]
            optimizer.zero_grad()
            (model(batch) - batch).square().mean().backward()
            if step % EVERY == 0:
                norm = {name: model.layers[name].operation.weight.grad.norm().item() for name in (*centre, last)}
                share = float(np.median([norm[name] for name in centre])) / norm[last]
                row = {"x": step, "series": series, "measured": share, "error": copied(model, kept)}
                row |= {"without": copied(model, kept, lesion=True), "released": step >= release}
                yield (part + step / steps) / 2, row
            optimizer.step()


def _deep(shape) -> bool:
    return shape.output[1] == SIDE >> DEPTH


def copied(model: NetworkModule, images: Tensor, lesion: bool = False) -> float:
    """Return the mean squared error of a copy; with a `lesion` the last up-convolution gives zeros."""
    import torch

    up = next(layer.id for layer in reversed(model.network.layers) if layer.op.kind == "up")
    hook = model.layers[up].register_forward_hook(lambda module, inputs, output: torch.zeros_like(output)) if lesion else None
    with torch.no_grad():
        error = (model(images) - images).square().mean().item()
    if hook:
        hook.remove()
    return error


def verdict(frame: pandas.DataFrame) -> Verdict:
    frozen, released = (frame[(frame.series == RELEASED) & (frame.released == now)] for now in (False, True))
    settled = released[released.x > released.x.iloc[0] + (released.x.iloc[-1] - released.x.iloc[0]) / 2]
    fall = float(frozen.measured.median() / settled.measured.median())
    works = float(frozen.without.iloc[-1] / frozen.error.iloc[-1])
    idle = [float(rows.without.iloc[-1] / rows.error.iloc[-1]) for _, rows in frame.groupby("series")]
    said = (
        f"While the skips are frozen the error is {works:.1f} times as large without the deep path. Released, the centre's share "
        f"of the gradient falls {fall:.0f} times, and without the deep path the error is {max(idle):.2f} times as large at the "
        "end, whether the skips were frozen at first or not."
    )
    return Verdict(works > WORKS and fall > FALL and max(idle) < IDLE, said, fall)


KIND = Claim(
    number=61,
    name="lazy_unet",
    title="A U-Net that can copy through its skips does, and its deep layers stop learning, even those that have learned to copy.",
    who="A habit that practitioners know; such auto-encoders with skips: Mao, Shen & Yang",
    year=2016,
    paper="Image Restoration Using Very Deep Convolutional Encoder-Decoder Networks with Symmetric Skip Connections, "
    "arXiv:1603.09056",
    controls=Controls,
    measure=measure,
    chart=Chart("line", "step", "gradient ‖∂L/∂W‖ at the smallest scale over the last layer's", log_y=True),
    verdict=verdict,
    band=f"Without the deep path the error is over {WORKS} times as large while skips are frozen, under {IDLE} times at the end; "
    f"the centre's share of the gradient falls over {FALL:g} times.",
    read_next=(
        "Ronneberger et al. 2015, U-Net, arXiv:1505.04597",
        "Drozdzal et al. 2016, The Importance of Skip Connections in Biomedical Image Segmentation, arXiv:1608.04117",
    ),
    experiment=experiment,
)
