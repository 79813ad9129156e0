"""Blocks of a trained network switched off: a residual one hardly notices, a plain one breaks."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from ...network import families
from ...network.base import Frozen
from ...tasks.experiment import Experiment, Training
from ...tasks.task import Task
from ..claim import Chart, Claim, Row, Rows, Verdict
from ..progress import part

if TYPE_CHECKING:
    import pandas

RISE, BROKEN = 0.02, 0.5
"""The residual network's error rises less with one block off, by the median over blocks; the plain one's is more, with one block
off or a quarter of them, when the residual one's is still less."""
LEARNED = 0.4
"""A plain network of more error than this before anything is off has learned too little to break."""
STEPS = 225
"""Ten times through the digits."""
DRAWS = 5
"""Random choices of blocks for each number of them."""
RESIDUAL, PLAIN = "residual", "plain"


class Controls(Frozen):
    blocks: int = Field(8, ge=4, le=27, description="blocks of two linear layers")
    off: Literal["each", "more"] = Field("each", description="each: every block in turn; more: more and more blocks at once")


def experiment(blocks: int, off: str) -> Experiment:
    options = {"depth": 2 * blocks + 1, "width": 64, "norm": "batch", "init": "he", "input": (64,), "head": 10}
    return Experiment(
        variants={RESIDUAL: families.mlp(skip_every=2, **options), PLAIN: families.mlp(**options)},
        task=Task(name="digits"),
        training=Training(learning_rate=0.003, steps=STEPS),
    )


def expected(blocks: int, off: str) -> list[Row]:
    """Return the band of the plain network, where one block is off or a quarter of them; the residual one's hangs on its error."""
    places = range(1, blocks + 1) if off == "each" else [blocks // 4]
    return [{"x": x, "series": PLAIN, "low": BROKEN, "high": 1.0} for x in places]


def measure(blocks: int, off: str) -> Rows:
    """`x` is the block that is off, counted from the input, 0 for none; with `more`, how many are off at once, of which `measured`
    is the mean over five random choices. `measured` is the share of the 359 held-out digits that are read wrong, 0…1.

    Both networks are 64 wide, with batch norm, and trained for ten epochs by Adam. A plain block that is off passes on what it
    reads.
    """
    from ...learning.trainer import Trainer
    from ..training import lesion, steps

    trainer = Trainer(experiment(blocks, off))
    yield from part(steps(trainer), 0, 0.8)
    network = trainer.experiment.variants[RESIDUAL]
    bands = {(row["x"], row["series"]): row for row in expected(blocks, off)}
    block = [tuple(layer.id for layer in network.layers[skip.source : skip.target]) for skip in network.skips]
    for x in range(blocks + 1):
        errors = []
        for chosen in _choices(blocks, x, off):
            found = lesion(trainer, tuple(layer for k in chosen for layer in block[k]))
            errors.append({name: 1 - frame.held_out for name, frame in found.items()})
        for place, name in enumerate((RESIDUAL, PLAIN), start=1):
            row = {"x": x, "series": name, "measured": sum(error[name] for error in errors) / len(errors), "off": off}
            yield 0.8 + 0.2 * (x + place / 2) / (blocks + 1), bands.get((x, name), {}) | row


def _choices(blocks: int, x: int, off: str) -> list[list[int]]:
    """Return the lesions of one place of the picture, each the numbers of the blocks that are off."""
    if off == "each":
        return [[x - 1] if x else []]
    random = Random(x)
    return [random.sample(range(blocks), x) for _ in range(1 if x in (0, blocks) else DRAWS)]


def verdict(frame: pandas.DataFrame) -> Verdict:
    errors = {name: rows.set_index("x").measured for name, rows in frame.groupby("series")}
    whole = {name: float(found[0]) for name, found in errors.items()}
    too_little = " The plain one has learned too little to break: choose fewer blocks." * (whole[PLAIN] > LEARNED)
    start = f"With all blocks the residual network errs on {whole[RESIDUAL]:.1%} and the plain one on {whole[PLAIN]:.1%}"
    if frame.off.iloc[0] == "more":
        blocks = errors[RESIDUAL].index[-1]
        quarter = blocks // 4
        residual, plain = (float(errors[name][quarter]) for name in (RESIDUAL, PLAIN))
        said = f"{start}; with {quarter} of {blocks} off on {residual:.1%} and {plain:.1%}.{too_little}"
        return Verdict(None if too_little else residual < BROKEN < plain, said, residual)
    median = {name: found[1:].median() for name, found in errors.items()}
    rise = float(median[RESIDUAL] - whole[RESIDUAL])
    said = f"{start}; with one block off, by the median, on {median[RESIDUAL]:.1%} and {median[PLAIN]:.1%}.{too_little}"
    return Verdict(None if too_little else bool(rise < RISE and median[PLAIN] > BROKEN), said, rise)


KIND = Claim(
    number=21,
    name="lesions",
    title="A trained residual network hardly notices that one of its blocks is switched off; a plain one breaks.",
    who="Veit, Wilber & Belongie",
    year=2016,
    paper="Residual Networks Behave Like Ensembles of Relatively Shallow Networks, arXiv:1605.06431",
    controls=Controls,
    measure=measure,
    chart=Chart("line", "block that is off (more: how many are off)", "held-out error, share of digits"),
    verdict=verdict,
    band="With one block off the residual network's error rises by less than 2 points, by the median over blocks; the plain one's "
    "is over 50 %. With a quarter of them off the residual one's is still under 50 %.",
    read_next=(
        "Huang et al. 2016, Deep Networks with Stochastic Depth, arXiv:1603.09382",
        "Greff et al. 2017, Highway and Residual Networks Learn Unrolled Iterative Estimation, arXiv:1612.07771",
    ),
    experiment=experiment,
    expected=expected,
)
