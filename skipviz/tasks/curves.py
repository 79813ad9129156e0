"""A smooth curve: one number in, one number out. numpy only."""

from __future__ import annotations

import numpy as np

REACH = 2.0
"""x runs from minus this to plus this, as in Balduzzi et al. 2017."""
WAVES = 5
"""Sine waves that make up a curve; the first has one period over the whole reach, each next one more and a smaller share."""


def points_of_curve(x: np.ndarray, rng: np.random.Generator, noise: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return x and noisy y of a curve, both float32 `(samples, 1)`; noise is in units of the curve's deviation."""
    y = curve(x, np.random.default_rng([seed, WAVES])) + rng.normal(0, 1, len(x)) * noise
    return x[:, None].astype(np.float32), y[:, None].astype(np.float32)


def curve(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a sum of sine waves with random phases, of mean 0 and deviation 1 over the reach."""
    number = np.arange(1, WAVES + 1)
    phase = rng.uniform(0, 2 * np.pi, WAVES)
    share = 1 / number
    waves = np.sin(np.pi / REACH * x[:, None] * number + phase)
    return waves @ share / np.sqrt((share**2).sum() / 2)
