"""What data sets of points in the plane share. numpy only."""

from __future__ import annotations

import numpy as np

POINTS = {
    "loss": "cross_entropy", "metric": "accuracy", "outputs": 2, "picture": "boundary", "samples": 1000, "max_samples": 5000,
}  # fmt: skip
"""What the kinds of such data sets say alike."""


def two_classes(samples: int) -> np.ndarray:
    """Return classes 0 and 1 in turn."""
    return np.arange(samples, dtype=np.int64) % 2


def noisy(points: np.ndarray, rng: np.random.Generator, noise: float, unit: float) -> np.ndarray:
    """Add Gaussian noise, in units of half the distance between arms, a radius, or half a side; return float32."""
    return (points + rng.normal(0, 1, points.shape) * noise * unit).astype(np.float32)
