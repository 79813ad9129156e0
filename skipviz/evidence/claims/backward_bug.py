"""A backward pass that forgets one residual: the same loss, and no gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from ...network import edit, families
from ...network.base import Frozen
from ...network.operation import Attention
from ...tasks.experiment import Experiment, Training
from ...tasks.task import Task
from ..claim import Chart, Claim, Row, Rows, Verdict

if TYPE_CHECKING:
    import pandas

FALL, EVEN = 5.0, 3.0
"""Factor by which the gradient falls a block at least where a residual is forgotten, and within which it stays elsewhere."""
WHOLE, FORGOTTEN = "both residuals", "second forgotten"


class Controls(Frozen):
    blocks: int = Field(24, ge=12, le=24, description="Transformer blocks")
    gain: float = Field(0.0, ge=0, le=1, description="what the second skip of each block lets back: 0 is the bug, 1 is none")


def experiment(blocks: int, gain: float) -> Experiment:
    network = families.transformer(blocks, 64, 4, norm="pre", input=(8, 8))
    forgotten = edit.set_skips(network, [skip.id for skip in network.skips[1::2]], gain=gain)
    return Experiment(variants={"whole": network, "forgotten": forgotten}, task=Task(name="digits"), training=Training(steps=200))


def expected(blocks: int, gain: float) -> list[Row]:
    """Return the band around the last block's gradient, and the gradient that would fall too slowly."""
    rows: list[Row] = [{"x": block, "series": WHOLE, "low": 1 / EVEN, "high": EVEN} for block in range(1, blocks + 1)]
    if gain == 0:
        rows += [{"x": block, "series": FORGOTTEN, "high": FALL ** (block - blocks)} for block in range(1, blocks + 1)]
    return rows


def measure(blocks: int, gain: float) -> Rows:
    """`x` is a block; `measured` ‖∂L/∂h‖ of its output as a multiple of the last block's, L2 norms over a batch of 64 digits, at
    step 0; `loss` is the batch's.
    """
    from ...learning.training import train

    opened = experiment(blocks, gain)
    frame = next(train(opened))
    ends = _ends(opened)
    bands = {(row["x"], row["series"]): row for row in expected(blocks, gain)}
    for part, (variant, series) in enumerate(zip(opened.variants, (WHOLE, FORGOTTEN), strict=True)):
        measured = frame.variants[variant]
        last = measured.state_grad[ends[-1]]
        for block, state in enumerate(ends, start=1):
            row = {"x": block, "series": series, "measured": measured.state_grad[state] / last, "loss": measured.loss}
            yield (part * blocks + block) / (2 * blocks), bands.get((block, series), {}) | row | {"gain": gain}


def _ends(opened: Experiment) -> list[int]:
    """Return the number of the state that each block ends in: before the next attention, and at last before the norm."""
    network = opened.network
    starts = [k for k, layer in enumerate(network.layers) if isinstance(layer.op, Attention)]
    return [*starts[1:], network.depth - 1]


def verdict(frame: pandas.DataFrame) -> Verdict:
    whole, forgotten = (frame[frame.series == series].set_index("x").measured for series in (WHOLE, FORGOTTEN))
    blocks, gain, same = len(whole), frame.gain.iloc[0], frame.loss.nunique() == 1
    fall = float((forgotten[blocks] / forgotten[1]) ** (1 / (blocks - 1)))
    spread = whole.max() / whole.min()
    said = (
        f"{'The loss is the same to the bit' if same else 'The losses differ'}. With the second residual's gradient × {gain:g} "
        f"it falls {fall:.1f} times a block, without that bug it stays within {spread:.1f} times over {blocks} blocks."
    )
    if gain > 0:
        return Verdict(None, f"{said} The claim is of a gain of 0.", fall)
    return Verdict(bool(same and fall >= FALL and spread <= EVEN), said, fall)


KIND = Claim(
    number=140,
    name="backward_bug",
    title="A backward pass that forgets every second residual leaves the loss as it is and the gradient of deep layers at nothing.",
    who="Backward passes written by hand",
    year=2020,
    paper="the blocks are Pre-LN's, of Xiong et al., On Layer Normalization in the Transformer Architecture, arXiv:2002.04745",
    controls=Controls,
    measure=measure,
    chart=Chart("line", "block, from the input", "gradient of its output ‖∂L/∂h‖ over the last block's", log_y=True),
    verdict=verdict,
    band=f"The loss is the same to the bit. With the bug the gradient falls at least {FALL:g} times a block; without it, it stays "
    f"within {EVEN:g} times over all of them. (One such pass, of 24 blocks, reported norms of .238, .043, .006, .001 and 0.)",
    read_next=("Xiong et al. 2020, On Layer Normalization in the Transformer Architecture, arXiv:2002.04745",),
    experiment=experiment,
    expected=expected,
)
