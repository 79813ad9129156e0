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
