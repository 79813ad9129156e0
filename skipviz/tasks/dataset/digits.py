"""Handwritten digits of 8 × 8 pixels, those that scikit-learn installs."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path

import numpy as np

from ..task_kind import TaskKind

MEAN, DEVIATION = 0.305, 0.376
"""Of all pixels of the 1,797 images scaled to 0..1; samples are standardised by them."""


def digits(rng: np.random.Generator, samples: int, noise: float) -> tuple[np.ndarray, np.ndarray]:
    """Return images `(samples, 1, 8, 8)` and which digit each is."""
    pixels, labels = installed_digits()
    chosen = rng.permutation(len(pixels))[:samples]
    pixels = pixels[chosen].reshape(-1, 1, 8, 8) / 16.0
    pixels = (pixels - MEAN) / DEVIATION
    return (pixels + rng.normal(0, 1, pixels.shape) * noise).astype(np.float32), labels[chosen]


@cache
def installed_digits() -> tuple[np.ndarray, np.ndarray]:
    """Return scikit-learn's digits, `(1797, 64)` in 0..16, and their labels.

    Read from the file that scikit-learn installs, without importing it: that takes two seconds and 100 MB.
    """
    package = Path(importlib.util.find_spec("sklearn").origin).parent
    table = np.loadtxt(package / "datasets" / "data" / "digits.csv.gz", delimiter=",")
    return table[:, :-1], table[:, -1].astype(np.int64)


KIND = TaskKind(
    number=5,
    name="digits",
    title="Digits",
    sentence="8×8 handwritten digits, ten classes",
    loss="cross_entropy",
    metric="accuracy",
    outputs=10,
    picture="digits",
    made=digits,
    settings=("samples",),
    samples=1797,
    max_samples=1797,
    shape=lambda task: (1, 8, 8),
    families=("mlp", "conv"),
    needs=", and the digits that scikit-learn installs",
)
