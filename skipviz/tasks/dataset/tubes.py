"""Tubes to find among balls in noisy volumes."""

import numpy as np

from ..images import noisy_images
from ..task_kind import TaskKind

VOLUME_SIDE = 16
"""Voxels a side."""
TUBES_A_VOLUME, BALLS_A_VOLUME = (1, 2), (2, 4)
"""Fewest and most in one volume."""


def tubes(rng: np.random.Generator, samples: int, noise: float) -> tuple[np.ndarray, np.ndarray]:
    """Return noisy volumes of bright tubes and balls, and the masks of the tubes, both float32 `(samples, 1, 16, 16, 16)`.

    A tube goes straight through the volume, as thick as the balls or thinner: in most slices both are discs, and the slices
    before and behind tell which.
    """
    volumes, masks = np.zeros((2, samples, 1, VOLUME_SIDE, VOLUME_SIDE, VOLUME_SIDE), dtype=np.float32)
    grid = np.mgrid[:VOLUME_SIDE, :VOLUME_SIDE, :VOLUME_SIDE].astype(np.float32)
    for volume, mask in zip(volumes, masks, strict=True):
        for _ in range(rng.integers(BALLS_A_VOLUME[0], BALLS_A_VOLUME[1] + 1)):
            radius = rng.uniform(1.5, 3.0)
            centre = rng.uniform(radius, VOLUME_SIDE - 1 - radius, 3)
            away = ((grid - centre[:, None, None, None]) ** 2).sum(0)
            volume[0][away <= radius**2] = rng.uniform(0.6, 1.0)
        for _ in range(rng.integers(TUBES_A_VOLUME[0], TUBES_A_VOLUME[1] + 1)):
            inside = tube(grid, rng)
            mask[0][inside] = 1
            volume[0][inside] = rng.uniform(0.6, 1.0)
    return noisy_images(volumes, rng, noise), masks


def tube(grid: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the voxels near a straight line in a random direction."""
    along = rng.standard_normal(3)
    along /= np.linalg.norm(along)
    away = grid - rng.uniform(VOLUME_SIDE / 4, VOLUME_SIDE * 3 / 4, 3)[:, None, None, None]
    forward = np.tensordot(along, away, 1)
    return (away**2).sum(0) - forward**2 <= rng.uniform(1.2, 2.0) ** 2


KIND = TaskKind(
    number=15,
    name="tubes",
    title="Tubes",
    sentence="find the tubes among balls in volumes, voxel by voxel",
    loss="binary_cross_entropy",
    metric="iou",
    outputs=1,
    picture="masks",
    made=tubes,
    samples=256,
    max_samples=1000,
    noise=0.3,
    shape=lambda task: (1, VOLUME_SIDE, VOLUME_SIDE, VOLUME_SIDE),
    families=("conv",),
)
