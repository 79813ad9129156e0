"""The copy memory problem (Hochreiter and Schmidhuber 1997; Arjovsky et al. 2016): say again what was read long before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..task_kind import TaskKind
from .sequences import different

if TYPE_CHECKING:
    from ..task import Task

SHARE = 4
"""One token in this many is remembered."""


def memory(rng: np.random.Generator, samples: int, length: int, vocabulary: int) -> tuple[np.ndarray, np.ndarray]:
    """Return words of the first tokens, blanks behind them and a cue for each at the end; and blanks with the words there.

    Both are int64 `(samples, length)`; the last two tokens of the vocabulary are the blank and the cue. No word comes twice.
    """
    count, blank, cue = max(1, length // SHARE), vocabulary - 2, vocabulary - 1
    words = different(rng, samples, count, vocabulary - 2)
    given, wanted = np.full((2, samples, length), blank)
    given[:, :count], given[:, -count:], wanted[:, -count:] = words, cue, words
    return given, wanted


def _sentence(task: Task) -> str:
    count = max(1, task.tokens() // SHARE)
    return f"the first {count} of {task.tokens()} tokens again, at the end" if count > 1 else "the first token again, at the end"


KIND = TaskKind(
    number=14,
    name="memory",
    title="Copy memory",
    sentence="the first tokens again, after a gap",
    sentence_of=_sentence,
    loss="token_cross_entropy",
    metric="exact",
    outputs=12,
    picture="sequences",
    made=memory,
    settings=("vocabulary", "length"),
    samples=2000,
    max_samples=5000,
    most=lambda task: min(task.kind.max_samples, task.vocabulary ** max(1, task.tokens() // SHARE)),
    length=24,
    shape=lambda task: (task.tokens(),),
    vocabulary=lambda task: task.vocabulary + 2,
    families=("transformer",),
)
