"""Two clouds."""

from __future__ import annotations

import numpy as np

from ..points import POINTS, noisy, two_classes
from ..task_kind import TaskKind


def gaussians(rng: np.random.Generator, samples: int, noise: float) -> tuple[np.ndarray, np.ndarray]:
    """Return points of two Gaussian clouds, and which each is of."""
    labels = two_classes(samples)
    centres = np.where(labels[:, None] == 0, -0.5, 0.5) * np.ones((1, 2))
    return noisy(centres, rng, noise, unit=1.0), labels


KIND = TaskKind(
    number=4,
    name="gaussians",
    title="Gaussians",
    sentence="two clouds",
    made=gaussians,
    noise=0.4,
    **POINTS,
)
