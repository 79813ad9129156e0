"""What can be chosen, as tables in Markdown that are written from the code: tasks, and the words that fields take."""

from __future__ import annotations

from typing import Literal, get_args, get_origin

from ...network.layer import Layer
from ...network.network import Head
from ...network.operation import OPERATIONS
from ...network.skip import Adapter, Skip
from ...tasks.experiment import Training
from ...tasks.loss import LOSSES
from ...tasks.metric import METRICS
from ...tasks.task import KINDS

CHOOSERS = (Layer, *OPERATIONS.values(), Skip, Adapter, Head, Training)


def tables() -> str:
    """Return both tables, each under a heading of the second order."""
    return f"## Tasks\n\n{_tasks()}\n\n## Choices\n\n{_choices()}\n"


def choices(model) -> dict[str, tuple[str, ...]]:
    """Return the words that each field of `model` takes, of the fields that take two words or more."""
    found = {name: _words(field.annotation) for name, field in model.model_fields.items()}
    return {name: words for name, words in found.items() if len(words) > 1}


def _words(annotation) -> tuple[str, ...]:
    return tuple(map(str, get_args(annotation))) if get_origin(annotation) is Literal else ()


def _tasks() -> str:
    rows = [
        (f"`{name}`", kind.title, kind.sentence, ", ".join(kind.families), LOSSES[kind.loss].words, METRICS[kind.metric].meaning)
        for name, kind in KINDS.items()
    ]
    return table(("task", "called", "what", "learned by", "loss", "score"), rows)


def _choices() -> str:
    rows = [("`Layer.op`", ", ".join(f"`{operation.__name__}`" for operation in OPERATIONS.values()), "")]
    for model in CHOOSERS:
        for name, words in choices(model).items():
            field = model.model_fields[name]
            rows.append((f"`{model.__name__}.{name}`", ", ".join(f"`{word}`" for word in words), field.description or ""))
    return table(("field", "takes", "what"), rows)


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ("---",) * len(head), *(tuple(cell.replace("|", "\\|") for cell in row) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
