"""What watching costs: a step of this project's trainer against a bare torch loop of the same network.

Run by hand: `python tests/bench/bench_watching.py [--quick] [--only NAME]`. Prints JSON. Both train in one process in turn,
block by block, on the same batches; a figure is the median over blocks of the trainer's CPU seconds over the bare loop's,
one thread each (CPU seconds, since other work on the machine then counts in neither).
Targets: 1.05 on the default schedule, 1.25 with every edge on every step.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
from itertools import pairwise
from pathlib import Path
from time import process_time

import torch
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).parents[2]))

from skipviz.learning.batches import Batches
from skipviz.learning.setup import prepare
from skipviz.learning.trainer import Trainer
from skipviz.network import families
from skipviz.tasks.data import dataset
from skipviz.tasks.experiment import Experiment, Training
from skipviz.tasks.task import Task

STEPS = 4000
INTERVAL = Training(steps=STEPS).record_interval()
CASES = {
    "20x16": (families.mlp, 20, 16, 10, Task(name="spiral")),
    "100x64": (families.mlp, 100, 64, 64, Task(name="spiral")),
    "300x64": (families.mlp, 300, 64, 64, Task(name="spiral")),
    "conv20x16": (families.conv, 20, 16, 64, Task(name="digits")),
}
BLOCK = {"20x16": 140, "100x64": 70, "300x64": 70, "conv20x16": 70}
"""Steps of one block; the held-out metric falls into every one or every other."""


class Bare(nn.Module):
    """The network as one writes it by hand: modules in a list, and a sum where a skip lands."""

    def __init__(self, depth: int, width: int, images: bool, skip_every: int) -> None:
        super().__init__()
        first = 1 if images else 2
        sizes = [first, *[width] * depth]
        if images:
            self.layers = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in pairwise(sizes))
        else:
            self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))
        self.head = nn.Linear(width, 10 if images else 2)
        self.images, self.skip_every = images, skip_every

    def forward(self, x):
        carried = None
        for k, layer in enumerate(self.layers, start=1):
            x = F.relu(layer(x))
            if self.skip_every and (k - 1) % self.skip_every == 0:
                if carried is not None:
                    x = x + carried
                carried = x
        return self.head(x.mean((2, 3)) if self.images else x)


class BareLoop:
    """A loop that only trains."""

    def __init__(self, case: str, skip_every: int, fused: bool | None) -> None:
        _, depth, width, batch, task = CASES[case]
        data = dataset(task)
        self.x, self.y = torch.from_numpy(data.x), torch.from_numpy(data.y)
        self.model = Bare(depth, width, self.x.ndim == 4, skip_every)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=1e-3, fused=fused)
        self.batches, self.step = Batches(len(self.x), batch, 0), 0

    def run(self, steps: int) -> float:
        began = process_time()
        for _ in range(steps):
            indices = self.batches.indices(self.step)
            loss = F.cross_entropy(self.model(self.x[indices]), self.y[indices])
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.step += 1
        return process_time() - began


class WatchedLoop:
    """This project's trainer; `interval` steps between frames."""

    def __init__(self, case: str, skip_every: int, interval: int) -> None:
        family, depth, width, batch, task = CASES[case]
        network = family(depth=depth, width=width, skip_every=skip_every)
        self.experiment = Experiment(variants={"network": network}, task=task, training=Training(batch_size=batch, steps=STEPS))
        self.interval = interval
        self.trainer = Trainer(self.experiment)

    def run(self, steps: int) -> float:
        if self.trainer.step + steps > STEPS:
            self.trainer = Trainer(self.experiment)
        began = process_time()
        for _ in range(steps):
            self.trainer.advance(record=self.trainer.step % self.interval == 0)
        return process_time() - began


def compare(case: str, skip_every: int, blocks: int) -> dict:
    """Return the ratios for one network; loops take turns block by block."""
    loops = {
        "bare": BareLoop(case, skip_every, fused=True),
        "bare_default_optimizer": BareLoop(case, skip_every, fused=None),
        "scheduled": WatchedLoop(case, skip_every, INTERVAL),
        "every_step": WatchedLoop(case, skip_every, 1),
    }
    for loop in loops.values():
        loop.run(INTERVAL)
    seconds: dict[str, list[float]] = {name: [] for name in loops}
    for _ in range(blocks):
        for name, loop in loops.items():
            seconds[name].append(loop.run(BLOCK[case]))

    def ratio(name: str, rival: str) -> float:
        return round(statistics.median(a / b for a, b in zip(seconds[name], seconds[rival], strict=True)), 3)

    return {
        "network": case,
        "skip_every": skip_every,
        "bare_step_us": round(statistics.median(seconds["bare"]) / BLOCK[case] * 1e6),
        "scheduled": ratio("scheduled", "bare"),
        "every_step": ratio("every_step", "bare"),
        "scheduled_against_default_optimizer": ratio("scheduled", "bare_default_optimizer"),
        "every_step_against_default_optimizer": ratio("every_step", "bare_default_optimizer"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three blocks a network instead of eleven")
    parser.add_argument("--only", choices=list(CASES))
    arguments = parser.parse_args()
    prepare()
    blocks = 3 if arguments.quick else 11
    rows = [compare(case, every, blocks) for case in CASES if arguments.only in (None, case) for every in (0, 2)]
    print(json.dumps({"torch": torch.__version__, "machine": platform.machine(), "threads": 1, "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
