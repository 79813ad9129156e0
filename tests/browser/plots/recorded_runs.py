"""Frames of real networks, trained for a few steps, to feed the plots."""

from __future__ import annotations

import functools


@functools.cache
def recorded(name: str, every_skip: bool, steps: int) -> tuple[dict, list[dict], dict]:
    """Return header, frames (as they travel) and the experiment's network of a preset, trained for a few steps."""
    from skipviz.learning.trainer import Trainer
    from skipviz.network import edit
    from skipviz.tasks import presets

    experiment = presets.get(name)
    if every_skip:
        experiment = experiment.with_network(edit.switch_all(experiment.network, True))
    trainer = Trainer(experiment)
    frames = [trainer.measure(baseline=True, picture=True).to_data()]
    for _ in range(steps):
        frame = trainer.advance(record=True)
        if frame is not None:
            frames.append(frame.to_data())
    frames.append(trainer.measure(baseline=True, picture=True).to_data())
    return trainer.header(), frames, experiment.network
