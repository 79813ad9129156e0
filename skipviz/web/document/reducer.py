"""What each command makes of a document. The one place that knows them, whoever sends them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .document import Document
from .edits import network_after


def reduced(document: Document, command: dict) -> Document:
    """Return `document` after a command that edits it: `undo`, `redo`, `rate`, `skips`, `layers`, `add_skip`, `insert_layer`,
    `remove_skips` or `remove_layers`.

    Raises `NetworkError` where that cannot be, and an arithmetic, lookup, type or value error for what is no command.
    """
    operation, experiment = command["op"], document.experiment
    if operation in ("undo", "redo"):
        return document.back() if operation == "undo" else document.forth()
    if operation == "rate":
        training = experiment.training.replaced(learning_rate=command["learning_rate"])
        return document.put(experiment.replaced(training=training))
    return document.put(experiment.with_network(network_after(experiment.network, command)))


@dataclass(frozen=True)
class Rules:
    """How a kind of labs takes commands: what is left of each, and what becomes of the run."""

    reduced: Callable[[Document, dict], Document] = reduced
    extends: bool = True
    """Whether a finished run goes on after a change."""
    starts: Callable[[Document, Document], bool] = lambda before, after: False
    """Whether a change from one document to another starts a run."""
    speed: float | None = None
    """Steps a second of a run that a change starts."""


LAB = Rules()
