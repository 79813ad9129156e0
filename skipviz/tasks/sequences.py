"""Sequences of tokens: what a rule makes of them, or what comes next in a text. numpy only."""

from __future__ import annotations

import numpy as np

from .task import Task
from .text import passage, tokens_of

HELD_OUT_SHARE = 5
"""One sample in this many is held out."""
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


def windows(task: Task, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return windows of the text and the same one character later: training x and y, then those of its last fifth.

    All are int64 `(samples, length)`; windows begin anywhere, but none reaches over from one part into the other.
    """
    tokens, length = np.array(tokens_of(passage()), dtype=np.int64), task.tokens()
    kept = task.sample_count() // HELD_OUT_SHARE
    cut = len(tokens) - len(tokens) // HELD_OUT_SHARE
    parts = []
    for part, count in ((tokens[:cut], task.sample_count() - kept), (tokens[cut:], kept)):
        first = generator.integers(0, len(part) - length, count)
        read = part[first[:, None] + np.arange(length + 1)]
        parts += [read[:, :-1].copy(), read[:, 1:].copy()]
    return tuple(parts)


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
