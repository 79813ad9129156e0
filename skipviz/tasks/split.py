"""Which samples are held out. numpy only."""

from __future__ import annotations

import numpy as np

HELD_OUT_SHARE = 5
"""One sample in this many is held out."""


def split(y: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return the places of the training and the held-out samples, of each class its share, both in a shuffled order."""
    held_out = np.zeros(len(y), dtype=bool)
    groups = [np.arange(len(y))] if y.ndim > 1 else [np.flatnonzero(y == label) for label in np.unique(y)]
    for group in groups:
        held_out[rng.permutation(group)[: max(1, len(group) // HELD_OUT_SHARE)]] = True
    return rng.permutation(np.flatnonzero(~held_out)), rng.permutation(np.flatnonzero(held_out))
