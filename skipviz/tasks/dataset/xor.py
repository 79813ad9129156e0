"""Exclusive or, of the signs of two numbers."""

from __future__ import annotations

import numpy as np

from ..points import POINTS, noisy, two_classes
from ..task_kind import TaskKind


def xor(rng: np.random.Generator, samples: int, noise: float) -> tuple[np.ndarray, np.ndarray]:
    """Return points of four squares, and whether their coordinates differ in sign."""
    labels = two_classes(samples)
    side = rng.choice([-1.0, 1.0], samples)
    corner = rng.uniform(0.08, 1.0, (samples, 2))
    points = corner * np.stack([side, side * (1 - 2 * labels)], axis=1)
    return noisy(points, rng, noise, unit=0.5), labels


KIND = TaskKind(
    number=3,
    name="xor",
    title="XOR",
    sentence="four squares, two classes",
    made=xor,
    noise=0.1,
    **POINTS,
)
