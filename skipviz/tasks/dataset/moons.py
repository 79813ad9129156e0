"""Two moons."""

from __future__ import annotations

import numpy as np

from ..points import POINTS, noisy, two_classes
from ..task_kind import TaskKind

SPAN = 1.5
"""Half the width of two moons of radius 1, by which they are scaled into -1..1."""


def moons(rng: np.random.Generator, samples: int, noise: float) -> tuple[np.ndarray, np.ndarray]:
    """Return points of two half circles, and which one each is of."""
    labels = two_classes(samples)
    angle = rng.uniform(0, np.pi, samples)
    sign = 1 - 2 * labels
    points = np.stack([np.cos(angle) * sign + labels - 0.5, np.sin(angle) * sign + 0.5 * labels - 0.25], axis=1)
    return noisy(points / SPAN, rng, noise, unit=1 / SPAN), labels


KIND = TaskKind(
    number=1,
    name="moons",
    title="Moons",
    sentence="two half circles, two classes",
    made=moons,
    noise=0.2,
    **POINTS,
)
