"""What each preset's two sentences claim, by its name: a function that measures it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from inspect import getdoc


@dataclass(frozen=True)
class Claim:
    """Two sentences of a preset as they were when somebody last looked whether `shown` shows them."""

    sentences: str
    shown: Callable[[], None]


CLAIMS: dict[str, Claim] = {}


def shows(name: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Let a function show the claims of the preset `name`; its docstring is what the preset says, word for word."""

    def entered(function: Callable[[], None]) -> Callable[[], None]:
        assert name not in CLAIMS
        CLAIMS[name] = Claim(" ".join(getdoc(function).split()), function)
        return function

    return entered
