"""How long a step takes on CUDA and on one core, in one process: python tests/bench/bench_cuda.py"""

from statistics import median
from time import perf_counter

import torch

from skipviz import Experiment, Task, Training, families, presets
from skipviz.learning.setup import prepare
from skipviz.learning.trainer import Trainer

STEPS = 12


def cases() -> dict[str, Experiment]:
    wide = Training(steps=1000, batch_size=64)
    return {
        "24 × 64": Experiment(variants={"a": families.mlp(24, 64, skip_every=2)}, task=Task(), training=wide),
        "100 × 64": Experiment(variants={"a": families.mlp(100, 64, skip_every=2)}, task=Task(), training=wide),
        "300 × 64": Experiment(variants={"a": families.mlp(300, 64, skip_every=2)}, task=Task(), training=wide),
        "24 × 1024": Experiment(variants={"a": families.mlp(24, 1024, skip_every=2)}, task=Task(), training=wide),
        **{name: presets.get(name) for name in ("resnet-20-cifar", "resnet-110-cifar", "unet-shapes", "transformer-pre-ln")},
    }


def seconds(trainer: Trainer, record: bool) -> float:
    """Return the median seconds of a step; a frame's numbers are read, so that nothing is left to compute."""
    found = []
    for _ in range(STEPS):
        began = perf_counter()
        trainer.advance(record=record)
        if trainer.device.type == "cuda":
            torch.cuda.synchronize()
        found.append(perf_counter() - began)
    return median(found[2:])


def main() -> None:
    prepare(cuda=torch.cuda.is_available())
    name = torch.cuda.get_device_name() if torch.cuda.is_available() else "no CUDA device"
    print(f"{name}, torch {torch.__version__}; milliseconds a step, one core : CUDA (ratio)")
    for title, experiment in cases().items():
        row = []
        for record in (False, True):
            found = [
                seconds(Trainer(experiment, device), record)
                for device in ("cpu", "cuda")
                if device == "cpu" or torch.cuda.is_available()
            ]
            ratio = f" ({found[0] / found[1]:.2f}×)" if len(found) == 2 else ""
            row.append(" : ".join(f"{1e3 * one:.1f}" for one in found) + ratio)
        size = experiment.network.parameter_count() * experiment.training.batch_size
        print(f"{title:20} {size / 1e6:8.1f} M parameters × samples   plain {row[0]:24} recorded {row[1]}")


if __name__ == "__main__":
    main()
