"""A ring around a disc."""

from __future__ import annotations

import numpy as np

from ..points import POINTS, noisy, two_classes
from ..task_kind import TaskKind


def circles(rng: np.random.Generator, samples: int, noise: float) -> tuple[np.ndarray, np.ndarray]:
    """Return points of a disc and of a ring around it, and which each is of."""
    labels = two_classes(samples)
    radius = np.where(labels == 0, 0.5 * np.sqrt(rng.uniform(0, 1, samples)), rng.uniform(0.7, 1.0, samples))
    angle = rng.uniform(0, 2 * np.pi, samples)
    points = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return noisy(points, rng, noise, unit=0.5), labels


KIND = TaskKind(
    number=2,
    name="circles",
    title="Circles",
    sentence="a ring around a disc",
    made=circles,
    noise=0.2,
    **POINTS,
)
