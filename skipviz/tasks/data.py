"""The data of a task, deterministic by its seed. numpy only."""

from __future__ import annotations

from dataclasses import dataclass
from inspect import signature

import numpy as np

from .own import UploadError
from .own_samples import own_samples
from .split import split
from .task import Task
from .text import whole
from .uploads import Uploads


@dataclass(frozen=True)
class Data:
    """Training and held-out samples.

    `x` is `(samples, *task.sample_shape())`, float32 or int64 tokens, with further inputs `(samples, elements of all)`; `y` is
    int64 classes `(samples,)`, float32 numbers or masks of the shape of `x`, uint8 classes of pixels `(samples, height, width)`
    with 255 where one is ignored, or int64 tokens.
    """

    x: np.ndarray
    y: np.ndarray
    held_out_x: np.ndarray
    held_out_y: np.ndarray
    scale: tuple[tuple[float, float], ...] = ()
    """Of one's own data, (mean, deviation) by which each channel of its pictures, or the target number, was standardised."""


def dataset(task: Task, uploads: Uploads | None = None) -> Data:
    """Return the task's samples, split four to one with equal shares of each class, in a shuffled order.

    Of a text the last fifth is held out, so that no character of it is seen in training. One's own data is found in
    `uploads`; raises `UploadError` where it is not.
    """
    rng = np.random.default_rng([task.seed, task.kind.number])
    if task.own:
        if uploads is None:
            raise UploadError(task.own.wanted())
        parts, scale = own_samples(task.own, uploads, lambda y: split(y, rng))
        return Data(*parts, scale)
    made = task.kind.made(rng, **facts(task))
    if task.kind.holds_out:
        return Data(*made)
    x, y = made
    training, kept = split(y, rng)
    return Data(x[training], y[training], x[kept], y[kept])


def facts(task: Task) -> dict:
    """Return the arguments of the function that makes the task's data, beside the generator."""
    known = {
        "samples": task.sample_count, "noise": task.noise_level, "size": lambda: task.image_size, "seed": lambda: task.seed,
        "overlap": lambda: task.overlap, "rule": lambda: task.rule, "length": task.tokens, "vocabulary": task.token_count,
        "text": whole,
    }  # fmt: skip
    _, *names = signature(task.kind.made).parameters
    return {name: known[name]() for name in names}
