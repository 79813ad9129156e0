"""The data sets, deterministic by the task's seed. numpy only."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from . import curves, images, sequences
from .own import UploadError
from .own_samples import own_samples
from .sequences import HELD_OUT_SHARE
from .task import Task
from .uploads import Uploads

SPIRAL_TURNS = 1.5
"""Turns an arm makes around the origin; arms of the two classes are 1 / (2 × turns) apart."""
MOONS_SPAN = 1.5
"""Half the width of two moons of radius 1, by which they are scaled into -1..1."""


@dataclass(frozen=True)
class Data:
    """Training and held-out samples.

    `x` is `(samples, *task.sample_shape())`, float32 or int64 tokens; `y` is int64 classes `(samples,)`, float32 numbers or
    masks of the shape of `x`, uint8 classes of pixels `(samples, height, width)` with 255 where one is ignored, or int64 tokens.
    """

    x: np.ndarray
    y: np.ndarray
    held_out_x: np.ndarray
    held_out_y: np.ndarray
    scale: tuple[tuple[float, float], ...] = ()
    """Of one's own data, (mean, deviation) by which each channel of its pictures, or the number that is told, was standardised."""


def dataset(task: Task, uploads: Uploads | None = None) -> Data:
    """Return the task's samples, split four to one with equal shares of each class, in a shuffled order.

    Of a text the last fifth is held out, so that no character of it is seen in training. One's own data is found in
    `uploads`; raises `UploadError` where it is not.
    """
    generator = np.random.default_rng([task.seed, task.kind.number])
    if task.own:
        if uploads is None:
            raise UploadError(task.own.wanted())
        parts, scale = own_samples(task.own, uploads, lambda y: _split(y, generator))
        return Data(*parts, scale)
    made = _MAKERS[task.name](task, generator)
    if len(made) == 4:
        return Data(*made)
    x, y = made
    training, kept = _split(y, generator)
    return Data(x[training], y[training], x[kept], y[kept])


def _split(y: np.ndarray, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return the places of the training and the held-out samples, each in a shuffled order."""
    held_out = np.zeros(len(y), dtype=bool)
    groups = [np.arange(len(y))] if y.ndim > 1 else [np.flatnonzero(y == label) for label in np.unique(y)]
    for group in groups:
        held_out[generator.permutation(group)[: max(1, len(group) // HELD_OUT_SHARE)]] = True
    return generator.permutation(np.flatnonzero(~held_out)), generator.permutation(np.flatnonzero(held_out))


def _spiral(task: Task, generator: np.random.Generator):
    labels = _two_classes(task)
    turn = np.sqrt(generator.uniform(0, 1, len(labels)))
    angle = SPIRAL_TURNS * 2 * np.pi * turn + np.pi * labels
    points = turn[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return _noisy(points, task, generator, unit=1 / (4 * SPIRAL_TURNS)), labels


def _moons(task: Task, generator: np.random.Generator):
    labels = _two_classes(task)
    angle = generator.uniform(0, np.pi, len(labels))
    sign = 1 - 2 * labels
    points = np.stack([np.cos(angle) * sign + labels - 0.5, np.sin(angle) * sign + 0.5 * labels - 0.25], axis=1)
    return _noisy(points / MOONS_SPAN, task, generator, unit=1 / MOONS_SPAN), labels


def _circles(task: Task, generator: np.random.Generator):
    labels = _two_classes(task)
    radius = np.where(labels == 0, 0.5 * np.sqrt(generator.uniform(0, 1, len(labels))), generator.uniform(0.7, 1.0, len(labels)))
    angle = generator.uniform(0, 2 * np.pi, len(labels))
    points = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return _noisy(points, task, generator, unit=0.5), labels


def _xor(task: Task, generator: np.random.Generator):
    labels = _two_classes(task)
    side = generator.choice([-1.0, 1.0], len(labels))
    corner = generator.uniform(0.08, 1.0, (len(labels), 2))
    points = corner * np.stack([side, side * (1 - 2 * labels)], axis=1)
    return _noisy(points, task, generator, unit=0.5), labels


def _gaussians(task: Task, generator: np.random.Generator):
    labels = _two_classes(task)
    centres = np.where(labels[:, None] == 0, -0.5, 0.5) * np.ones((1, 2))
    return _noisy(centres, task, generator, unit=1.0), labels


def _digits(task: Task, generator: np.random.Generator):
    pixels, labels = _installed_digits()
    chosen = generator.permutation(len(pixels))[: task.sample_count()]
    pixels = pixels[chosen].reshape(-1, 1, 8, 8) / 16.0
    pixels = (pixels - DIGITS_MEAN) / DIGITS_DEVIATION
    return (pixels + generator.normal(0, 1, pixels.shape) * task.noise_level()).astype(np.float32), labels[chosen].astype(np.int64)


@cache
def _installed_digits() -> tuple[np.ndarray, np.ndarray]:
    """Return scikit-learn's digits, `(1797, 64)` in 0..16, and their labels.

    Read from the file that scikit-learn installs, without importing it: that takes two seconds and 100 MB.
    """
    package = Path(importlib.util.find_spec("sklearn").origin).parent
    table = np.loadtxt(package / "datasets" / "data" / "digits.csv.gz", delimiter=",")
    return table[:, :-1], table[:, -1].astype(np.int64)


DIGITS_MEAN, DIGITS_DEVIATION = 0.305, 0.376
"""Of all pixels of the 1,797 images scaled to 0..1; samples are standardised by them."""


def _two_classes(task: Task) -> np.ndarray:
    return np.arange(task.sample_count(), dtype=np.int64) % 2


def _noisy(points: np.ndarray, task: Task, generator: np.random.Generator, unit: float) -> np.ndarray:
    """Add Gaussian noise of the task's level, in units of half the distance between arms, a radius, or half a side."""
    return (points + generator.normal(0, 1, points.shape) * task.noise_level() * unit).astype(np.float32)


_MAKERS = {
    "spiral": _spiral,
    "moons": _moons,
    "circles": _circles,
    "xor": _xor,
    "gaussians": _gaussians,
    "digits": _digits,
    "shapes": images.shapes,
    "sequences": sequences.sequences,
    "text": sequences.windows,
    "regression": curves.regression,
    "line": curves.line,
    "membranes": images.membranes,
}
