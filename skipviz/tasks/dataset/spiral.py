"""Two spirals."""

from __future__ import annotations

import numpy as np

from ..points import POINTS, noisy, two_classes
from ..task_kind import TaskKind

TURNS = 1.5
"""Turns an arm makes around the origin; arms of the two classes are 1 / (2 × turns) apart."""


def spiral(rng: np.random.Generator, samples: int, noise: float) -> tuple[np.ndarray, np.ndarray]:
    """Return points of two arms, and which arm each is of."""
    labels = two_classes(samples)
    turn = np.sqrt(rng.uniform(0, 1, samples))
    angle = TURNS * 2 * np.pi * turn + np.pi * labels
    points = turn[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return noisy(points, rng, noise, unit=1 / (4 * TURNS)), labels


KIND = TaskKind(
    number=0,
    name="spiral",
    title="Two spirals",
    sentence="two arms, two classes",
    made=spiral,
    noise=0.1,
    **POINTS,
)
