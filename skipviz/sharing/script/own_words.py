"""What scripts of one's own tables and pictures share: somebody's text made safe to stand in a script, how a file is read."""

from __future__ import annotations

import json
import textwrap
from dataclasses import dataclass

from ...tasks.own import shown
from ...tasks.task import Task

MEAN = "skipviz.tasks.own_samples:mean_and_deviation"
"""Where the function is by whose numbers inputs are standardised."""


@dataclass(frozen=True)
class Reading:
    """How a script reads a file: modules of the standard library, the functions, the digest of what they read, other libraries."""

    imports: tuple[str, ...]
    body: str
    digest: str
    libraries: tuple[str, ...] = ()
    """Beside torch and numpy, by the names under which they are installed."""


def comment_safe(text: str) -> str:
    """Return somebody's text as it may stand in a script's comment or docstring: one line without quotes or backslashes."""
    return shown(text, 200).replace("\\", "/").replace('"', "'")


def literal(text: str) -> str:
    """Return somebody's text as a literal of Python."""
    return json.dumps(text, ensure_ascii=False)


def literals(words) -> str:
    """Return words as the literal of a set."""
    return "{" + ", ".join(map(literal, words)) + "}"


def sentence(task: Task) -> str:
    """Return what `data` says of itself, broken into lines."""
    text = f"{task.kind.title}: {comment_safe(task.sentence())}. Return x and y to train on, then those held out."
    return textwrap.fill(text, 112, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
