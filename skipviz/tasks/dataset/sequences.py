"""Sequences of tokens, and what a rule makes of them."""

from __future__ import annotations

import numpy as np

from ..task_kind import TaskKind

LISTED = 2**18
"""Up to so many possible sequences, samples are picked from all of them; from more, they are drawn token by token."""
RULES = {
    "copy": lambda given, modulus: given.copy(),
    "reverse": lambda given, modulus: given[:, ::-1].copy(),
    "sort": lambda given, modulus: np.sort(given, axis=1),
    "add": lambda given, modulus: (given + np.roll(given, 1, axis=1)) % modulus,
}
"""What each rule makes of sequences `(samples, length)` of tokens below the modulus."""
RULE_WORDS = {
    "copy": ("copy", "the same tokens again"),
    "reverse": ("reverse", "the tokens in reverse order"),
    "sort": ("sort", "the tokens sorted"),
    "add": ("add, modular", "each token plus the one before it, modulo {}"),
}
"""Each rule's name and what it wants, `{}` being how many different tokens there are."""


def sequences(rng: np.random.Generator, samples: int, length: int, vocabulary: int, rule: str) -> tuple[np.ndarray, np.ndarray]:
    """Return sequences, none of them twice, and what the rule makes of them; both int64 `(samples, length)`."""
    given = different(rng, samples, length, vocabulary)
    return given, RULES[rule](given, vocabulary)


def different(rng: np.random.Generator, count: int, length: int, vocabulary: int) -> np.ndarray:
    """Return `count` different sequences of tokens below `vocabulary`, int64 `(count, length)`."""
    if vocabulary**length <= LISTED:
        chosen = rng.permutation(vocabulary**length)[:count]
        return chosen[:, None] // vocabulary ** np.arange(length) % vocabulary
    found = np.empty((0, length), dtype=np.int64)
    while len(found) < count:
        more = rng.integers(0, vocabulary, (count - len(found), length))
        found = np.unique(np.concatenate([found, more]), axis=0)
    return rng.permutation(found)


KIND = TaskKind(
    number=7,
    name="sequences",
    title="Sequences",
    sentence="tokens in, tokens out by a rule",
    sentence_of=lambda task: RULE_WORDS[task.rule][1].format(task.vocabulary),
    loss="token_cross_entropy",
    metric="exact",
    outputs=10,
    picture="sequences",
    made=sequences,
    settings=("rule", "vocabulary", "length"),
    samples=2000,
    max_samples=5000,
    most=lambda task: min(task.kind.max_samples, task.vocabulary ** task.tokens()),
    length=8,
    shape=lambda task: (task.tokens(),),
    vocabulary=lambda task: task.vocabulary,
    families=("transformer",),
)
