"""What a further network of a comparison costs, and prints JSON: `python tests/bench/bench_variants.py`.

One network and two (four) equal ones train in turns, a block of steps each, so that a busy machine slows both; the figure is the
median over blocks of their times' ratio. Every tenth step is recorded, as on a page. The issue's aim for two is 2.1.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import torch

from skipviz.learning.trainer import Trainer
from skipviz.network import edit
from skipviz.tasks import presets
from skipviz.tasks.experiment import Experiment

BLOCK, BLOCKS = 20, 30
"""Steps of a block, and blocks of each."""
NAMES = ("vanishing-residual", "digits-conv", "unet-shapes")


def trainer_of(name: str, count: int) -> Trainer:
    """Return a trainer of `count` networks: the preset's, and the same with its skips off."""
    base = presets.get(name)
    networks = (base.network, edit.awake(edit.bare(base.network)))
    variants = {f"net-{place}": networks[place % 2] for place in range(count)}
    training = base.training.replaced(device="cpu", steps=BLOCK * BLOCKS)
    return Trainer(Experiment(variants=variants, task=base.task, training=training))


def took(trainer: Trainer) -> float:
    """Return the seconds of a block."""
    began = time.perf_counter()
    for step in range(BLOCK):
        trainer.advance(record=step % 10 == 0)
    return time.perf_counter() - began


def main() -> None:
    """Measure and print."""
    torch.set_num_threads(1)
    found = {}
    for name in NAMES:
        blocks = BLOCKS if name != "unet-shapes" else 8
        trainers = {count: trainer_of(name, count) for count in (1, 2, 4)}
        times: dict[int, list[float]] = {count: [] for count in trainers}
        for _ in range(blocks):
            for count, trainer in trainers.items():
                times[count].append(took(trainer))
        ratios = {count: [a / b for a, b in zip(times[count], times[1], strict=True)] for count in (2, 4)}
        found[name] = {
            "one step ms": round(1000 * statistics.median(times[1]) / BLOCK, 2),
            **{f"{count} networks": round(statistics.median(of), 2) for count, of in ratios.items()},
        }
    print(json.dumps({"machine": platform.processor() or platform.machine(), "load": os.getloadavg()[0], **found}, indent=1))


if __name__ == "__main__":
    main()
