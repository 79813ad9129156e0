"""One number in, one number out: points of a smooth curve. numpy only."""

from __future__ import annotations

import numpy as np

from .task import Task

REACH = 2.0
"""x runs from minus this to plus this, as in Balduzzi et al. 2017."""
WAVES = 5
"""Sine waves that make up a curve; the first has one period over the whole reach, each next one more and a smaller share."""


def regression(task: Task, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return random x and noisy y of a curve, both float32 `(samples, 1)`; noise is in units of the curve's deviation."""
    x = generator.uniform(-REACH, REACH, task.sample_count())
    return _points(x, task, generator)


def line(task: Task, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return evenly spaced x from −2 to 2 and y of a curve, both float32 `(samples, 1)`.

    256 of them are the line along which Balduzzi et al. 2017, The Shattered Gradients Problem, follow the gradient.
    """
    return _points(np.linspace(-REACH, REACH, task.sample_count()), task, generator)


def _points(x: np.ndarray, task: Task, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    y = _curve(x, np.random.default_rng([task.seed, WAVES])) + generator.normal(0, 1, len(x)) * task.noise_level()
    return x[:, None].astype(np.float32), y[:, None].astype(np.float32)


def _curve(x: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return a sum of sine waves with random phases, of mean 0 and deviation 1 over the reach."""
    number = np.arange(1, WAVES + 1)
    phase = generator.uniform(0, 2 * np.pi, WAVES)
    share = 1 / number
    waves = np.sin(np.pi / REACH * x[:, None] * number + phase)
    return waves @ share / np.sqrt((share**2).sum() / 2)
