"""Where the learned weights of a DenseFormer go, which averages the outputs of all blocks."""

from __future__ import annotations

from statistics import mean
from typing import TYPE_CHECKING

from pydantic import Field

from ...network import families
from ...network.base import Frozen
from ...network.network import Network
from ...tasks.experiment import Experiment, Training
from ...tasks.task import Task
from ..claim import Chart, Claim, Row, Rows, Verdict

if TYPE_CHECKING:
    import pandas

    from ...learning.trainer import Trainer

EVERY, LAST = 5, 6
"""Steps between two measured batches, and how many of them a loss is averaged over."""
WORSE = 0.05
"""Nats that its loss may be above the plain Transformer's."""
PLAIN, DENSE = "plain", "denseformer"
START, END = "at the start", "at the end"


class Controls(Frozen):
    blocks: int = Field(6, ge=2, le=12, description="Transformer blocks")
    steps: int = Field(150, ge=50, le=600, description="steps of training")


def experiment(blocks: int, steps: int) -> Experiment:
    task = Task(name="text", length=16)
    options = {"causal": True, "vocabulary": task.token_count(), "input": task.input_for(False), "head": task.head()}
    build = {PLAIN: {}, DENSE: {"averaged": True}}
    variants = {name: families.transformer(blocks, 32, 4, 64, "pre", **more, **options) for name, more in build.items()}
    training = Training(learning_rate=0.003, batch_size=32, steps=steps + 1, record_every=EVERY)
    return Experiment(variants=variants, task=task, training=training)


def measure(blocks: int, steps: int) -> Rows:
    """`x` is a block i behind which is averaged, `y` what it averages: block j's output, 0 the embedding; `measured` the weight
    α_ij. `loss` and `plain_loss` are those of the last batches, 32 passages of 16 characters each, in nats a character, of both
    networks.
    """
    from ...learning.trainer import Trainer

    trainer = Trainer(experiment(blocks, steps))
    for block, state, weight in weights(trainer):
        yield 0, {"x": block, "y": state, "series": START, "measured": weight, "loss": None, "plain_loss": None}
    losses: dict[str, list[float]] = {PLAIN: [], DENSE: []}
    while trainer.step <= steps:
        frame = trainer.advance(record=trainer.step % EVERY == 0)
        if frame:
            for name, found in losses.items():
                found.append(frame.variants[name].loss)
            yield frame.step / steps, None
    means: Row = {"loss": mean(losses[DENSE][-LAST:]), "plain_loss": mean(losses[PLAIN][-LAST:])}
    for block, state, weight in weights(trainer):
        yield 1, {"x": block, "y": state, "series": END, "measured": weight, **means}


def weights(trainer: Trainer) -> list[tuple[int, int, float]]:
    """Return i, j and α_ij of the present weights, for all that is averaged."""
    found, network = trainer.weights(DENSE), trainer.experiment.variants[DENSE]
    places = []
    for block, target in enumerate(averages(network), start=1):
        skips = [skip for skip in network.skips if skip.target == target and skip.learned]
        own = found[f"layers.{network.layers[target - 1].id}.scale"].item()
        others = [found[f"skips.{skip.id}.strength"].item() for skip in sorted(skips, key=lambda skip: skip.source)]
        places += [(block, state, weight) for state, weight in enumerate([*others, own])]
    return places


def averages(network: Network) -> list[int]:
    """Return the numbers of the states that are averages."""
    return [k for k, layer in enumerate(network.layers, start=1) if layer.scale_learned]


def verdict(frame: pandas.DataFrame) -> Verdict:
    start, end = (frame[frame.series == series].set_index(["x", "y"]) for series in (START, END))
    exact = all(weight == (block == state) for (block, state), weight in start.measured.items())
    blocks = end.index.get_level_values("x").max()
    loss, plain = float(end.loss.iloc[0]), float(end.plain_loss.iloc[0])
    what = "no gain at this size" if loss > plain - WORSE else "a gain"
    said = (
        f"{'They start exactly at 1 and 0' if exact else 'They do not start at 1 and 0'}. At the end the last average takes "
        f"{end.measured[blocks, blocks]:.2f} of its own block and {end.measured[blocks, 0]:+.2f} of the embedding; the loss is "
        f"{loss:.2f} nats, the plain Transformer's {plain:.2f}: {what}."
    )
    return Verdict(exact and loss < plain + WORSE, said, loss - plain)


KIND = Claim(
    number=120,
    name="denseformer",
    title="A Transformer that averages the outputs of all its blocks starts as a plain one, and its weights find patterns of "
    "their own.",
    who="Pagliardini et al.",
    year=2024,
    paper="DenseFormer: Enhancing Information Flow in Transformers via Depth Weighted Averaging, arXiv:2402.02622",
    controls=Controls,
    measure=measure,
    chart=Chart("surface", "averaged behind block", "output of block (0: embedding)", z="weight α"),
    verdict=verdict,
    band=f"The weights start at exactly 1 for a block's own output and 0 for all others; the loss is then at most {WORSE} nats "
    "above the plain Transformer's after as many steps.",
    read_next=(
        "Huang et al. 2017, Densely Connected Convolutional Networks, arXiv:1608.06993",
        "Zhu et al. 2024, Hyper-Connections, arXiv:2409.19606",
    ),
    experiment=experiment,
)
