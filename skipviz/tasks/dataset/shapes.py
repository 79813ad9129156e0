"""Discs, squares, triangles and stars to find in noise."""

from __future__ import annotations

import numpy as np

from ..images import MASKS, noisy_images
from ..task_kind import TaskKind

SHAPES_A_PICTURE = (2, 4)
"""Fewest and most shapes in one picture."""
TRIES_APART = 20
"""How often a shape is drawn again that would touch another, before it is left out."""
STAR_WAIST = 0.45
"""Radius between two points of a star over that of its points."""


def shapes(rng: np.random.Generator, samples: int, noise: float, size: int, overlap: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return noisy pictures of discs, squares, triangles and stars, and the masks of all of them together.

    Both are float32 `(samples, 1, size, size)`. Shapes may cover one another unless `overlap` is off.
    """
    images, masks = np.zeros((2, samples, 1, size, size), dtype=np.float32)
    grid = np.mgrid[:size, :size]
    for image, mask in zip(images, masks, strict=True):
        for _ in range(rng.integers(SHAPES_A_PICTURE[0], SHAPES_A_PICTURE[1] + 1)):
            inside = placed(grid, mask[0], overlap, rng)
            mask[0][inside] = 1
            image[0][inside] = rng.uniform(0.6, 1.0)
    return noisy_images(images, rng, noise), masks


def placed(grid: np.ndarray, taken: np.ndarray, overlap: bool, rng: np.random.Generator) -> np.ndarray:
    """Return the pixels of a shape; without `overlap` one that covers nothing that is taken, or no pixels."""
    for _ in range(TRIES_APART):
        inside = one_shape(grid, len(taken), rng)
        if overlap or not taken[inside].any():
            return inside
    return np.zeros_like(inside)


def one_shape(grid: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """Return the pixels of a disc, square, triangle or star with a side of an eighth to a third of the picture."""
    radius = rng.uniform(size / 16, size / 6)
    centre = rng.uniform(radius, size - 1 - radius, 2)
    y, x = grid[0] - centre[0], grid[1] - centre[1]
    kind = rng.integers(4)
    if kind == 0:
        return x**2 + y**2 <= radius**2
    if kind == 1:
        return np.maximum(np.abs(x), np.abs(y)) <= radius
    if kind == 2:
        return (np.abs(y) <= radius) & (np.abs(x) <= (y + radius) / 2)
    return star(x, y, radius, rng.uniform(0, 2 * np.pi))


def star(x: np.ndarray, y: np.ndarray, radius: float, turned: float) -> np.ndarray:
    """Return the pixels of a star of five points, folded into half a point: one straight edge is left to test."""
    half = np.pi / 5
    angle = np.abs((np.arctan2(y, x) + turned + half) % (2 * half) - half)
    along, across = np.hypot(x, y) * np.cos(angle), np.hypot(x, y) * np.sin(angle)
    waist = STAR_WAIST * radius
    return (waist * np.cos(half) - radius) * across - waist * np.sin(half) * (along - radius) >= 0


KIND = TaskKind(
    number=6,
    name="shapes",
    title="Shapes",
    sentence="find the shapes in noise, pixel by pixel",
    made=shapes,
    settings=("noise", "image_size", "overlap"),
    samples=512,
    noise=0.3,
    **MASKS,
)
