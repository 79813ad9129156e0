"""Generated images with a mask to find in them. numpy only."""

from __future__ import annotations

import numpy as np

from .task import Task

SHAPES_A_PICTURE = (2, 4)
"""Fewest and most shapes in one picture."""
TRIES_APART = 20
"""How often a shape is drawn again that would touch another, before it is left out."""
STAR_WAIST = 0.45
"""Radius between two points of a star over that of its points."""

CELLS_A_PICTURE = (8, 14)
"""Fewest and most cells in one picture."""
HALF_MEMBRANE = 1 / 32
"""Half a membrane's thickness over the picture's side."""
MEMBRANE_LEVEL, MEMBRANE_TEXTURE = 0.3, 0.2
"""Brightness of a membrane, and by how much waves along it change that; cells are from 0.6 to 1."""
BLOBS_A_PICTURE = 5
"""Dark blobs that lie anywhere and are no membrane: brightness alone does not tell them apart."""


def shapes(task: Task, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return noisy pictures of discs, squares, triangles and stars, and the masks of all of them together.

    Both are float32 `(samples, 1, size, size)`. Shapes may cover one another unless `task.overlap` is off.
    """
    size, count = task.image_size, task.sample_count()
    masks = np.zeros((count, 1, size, size), dtype=np.float32)
    images = np.zeros_like(masks)
    grid = np.mgrid[:size, :size]
    for image, mask in zip(images, masks, strict=True):
        for _ in range(generator.integers(SHAPES_A_PICTURE[0], SHAPES_A_PICTURE[1] + 1)):
            inside = _placed(grid, mask[0], task.overlap, generator)
            mask[0][inside] = 1
            image[0][inside] = generator.uniform(0.6, 1.0)
    return _noisy(images, task, generator), masks


def membranes(task: Task, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return noisy pictures of cells, and the masks of the membranes between them, both float32 `(samples, 1, size, size)`.

    Cells are those of a Voronoi diagram; a membrane is where two cells' centres are about equally near. It is the kind of
    picture that U-Net was made for (Ronneberger et al. 2015), generated.
    """
    size, count = task.image_size, task.sample_count()
    masks = np.zeros((count, 1, size, size), dtype=np.float32)
    images = np.zeros_like(masks)
    grid = np.mgrid[:size, :size].astype(np.float32) / size
    for image, mask in zip(images, masks, strict=True):
        cell, wall = _cells(grid, generator)
        mask[0] = wall
        image[0] = generator.uniform(0.6, 1.0, CELLS_A_PICTURE[1])[cell] + _waves(grid, generator, 0.08)
        for _ in range(BLOBS_A_PICTURE):
            y, x = grid - generator.uniform(0, 1, 2)[:, None, None]
            image[0][np.hypot(x, y) < generator.uniform(0.02, 0.05)] = MEMBRANE_LEVEL
        image[0] = np.where(wall, MEMBRANE_LEVEL + _waves(grid, generator, MEMBRANE_TEXTURE), image[0])
    return _noisy(images, task, generator), masks


def _cells(grid: np.ndarray, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return for each pixel which cell it lies in, and whether in a membrane: near the line between two centres."""
    centres = generator.uniform(0, 1, (generator.integers(CELLS_A_PICTURE[0], CELLS_A_PICTURE[1] + 1), 2)).astype(np.float32)
    squares = ((grid[None] - centres[:, :, None, None]) ** 2).sum(1)
    nearest, second = np.argsort(squares, axis=0)[:2]
    two = [np.take_along_axis(squares, place[None], 0)[0] for place in (nearest, second)]
    apart = np.linalg.norm(centres[nearest] - centres[second], axis=-1)
    return nearest, (two[1] - two[0]) / (2 * apart) < HALF_MEMBRANE


def _waves(grid: np.ndarray, generator: np.random.Generator, height: float) -> np.ndarray:
    """Return a texture: waves of `height` in a random direction, four to ten across the picture."""
    turn, number = generator.uniform(0, 2 * np.pi), generator.uniform(4, 10)
    along = np.cos(turn) * grid[0] + np.sin(turn) * grid[1]
    return height * np.sin(2 * np.pi * number * along + generator.uniform(0, 2 * np.pi))


def _placed(grid: np.ndarray, taken: np.ndarray, overlap: bool, generator: np.random.Generator) -> np.ndarray:
    """Return the pixels of a shape; without `overlap` one that covers nothing that is taken, or no pixels."""
    for _ in range(TRIES_APART):
        inside = _one_shape(grid, len(taken), generator)
        if overlap or not taken[inside].any():
            return inside
    return np.zeros_like(inside)


def _one_shape(grid: np.ndarray, size: int, generator: np.random.Generator) -> np.ndarray:
    """Return the pixels of a disc, square, triangle or star with a side of an eighth to a third of the picture."""
    radius = generator.uniform(size / 16, size / 6)
    centre = generator.uniform(radius, size - 1 - radius, 2)
    y, x = grid[0] - centre[0], grid[1] - centre[1]
    kind = generator.integers(4)
    if kind == 0:
        return x**2 + y**2 <= radius**2
    if kind == 1:
        return np.maximum(np.abs(x), np.abs(y)) <= radius
    if kind == 2:
        return (np.abs(y) <= radius) & (np.abs(x) <= (y + radius) / 2)
    return _star(x, y, radius, generator.uniform(0, 2 * np.pi))


def _star(x: np.ndarray, y: np.ndarray, radius: float, turned: float) -> np.ndarray:
    """Return the pixels of a star of five points, folded into half a point: one straight edge is left to test."""
    half = np.pi / 5
    angle = np.abs((np.arctan2(y, x) + turned + half) % (2 * half) - half)
    along, across = np.hypot(x, y) * np.cos(angle), np.hypot(x, y) * np.sin(angle)
    waist = STAR_WAIST * radius
    return (waist * np.cos(half) - radius) * across - waist * np.sin(half) * (along - radius) >= 0


def _noisy(images: np.ndarray, task: Task, generator: np.random.Generator) -> np.ndarray:
    noise = generator.standard_normal(images.shape, dtype=np.float32)
    noise *= np.float32(task.noise_level())
    images += noise
    return images
