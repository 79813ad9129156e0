"""The line along which Balduzzi et al. 2017, The Shattered Gradients Problem, follow the gradient: 256 points."""

from __future__ import annotations

import numpy as np

from ..curves import REACH, points_of_curve
from ..task_kind import TaskKind


def line(rng: np.random.Generator, samples: int, noise: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return evenly spaced x from −2 to 2 and y of a curve."""
    return points_of_curve(np.linspace(-REACH, REACH, samples), rng, noise, seed)


KIND = TaskKind(
    number=10,
    name="line",
    title="Line",
    sentence="a curve from −2 to 2 in equal steps",
    loss="squared_error",
    metric="r2",
    outputs=1,
    picture="curve",
    made=line,
    samples=256,
    max_samples=256,
    shape=lambda task: (1,),
)
