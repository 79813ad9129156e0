"""A curve through noisy points."""

from __future__ import annotations

import numpy as np

from ..curves import REACH, points_of_curve
from ..task_kind import TaskKind


def regression(rng: np.random.Generator, samples: int, noise: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return random x and noisy y of a curve."""
    return points_of_curve(rng.uniform(-REACH, REACH, samples), rng, noise, seed)


KIND = TaskKind(
    number=9,
    name="regression",
    title="Regression",
    sentence="a smooth curve through noisy points",
    loss="squared_error",
    metric="r2",
    outputs=1,
    picture="curve",
    made=regression,
    samples=500,
    noise=0.2,
    max_samples=5000,
    shape=lambda task: (1,),
)
