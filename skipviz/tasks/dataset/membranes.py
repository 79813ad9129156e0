"""Borders between cells, as in the pictures that U-Net was made for."""

from __future__ import annotations

import numpy as np

from ..images import MASKS, noisy_images
from ..task_kind import TaskKind

CELLS_A_PICTURE = (8, 14)
"""Fewest and most cells in one picture."""
HALF_MEMBRANE = 1 / 32
"""Half a membrane's thickness over the picture's side."""
MEMBRANE_LEVEL, MEMBRANE_TEXTURE = 0.3, 0.2
"""Brightness of a membrane, and by how much waves along it change that; cells are from 0.6 to 1."""
BLOBS_A_PICTURE = 5
"""Dark blobs that lie anywhere and are no membrane: brightness alone does not tell them apart."""


def membranes(rng: np.random.Generator, samples: int, noise: float, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return noisy pictures of cells, and the masks of the membranes between them, both float32 `(samples, 1, size, size)`.

    Cells are those of a Voronoi diagram; a membrane is where two cells' centres are about equally near. It is the kind of
    picture that U-Net was made for (Ronneberger et al. 2015), generated.
    """
    images, masks = np.zeros((2, samples, 1, size, size), dtype=np.float32)
    grid = np.mgrid[:size, :size].astype(np.float32) / size
    for image, mask in zip(images, masks, strict=True):
        cell, wall = cells(grid, rng)
        mask[0] = wall
        image[0] = rng.uniform(0.6, 1.0, CELLS_A_PICTURE[1])[cell] + waves(grid, rng, 0.08)
        for _ in range(BLOBS_A_PICTURE):
            y, x = grid - rng.uniform(0, 1, 2)[:, None, None]
            image[0][np.hypot(x, y) < rng.uniform(0.02, 0.05)] = MEMBRANE_LEVEL
        image[0] = np.where(wall, MEMBRANE_LEVEL + waves(grid, rng, MEMBRANE_TEXTURE), image[0])
    return noisy_images(images, rng, noise), masks


def cells(grid: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return for each pixel which cell it lies in, and whether in a membrane: near the line between two centres."""
    centres = rng.uniform(0, 1, (rng.integers(CELLS_A_PICTURE[0], CELLS_A_PICTURE[1] + 1), 2)).astype(np.float32)
    squares = ((grid[None] - centres[:, :, None, None]) ** 2).sum(1)
    nearest, second = np.argsort(squares, axis=0)[:2]
    two = [np.take_along_axis(squares, place[None], 0)[0] for place in (nearest, second)]
    apart = np.linalg.norm(centres[nearest] - centres[second], axis=-1)
    return nearest, (two[1] - two[0]) / (2 * apart) < HALF_MEMBRANE


def waves(grid: np.ndarray, rng: np.random.Generator, height: float) -> np.ndarray:
    """Return a texture: waves of `height` in a random direction, four to ten across the picture."""
    turn, number = rng.uniform(0, 2 * np.pi), rng.uniform(4, 10)
    along = np.cos(turn) * grid[0] + np.sin(turn) * grid[1]
    return height * np.sin(2 * np.pi * number * along + rng.uniform(0, 2 * np.pi))


KIND = TaskKind(
    number=11,
    name="membranes",
    title="Membranes",
    sentence="find the borders between cells",
    made=membranes,
    settings=("noise", "image_size"),
    samples=256,
    noise=0.15,
    **MASKS,
)
