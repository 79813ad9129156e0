"""Sequences of tokens and what a rule makes of them. numpy only."""

from __future__ import annotations

import numpy as np

from .task import Task

LISTED = 2**18
"""Up to so many possible sequences, samples are picked from all of them; from more, they are drawn token by token."""


def sequences(task: Task, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return sequences, none of them twice, and what the task's rule makes of them; both int64 `(samples, length)`."""
    length, vocabulary, count = task.tokens(), task.vocabulary, task.sample_count()
    if vocabulary**length <= LISTED:
        chosen = generator.permutation(vocabulary**length)[:count]
        given = chosen[:, None] // vocabulary ** np.arange(length) % vocabulary
    else:
        given = _different(generator, count, length, vocabulary)
    return given, RULES[task.rule](given, vocabulary)


def _different(generator: np.random.Generator, count: int, length: int, vocabulary: int) -> np.ndarray:
    """Return `count` different sequences; there are far more, so hardly any has to be drawn again."""
    found = np.empty((0, length), dtype=np.int64)
    while len(found) < count:
        drawn = generator.integers(0, vocabulary, (count - len(found), length))
        found = np.unique(np.concatenate([found, drawn]), axis=0)
    return generator.permutation(found)


RULES = {
    "copy": lambda given, modulus: given.copy(),
    "reverse": lambda given, modulus: given[:, ::-1].copy(),
    "sort": lambda given, modulus: np.sort(given, axis=1),
    "add": lambda given, modulus: (given + np.roll(given, 1, axis=1)) % modulus,
}
"""What each rule makes of sequences `(samples, length)` of tokens below the modulus."""
