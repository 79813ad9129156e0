"""What 16 seeds cost beside one, and prints JSON: `python tests/bench/bench_seeds.py`.

One seed and 16 train in turns, a block of steps each, so that a busy machine slows both; the figure is the median over blocks of
the ratio of their times on the processor. Every tenth step is recorded, as on a page, and then every step. The issue's aim for an
MLP of 20 layers of 16 is 3.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from skipviz.learning.seeds import Seeds, trainer_of
from skipviz.learning.setup import prepare
from skipviz.learning.trainer import Trainer
from skipviz.network import Network, families
from skipviz.tasks.experiment import Experiment, Training

BLOCK, BLOCKS, SEEDS = 20, 40, 16
NETWORKS = {
    "20 × 16, plain": families.mlp(depth=20, width=16),
    "20 × 16, residual": families.mlp(depth=20, width=16, skip_every=2),
    "8 × 64, residual": families.mlp(depth=8, width=64, skip_every=2),
    "8 × 64, layer norm, one after the other": families.mlp(depth=8, width=64, skip_every=2, norm="layer"),
}


def made(network: Network, seeds: int) -> Trainer | Seeds:
    """Return a run that does not end before the bench does."""
    return trainer_of(Experiment(variants={"net": network}, training=Training(seeds=seeds, steps=1_000_000)))


def took(run: Trainer | Seeds, every: int) -> float:
    """Return the seconds of a block."""
    began = time.thread_time()
    for step in range(BLOCK):
        run.advance(record=step % every == 0)
    return time.thread_time() - began


def main() -> None:
    """Measure and print."""
    prepare()
    found = {}
    for name, network in NETWORKS.items():
        one, many = made(network, 1), made(network, SEEDS)
        for every in (10, 1):
            pairs = [(took(one, every), took(many, every)) for _ in range(BLOCKS)]
            found[f"{name}, recorded every {every}"] = {
                "one step ms": round(1000 * statistics.median(single for single, _ in pairs) / BLOCK, 2),
                "ratio": round(statistics.median(several / single for single, several in pairs), 2),
            }
    print(json.dumps({"load": os.getloadavg()[0], **found}, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
