"""What each command makes of a document. The one place that knows them, whoever sends them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ...network.base import NetworkError
from ...network.edit import unswitched
from ...tasks import variants
from ...tasks.experiment import Experiment
from .document import Document
from .edits import network_after


def reduced(document: Document, command: dict) -> Document:
    """Return `document` after a command that edits it: `undo`, `redo`, `rate`; of the network that it names (the first by default)
    `skips`, `layers`, `add_skip`, `insert_layer`, `remove_skips`, `remove_layers`; `compare`, `remove_variant`, `rename_variant`,
    `move_variant`.

    Raises `NetworkError` where that cannot be, and an arithmetic, lookup, type or value error for what is no command.
    """
    operation, experiment = command["op"], document.experiment
    if operation in ("undo", "redo"):
        return document.back() if operation == "undo" else document.forth()
    if operation == "rate":
        training = experiment.training.replaced(learning_rate=command["learning_rate"])
        return document.put(experiment.replaced(training=training))
    variant = variant_of(experiment, command)
    if operation in VARIANTS:
        changed = VARIANTS[operation](experiment, variant, command)
    else:
        changed = experiment.with_network(network_after(experiment.variants[variant], command), variant)
    if experiment.task.watched:
        _check_own(experiment, changed)
    return document.put(changed)


def _check_own(experiment: Experiment, changed: Experiment) -> None:
    """Raise `NetworkError` where more was done to a person's own module than to switch it."""
    own = unswitched(experiment.network)
    if any(unswitched(network) != own for network in changed.variants.values()):
        raise NetworkError(
            "this is a module of your own: it is switched and scaled here, gradients dampened; the rest stands in its file"
        )


def variant_of(experiment: Experiment, command: dict) -> str:
    """Return the variant that a command is about; raises `LookupError` where there is none of that name."""
    variant = command.get("variant") or next(iter(experiment.variants))
    if variant not in experiment.variants:
        raise LookupError(variant)
    return variant


VARIANTS: dict[str, Callable[[Experiment, str, dict], Experiment]] = {
    "compare": lambda experiment, variant, command: variants.compared(
        experiment, variant, command["how"], str(command.get("name") or "")
    ),
    "remove_variant": lambda experiment, variant, command: variants.removed(experiment, variant),
    "rename_variant": lambda experiment, variant, command: variants.renamed(experiment, variant, str(command["name"])),
    "move_variant": lambda experiment, variant, command: variants.moved(experiment, variant, int(command["place"])),
}
"""What is done to the networks of a comparison, by operation."""


@dataclass(frozen=True)
class Rules:
    """How a kind of labs takes commands: what is left of each, and what becomes of the run."""

    name: str = "lab"
    """The kind's own, by which another server finds it."""
    reduced: Callable[[Document, dict], Document] = reduced
    extends: bool = True
    """Whether a finished run goes on after a change."""
    starts: Callable[[Document, Document], bool] = lambda before, after: False
    """Whether a change from one document to another starts a run."""
    speed: float | None = None
    """Steps a second of a run that a change starts."""


LAB = Rules()
