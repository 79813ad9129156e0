"""What data sets of generated images share. numpy only."""

from __future__ import annotations

import numpy as np

MAX_PIXELS = 2**23
"""Of all generated images of a task together: 64 MB with their masks."""


def noisy_images(images: np.ndarray, rng: np.random.Generator, noise: float) -> np.ndarray:
    """Add Gaussian noise to float32 images, in place."""
    added = rng.standard_normal(images.shape, dtype=np.float32)
    added *= np.float32(noise)
    images += added
    return images


MASKS = {
    "loss": "binary_cross_entropy",
    "metric": "iou",
    "outputs": 1,
    "picture": "masks",
    "max_samples": 2000,
    "most": lambda task: min(task.kind.max_samples, MAX_PIXELS // task.image_size**2),
    "shape": lambda task: (1, task.image_size, task.image_size),
    "families": ("conv",),
}
"""What the kinds of data sets of images and their masks say alike."""
