"""Networks trained for a claim by the product's own trainer. Imports torch."""

from __future__ import annotations

from collections.abc import Iterator

from ..learning.frame import VariantFrame
from ..learning.trainer import Trainer
from ..tasks.event import LayerEvent, SkipEvent

SAID_EVERY = 5
"""Steps."""


def steps(trainer: Trainer) -> Iterator[float]:
    """Take all steps but the last; yield now and then how many of them are done, 0…1."""
    last = trainer.experiment.training.steps - 1
    while trainer.step < last:
        trainer.advance(record=False)
        if trainer.step % SAID_EVERY == 0 or trainer.step == last:
            yield trainer.step / last


def seen(trainer: Trainer) -> dict[str, VariantFrame]:
    """Return what is measured of the present weights, by variant, held-out metric included; nothing changes."""
    return trainer.measure(baseline=False, picture=False).variants


def lesion(trainer: Trainer, layers: tuple[str, ...] = (), skips: tuple[str, ...] = ()) -> dict[str, VariantFrame]:
    """Return what is measured while these layers and skips are off."""
    events = [kind(ids=ids, on=False) for kind, ids in ((LayerEvent, layers), (SkipEvent, skips)) if ids]
    for event in events:
        trainer.apply(event)
    found = seen(trainer)
    for event in events:
        trainer.apply(event.replaced(on=True))
    return found
