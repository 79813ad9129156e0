"""Attention without residuals, which makes all positions the same."""

from __future__ import annotations

from statistics import geometric_mean
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from ...network import edit
from ...network.base import Frozen
from ...network.layer import Layer
from ...network.network import Head, Network
from ...network.operation import Attention
from ...network.skip import Skip
from ...tasks.experiment import Experiment, Training
from ...tasks.task import Task
from ..claim import Chart, Claim, Row, Rows, Verdict

if TYPE_CHECKING:
    import pandas
    from torch import Tensor

LENGTH, WIDTH, SEEDS = 32, 64, 3
COLLAPSED, AT = 1e-6, 4
"""What is left of the differences without residuals, at most, and behind which layer."""
APART, APART_LATE, LATE = 0.7, 0.1, 12
"""The same with residuals, at least: behind that layer, and up to the twelfth."""
ROUNDING = 1e-15
"""Smaller differences are float64's rounding."""
WITH, WITHOUT = "with residuals", "without"


class Controls(Frozen):
    depth: int = Field(12, ge=4, le=24, description="attention layers")
    heads: Literal[1, 2, 4, 8] = Field(4, description="heads of each")


def network(depth: int, heads: int, input: tuple[int, int], head: Head) -> Network:
    """Return attention alone with a residual over each: no norm and no feed-forward layer, which hold differences, too."""
    skips = [Skip(source=k, target=k + 1) for k in range(depth)]
    return Network(input=input, layers=[Layer(op=Attention(heads=heads))] * depth, skips=skips, head=head)


def experiment(depth: int, heads: int) -> Experiment:
    residual = network(depth, heads, (8, 8), Head(outputs=10))
    variants = {"residual": residual, "plain": edit.switch_all(residual, False)}
    return Experiment(variants=variants, task=Task(name="digits"), training=Training(steps=400))


def expected(depth: int, heads: int) -> list[Row]:
    places = [(k, series) for series in (WITH, WITHOUT) for k in range(AT, depth + 1)]
    return [{"x": k, "series": series, **band} for k, series in places if (band := _band(series, k))]


def _band(series: str, k: int) -> Row:
    if series == WITHOUT and k >= AT:
        return {"high": COLLAPSED}
    return {"low": APART if k == AT else APART_LATE, "high": 1.0} if series == WITH and AT <= k <= LATE else {}


def measure(depth: int, heads: int) -> Rows:
    """`x` is a state h_k, `measured` ‖X − 1x̄ᵀ‖/‖X‖ of it, a sequence of 32 vectors of 64 numbers that begins as standard normal
    ones: 0 where all are the same. Float64, at the start, the geometric mean of three seeds. `predicted`: each layer cubes it,
    times a factor that the second gives. `low` and `high` are the band.
    """
    import torch

    from ...learning.build import build
    from ...learning.probe import record

    stack = network(depth, heads, (LENGTH, WIDTH), Head(kind="state", outputs=WIDTH))
    for part, series in enumerate((WITH, WITHOUT)):
        found = []
        for seed in range(SEEDS):
            model = build(stack, seed).double()
            model.set_network(edit.switch_all(stack, series == WITH))
            generator = torch.Generator().manual_seed(seed)
            _, recording = record(model, torch.randn(1, LENGTH, WIDTH, generator=generator).double())
            found.append([difference(state.detach()) for state in recording.states])
            yield (part + (seed + 1) / SEEDS) / 2, None
        left = [geometric_mean(values) for values in zip(*found, strict=True)]
        for k, measured in enumerate(left):
            row = {"x": k, "series": series, "measured": measured, **_band(series, k)}
            if series == WITHOUT and k > 1 and (cubed := left[k - 1] ** 3 * left[2] / left[1] ** 3) > ROUNDING:
                row["predicted"] = cubed
            yield (part + 1) / 2, row


def difference(state: Tensor) -> float:
    """Return what is left of a sequence `(1, length, width)` without its mean, as a share of its norm."""
    return ((state - state.mean(1, keepdim=True)).norm() / state.norm()).item()


def verdict(frame: pandas.DataFrame) -> Verdict:
    kept, lost = (frame[frame.series == series].set_index("x").measured for series in (WITH, WITHOUT))
    late = min(LATE, kept.index[-1])
    holds = lost[AT:].max() < COLLAPSED and kept[AT] > APART and kept[:late].min() > APART_LATE
    said = (
        f"Behind layer {AT} differences of positions are {lost[AT]:.0e} of the whole without residuals and {kept[AT]:.2f} with "
        f"them, {kept[late]:.2f} still behind layer {late}."
    )
    return Verdict(bool(holds), said, float(lost[AT]))


KIND = Claim(
    number=90,
    name="rank_collapse",
    title="Attention alone makes all positions the same, doubly exponentially with depth; residuals keep them apart.",
    who="Dong, Cordonnier & Loukas",
    year=2021,
    paper="Attention Is Not All You Need: Pure Attention Loses Rank Doubly Exponentially with Depth, arXiv:2103.03404",
    controls=Controls,
    measure=measure,
    chart=Chart("line", "state, from the input", "differences of positions, ‖X − 1x̄ᵀ‖/‖X‖", log_y=True),
    verdict=verdict,
    band=f"Behind layer {AT} less than a millionth without residuals, over {APART} with them; up to layer {LATE} over "
    f"{APART_LATE}.",
    read_next=(
        "Noci et al. 2022, Signal Propagation in Transformers, arXiv:2206.03126",
        "Geshkovski et al. 2023, A Mathematical Perspective on Transformers, arXiv:2312.10794",
    ),
    experiment=experiment,
    expected=expected,
)
