"""Sequence to sequence (Sutskever et al. 2014): one sequence is read, another is said token by token."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .sequences import KIND as SEQUENCES
from .sequences import RULE_WORDS, RULES, different


def seq2seq(rng: np.random.Generator, samples: int, length: int, vocabulary: int, rule: str) -> tuple[np.ndarray, np.ndarray]:
    """Return pairs of what is said so far and the source, and what comes next: the rule's tokens of the source.

    The first is int64 `(samples, 2 · length)`: a start, the last token of the vocabulary, and all but the last of the tokens
    wanted (teacher forcing, Williams and Zipser 1989); behind them the source, none twice. The second is int64 `(samples, length)`.
    """
    source = different(rng, samples, length, vocabulary - 1)
    wanted = RULES[rule](source, vocabulary - 1)
    start = np.full((samples, 1), vocabulary - 1)
    return np.concatenate([start, wanted[:, :-1], source], axis=1), wanted


KIND = replace(
    SEQUENCES,
    number=16,
    name="seq2seq",
    title="Sequence to sequence",
    sentence="a second sequence from a first, token by token",
    sentence_of=lambda task: f"{RULE_WORDS[task.rule][1].format(task.vocabulary)} of a source, each from those said before it",
    outputs=11,
    made=seq2seq,
    further=lambda task: {"source": (task.tokens(),)},
    vocabulary=lambda task: task.vocabulary + 1,
    causal=True,
)
