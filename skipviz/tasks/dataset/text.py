"""The next character of a text."""

from __future__ import annotations

import numpy as np

from ..split import HELD_OUT_SHARE
from ..task_kind import TaskKind
from ..text import characters, passage_of


def windows(rng: np.random.Generator, samples: int, length: int, text: str) -> tuple[np.ndarray, ...]:
    """Return windows of the text and the same one character later: training x and y, then those of its last fifth.

    All are int64 `(samples, length)`; windows begin anywhere, but none reaches over from one part into the other.
    """
    passage = passage_of(text)
    known = {character: token for token, character in enumerate(sorted(set(passage)))}
    tokens = np.array([known[character] for character in passage], dtype=np.int64)
    kept = samples // HELD_OUT_SHARE
    cut = len(tokens) - len(tokens) // HELD_OUT_SHARE
    parts = []
    for part, count in ((tokens[:cut], samples - kept), (tokens[cut:], kept)):
        first = rng.integers(0, len(part) - length, count)
        read = part[first[:, None] + np.arange(length + 1)]
        parts += [read[:, :-1].copy(), read[:, 1:].copy()]
    return tuple(parts)


KIND = TaskKind(
    number=8,
    name="text",
    title="Text",
    sentence="the next character of Alice in Wonderland, chapter 1",
    loss="token_cross_entropy",
    metric="accuracy",
    outputs=59,
    picture="text",
    made=windows,
    holds_out=True,
    settings=("length",),
    samples=2000,
    max_samples=5000,
    length=64,
    shape=lambda task: (task.tokens(),),
    vocabulary=lambda task: len(characters()),
    causal=True,
    families=("transformer",),
)
