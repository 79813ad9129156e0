"""What 16 seeds cost beside one, and prints JSON: `python tests/bench/bench_seeds.py [networks that begin so]`.

One seed and 16 train in turns, a block of steps each, so that a busy machine slows both; the figure is the median over blocks of
the ratio of their times on the processor: of a step that is recorded, of one that is not, and of a step of the lab's, where
a worker's session trains a run of the usual length, or a longer one, by its own schedule, sends its frames and paints. The aim for
an MLP of 20 layers of 16 is 3.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections import deque
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from skipviz.engine.processes.channel import Channel
from skipviz.engine.processes.checkpoints import Checkpoints
from skipviz.engine.processes.worker import Session
from skipviz.learning.seeds import Seeds, trainer_of
from skipviz.learning.setup import prepare
from skipviz.learning.trainer import Trainer
from skipviz.network import Network, families
from skipviz.settings import get_settings
from skipviz.tasks.experiment import Experiment, Training

BLOCK, BLOCKS, SEEDS = 5, 40, 16
WARM, LENGTHS, RUNS = 80, (Training().steps, 2000), 3
"""Steps of a kind before its first block, by which passes are made again; those of runs of the lab, and how many of each."""
NETWORKS = {
    "20 × 16, plain": (families.mlp(depth=20, width=16), 64),
    "20 × 16, residual": (families.mlp(depth=20, width=16, skip_every=2), 64),
    "20 × 16, residual, batch 10": (families.mlp(depth=20, width=16, skip_every=2), 10),
    "8 × 64, residual": (families.mlp(depth=8, width=64, skip_every=2), 64),
    "8 × 64, layer norm, one after the other": (families.mlp(depth=8, width=64, skip_every=2, norm="layer"), 64),
}


class Nobody(Channel):
    """A channel at whose other end nobody reads or writes."""

    def __init__(self) -> None:
        self.inbox = deque()

    def write(self, data: bytes) -> None:
        """Let lines go."""


def made(network: Network, batch: int, seeds: int, steps: int = 1_000_000) -> Trainer | Seeds:
    """Return a run, which by default does not end before the bench does."""
    training = Training(seeds=seeds, steps=steps, batch_size=batch)
    return trainer_of(Experiment(variants={"net": network}, training=training))


def block(run: Trainer | Seeds, record: bool) -> float:
    """Return the seconds of a step."""
    began = time.thread_time()
    for _ in range(BLOCK):
        run.advance(record=record)
    return (time.thread_time() - began) / BLOCK


def in_the_lab(run: Trainer | Seeds) -> float:
    """Return the seconds of a step of a run as a worker's session makes it, beginning with the first."""
    request = {"experiment": {}, "frames_per_second": get_settings().frames_per_second}
    session = Session(Nobody(), run, request, Checkpoints(None, 10))
    began = time.thread_time()
    session.run()
    return (time.thread_time() - began) / run.step


def compared(pairs: list[tuple[float, float]]) -> dict[str, float]:
    """Return what a step of one seed takes, and how many times as long that of all does."""
    ratio = statistics.median(several / single for single, several in pairs)
    return {"one step ms": round(1000 * statistics.median(single for single, _ in pairs), 2), "ratio": round(ratio, 2)}


def main() -> None:
    """Measure and print."""
    prepare()
    found = {}
    for name, (network, batch) in NETWORKS.items():
        if not name.startswith(tuple(sys.argv[1:]) or ""):
            continue
        runs = [made(network, batch, seeds) for seeds in (1, SEEDS)]
        for record in (True, False):
            for _ in range(WARM):
                for run in runs:
                    run.advance(record=record)
            pairs = [tuple(block(run, record) for run in runs) for _ in range(BLOCKS)]
            found[f"{name}, {'recorded' if record else 'not recorded'}"] = compared(pairs)
        for steps in LENGTHS:
            pairs = [tuple(in_the_lab(made(network, batch, seeds, steps)) for seeds in (1, SEEDS)) for _ in range(RUNS)]
            found[f"{name}, in the lab, {steps} steps"] = compared(pairs)
    print(json.dumps({"load": os.getloadavg()[0], **found}, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
