"""Deep residual networks without norm, which learn where their branches start small."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from ...network import edit, families
from ...network.base import Frozen
from ...network.network import Head, Network
from ...tasks.experiment import Experiment, Training
from ...tasks.task import Task
from ..claim import Chart, Claim, Row, Rows, Verdict

if TYPE_CHECKING:
    import pandas

EPOCH, EPOCHS = 24, 6
"""Steps in which batches of 64 pass the training digits once, about; and how often they do."""
RECORDED, TOGETHER = 2, 6
"""Steps between two frames, and frames whose mean error is a point."""
LEARNED, GUESSING = 0.08, 0.5
"""Training error in the last epoch: of those that start small at most, of the one that does not at least."""
RATES = {"adam": 0.001, "sgd": 0.1}
LAYER_SCALES = {18: 0.1, 24: 1e-5, 100: 1e-6}
"""Where LayerScale starts, by the most blocks (Touvron et al. 2021, section 2)."""
BARE, REZERO = "He, nothing else", "ReZero"


class Controls(Frozen):
    blocks: int = Field(20, ge=10, le=100, description="residual blocks of two linear layers, without norm")
    optimizer: Literal["sgd", "adam"] = Field("sgd", description="by which they are trained: SGD at 0.1, Adam at 0.001")


def networks(blocks: int) -> dict[str, Network]:
    """Return the stacks by series; in each a branch is ReLU, linear, ReLU, linear."""
    bare = _stack(blocks)
    first, last = ([bare.layers[place].id for place in places] for places in zip(*_places(bare), strict=True))
    fixup = edit.set_layers(_stack(blocks, head=Head(outputs=10, init="zero")), first, init_factor=round(blocks**-0.5, 6))
    start = next(start for most, start in LAYER_SCALES.items() if blocks <= most)
    return {
        BARE: bare,
        REZERO: _stack(blocks, scale="rezero"),
        "SkipInit": _stack(blocks, scale="skipinit"),
        "Fixup": edit.set_layers(fixup, last, init="zero", scale=1.0, scale_learned=True),
        "LayerScale": edit.set_layers(bare, last, scale=start, scale_learned=True, scale_per="channel"),
    }


def _stack(blocks: int, **more) -> Network:
    options = {"skip_every": 2, "order": "norm-act-op", "init": "he", "input": (64,), "head": 10}
    return families.mlp(2 * blocks + 1, 64, **{**options, **more})


def _places(network: Network) -> list[tuple[int, int]]:
    """Return the places of each block's two layers."""
    return [(skip.source, skip.target - 1) for skip in network.skips]


def experiment(blocks: int, optimizer: str) -> Experiment:
    found = networks(blocks)
    shown = {"he": BARE, "rezero": REZERO, "skipinit": "SkipInit", "fixup": "Fixup"}
    return _on_digits({name: found[series] for name, series in shown.items()}, optimizer)


def _on_digits(variants: dict[str, Network], optimizer: str) -> Experiment:
    training = Training(optimizer=optimizer, learning_rate=RATES[optimizer], steps=EPOCH * EPOCHS, record_every=RECORDED)
    return Experiment(variants=variants, task=Task(name="digits"), training=training)


def expected(blocks: int, optimizer: str) -> list[Row]:
    """Return the band of the last epoch."""
    steps = range(RECORDED * TOGETHER, EPOCH * EPOCHS + 1, RECORDED * TOGETHER)
    found = networks(blocks)
    return [{"x": step, "series": series, **_band(series, step)} for series in found for step in steps if _band(series, step)]


def _band(series: str, step: int) -> Row:
    return {"low": 0.0, "high": LEARNED} if series != BARE and step > EPOCH * (EPOCHS - 1) else {}


def measure(blocks: int, optimizer: str) -> Rows:
    """`x` is a step, `measured` the share of digits read wrong in batches of 64 up to it, 0…1, the mean of the last six recorded.

    Networks are 64 wide, trained for six epochs. `first_gradient` is the largest norm of the gradient of a weight in a block at
    step 0. One that diverges has no further rows but a last one, `measured` being None.
    """
    from ...learning.training import train

    found = networks(blocks)
    for place, (series, network) in enumerate(found.items()):
        errors: list[float] = []
        first_gradient = None
        for frame in train(_on_digits({"network": network}, optimizer)):
            variant, step = frame.variants["network"], frame.step + RECORDED
            done = (place + step / (EPOCH * EPOCHS)) / len(found)
            if first_gradient is None:
                inside = [k for places in _places(network) for k in places]
                first_gradient = max((variant.weight_grad[k] or 0.0 for k in inside), default=None)
            errors.append(1 - variant.metric)
            row = {"x": step, "series": series, "measured": None, "first_gradient": first_gradient}
            if variant.loss is None:
                yield done, row | {"x": frame.step}
                break
            ends = len(errors) % TOGETHER == 0
            row["measured"] = sum(errors[-TOGETHER:]) / TOGETHER
            yield min(done, (place + 1) / len(found)), row | _band(series, step) if ends else None
    yield 1, None


def verdict(frame: pandas.DataFrame) -> Verdict:
    last = frame.x > EPOCH * (EPOCHS - 1)
    errors = {series: float(rows.measured.mean()) for series, rows in frame[last].groupby("series", sort=False)}
    diverged = frame[frame.measured.isna()].groupby("series").x.max()
    zero = frame[frame.series == REZERO].first_gradient.iloc[0] == 0
    said = ", ".join(f"{series} {error:.1%}" for series, error in errors.items() if series != BARE)
    bare = f"diverges at step {diverged[BARE]:.0f}" if BARE in diverged else f"errs on {errors[BARE]:.0%}"
    start = "no weight of a block has" if zero else "weights of its blocks have"
    learned = [series for series, error in errors.items() if series != BARE and error < LEARNED and series not in diverged]
    holds = bool(zero and len(learned) == 4 and (BARE in diverged or errors[BARE] > GUESSING))
    text = f"In the last epoch {said} of the digits are read wrong. With He's weights alone it {bare}. "
    text += f"At step 0 of ReZero {start} a gradient."
    return Verdict(holds, text, max((errors[series] for series in errors if series != BARE), default=None))


KIND = Claim(
    number=70,
    name="without_norm",
    title="Deep residual networks learn without any norm where each branch starts at nothing, or nearly.",
    who="Zhang et al. (Fixup), Bachlechner et al. (ReZero), De & Smith (SkipInit), Touvron et al. (LayerScale)",
    year=2019,
    paper="Fixup Initialization, arXiv:1901.09321; ReZero Is All You Need, arXiv:2003.04887; Batch Normalization Biases Residual "
    "Blocks Towards the Identity Function, arXiv:2002.10444; Going Deeper with Image Transformers, arXiv:2103.17239",
    controls=Controls,
    measure=measure,
    chart=Chart("line", "step", "training error, share of digits"),
    verdict=verdict,
    band="In the sixth epoch each of the four errs on less than 8 % of the training digits; with He's weights and nothing else it "
    "diverges or errs on more than half. At step 0 of ReZero the gradient of every weight in a block is exactly 0.",
    read_next=(
        "Brock et al. 2021, High-Performance Large-Scale Image Recognition Without Normalization, arXiv:2102.06171",
        "Hanin & Rolnick 2018, How to Start Training: The Effect of Initialization and Architecture, arXiv:1803.01719",
    ),
    experiment=experiment,
    expected=expected,
)
