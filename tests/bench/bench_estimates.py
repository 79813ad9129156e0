"""Compares what `engine.limits` says of a run beforehand with what a run takes: `python tests/bench/bench_estimates.py`."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from own_memory import measured, warm_up  # noqa: E402

from skipviz.engine.capacity import limits  # noqa: E402
from skipviz.engine.capacity.duration import step_seconds  # noqa: E402
from skipviz.network import families  # noqa: E402
from skipviz.tasks.experiment import Experiment, Training  # noqa: E402
from skipviz.tasks.presets import get  # noqa: E402
from skipviz.tasks.task import Task  # noqa: E402


def on(task: str, network, batch: int = 64, optimizer: str = "adam", **fields) -> Experiment:
    """Return an experiment."""
    training = Training(batch_size=batch, optimizer=optimizer, steps=100)
    return Experiment(variants={"network": network}, task=Task(name=task, **fields), training=training)


def digits(network, **fields) -> Experiment:
    return on("digits", network, **fields)


IMAGE = {"input": (1, 8, 8)}
EXPERIMENTS = {
    "MLP 6 × 8, batch 10": lambda: on("spiral", families.mlp(6, 8), 10),
    "MLP 20 × 16, batch 10": lambda: on("spiral", families.mlp(20, 16), 10),
    "MLP 24 × 64": lambda: get("vanishing-residual"),
    "MLP 24 × 64, batch 512": lambda: on("spiral", families.mlp(24, 64, 2), 512),
    "MLP 300 × 64": lambda: on("spiral", families.mlp(300, 64, 2)),
    "MLP 60 × 512, SGD": lambda: on("spiral", families.mlp(60, 512, 2), optimizer="sgd"),
    "MLP 100 × 256, GELU, layer norm, batch 512": lambda: on(
        "spiral", families.mlp(100, 256, 2, activation="gelu", norm="layer"), 512
    ),
    "20 convolutions of 16": lambda: get("digits-conv"),
    "ResNet-20": lambda: get("resnet-20-cifar"),
    "ResNet-20 v2, B, batch 512": lambda: digits(families.resnet(20, "project", 2, **IMAGE), batch=512),
    "ResNet-110": lambda: get("resnet-110-cifar"),
    "ResNet-110, batch 256, momentum": lambda: digits(families.resnet(110, **IMAGE), batch=256, optimizer="momentum"),
    "ResNet-1202, batch 2": lambda: digits(families.resnet(1202, **IMAGE), batch=2),
    "U-Net, 3 scales of 8": lambda: get("unet-shapes"),
    "U-Net 2015, 220 pixels": lambda: get("unet-2015"),
    "U-Net, 4 scales of 16, 96 pixels": lambda: on(
        "shapes",
        families.unet(4, 16, padded=True, norm="batch", short_every=2, input=(1, 96, 96), head=1),
        16,
        image_size=96,
        samples=128,
    ),
    "FCN-8s": lambda: get("fcn-8s"),
    "Transformer, 4 × 32": lambda: get("transformer-post-ln"),
    "Transformer, 12 × 128, text": lambda: on(
        "text",
        families.transformer(12, 128, 8, norm="pre", causal=True, vocabulary=59, input=(64,), head=Task(name="text").head()),
        32,
    ),
    "DenseNet-BC 40": lambda: get("densenet-bc"),
    "DenseNet-BC 100, batch 128": lambda: digits(families.densenet(100, **IMAGE), batch=128),
    "highway 50 × 50": lambda: get("highway-50"),
    "highway 100 × 256, batch 256": lambda: digits(families.highway(100, 256), batch=256),
    "ReZero 200": lambda: get("rezero-200"),
}


def main(words: list[str]) -> None:
    """Print a line for each experiment whose name holds one of `words`."""
    warm_up()
    print(f"{'network':46} {'said MB':>8} {'took MB':>8} {'ratio':>6}   {'said s':>8} {'took s':>8} {'ratio':>6}")
    for name, make in EXPERIMENTS.items():
        if words and not any(word in name for word in words):
            continue
        experiment = make()
        took = measured(experiment)
        said = limits.memory_mb(experiment)
        seconds = step_seconds(experiment)
        print(
            f"{name:46} {said:8.1f} {took['peak_mb']:8.1f} {said / took['peak_mb']:6.2f}"
            f"   {seconds:8.4f} {took['step_seconds']:8.4f} {seconds / took['step_seconds']:6.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main(sys.argv[1:])
