"""Small experiments that train fast, opened through their links."""

from __future__ import annotations

from skipviz.network import edit, families
from skipviz.tasks.experiment import Experiment, Training
from skipviz.tasks.task import Task


def small(skip_every: int = 2, on: bool = True, depth: int = 6, width: int = 16, **training) -> Experiment:
    """Return a small network on two spirals with residual skips s1-3, s3-5, …; it lasts longer than any test meddles with it.

    Of so many steps every 25th is kept; of a run that is given fewer, and where a test says so, every step.
    """
    network = edit.switch_all(families.mlp(depth=depth, width=width, skip_every=skip_every), on)
    every = 1 if "steps" in training else 25
    settings = {"steps": 400_000, "record_every": every, "batch_size": 16, **training}
    return Experiment(variants={"network": network}, task=Task(name="spiral", samples=200), training=Training(**settings))


def four() -> Experiment:
    """Return four small networks side by side."""
    experiment = small()
    return experiment.replaced(variants={**experiment.variants, **{f"beside-{k}": experiment.network for k in (2, 3, 4)}})


def unlike_four(depth: int) -> Experiment:
    """Return four networks of `depth` layers side by side, each with other words on how it differs from the first."""
    form = {"depth": depth, "width": 16, "skip_every": 2}
    first = families.mlp(**form)
    variants = {
        "residual": first,
        "without-skips": edit.switch_all(first, False),
        "layer-norm": families.mlp(**form, norm="layer"),
        "tanh-he": families.mlp(**form, activation="tanh", init="he"),
    }
    return small().replaced(variants=variants)


def explosive() -> Experiment:
    """Return an experiment that diverges within a few steps."""
    network = families.mlp(depth=6, width=8, skip_every=1, activation="none", init="he")
    training = Training(optimizer="sgd", learning_rate=10, batch_size=16)
    return Experiment(variants={"network": network}, task=Task(name="spiral", samples=200), training=training)


def values(frame: dict) -> dict:
    """Return the only variant's part of a frame."""
    return next(iter(frame["variants"].values()))
