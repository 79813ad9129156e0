"""Events: what a person does to a live run. Experiment + events reproduce the run."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Annotated, Literal, Union

from pydantic import Field, TypeAdapter, ValidationError

from ..network import edit
from ..network.base import NetworkError, Tagged, sentence
from ..network.network import Network
from .change import CHANGES
from .change.clip import ClipEvent
from .change.rate import RateEvent
from .change.steps import StepsEvent
from .event_kind import BaseEvent
from .experiment import Experiment

SLOWEST, FASTEST = 0.001, 100_000
"""Steps a second that a run may be held to: at the slowest a step is waited for a quarter of an hour."""
Speed = Annotated[float, Field(ge=SLOWEST, le=FASTEST)]
Ids = Annotated[tuple[Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,32}$")], ...], Field(min_length=1, max_length=6000)]


class SkipEvent(BaseEvent):
    """Switches skips or edges of branches on or off, or sets their strength or backward gain."""

    kind: Literal["skip"] = "skip"
    ids: Ids
    on: bool | None = None
    strength: float | None = Field(None, ge=-4, le=4)
    gain: float | None = Field(None, ge=0, le=1)

    def changes(self) -> dict:
        return {name: value for name in ("on", "strength", "gain") if (value := getattr(self, name)) is not None}


class LayerEvent(BaseEvent):
    """Switches layers of the trunk or of branches on or off, or sets their gradient gain."""

    kind: Literal["layer"] = "layer"
    ids: Ids
    on: bool | None = None
    gain: float | None = Field(None, ge=0, le=1)

    def changes(self) -> dict:
        return {name: value for name in ("on", "gain") if (value := getattr(self, name)) is not None}


Event = Annotated[Union[SkipEvent, LayerEvent, *(kind.event for kind in CHANGES.values())], Field(discriminator="kind")]


class Control(Tagged):
    """Steers a run without changing its numbers: pause, resume, step, stop, speed, and `ghost`: the skips-off baseline."""

    kind: Literal["pause", "resume", "step", "stop", "speed", "ghost"]
    steps_per_second: Speed | None = Field(None, description="of speed; None: as fast as it goes")
    ghost: bool = Field(False, description="measure each frame once more with all skips off")


_MESSAGE = TypeAdapter(Annotated[Event | Control, Field(discriminator="kind")])


def message_from(data) -> Event | Control:
    """Return the event or control that decoded JSON `data` holds; raises `NetworkError` with one sentence."""
    try:
        return _MESSAGE.validate_python(data)
    except ValidationError as error:
        raise NetworkError(sentence(error)) from None


def applied(experiment: Experiment, event: Event) -> Experiment:
    """Return `experiment` as it stands after `event`; raises `NetworkError` if it names what is not there."""
    if event.kind in CHANGES:
        changes = {name: getattr(event, name) for name in CHANGES[event.kind].fields}
        return experiment.replaced(training=experiment.training.replaced(**changes))
    function = edit.set_skips if isinstance(event, SkipEvent) else edit.set_layers
    if event.variant is not None and event.variant not in experiment.variants:
        raise NetworkError(f"there is no variant {event.variant}")
    names = meant(event.variant, event.ids, {name: ids_of(network, event.kind) for name, network in experiment.variants.items()})
    if not names:
        raise NetworkError(f"there is no {event.kind} {event.ids[0]}")
    changed = {name: function(experiment.variants[name], event.ids, **event.changes()) for name in names}
    return experiment.replaced(variants={**experiment.variants, **changed})


def meant(variant: str | None, ids: Iterable[str], known: Mapping[str, Collection[str]]) -> list[str]:
    """Return the variants that an event means: the one that it names, else all that have each of its parts.

    `known` has the ids of every variant's parts of the event's kind.
    """
    return [name for name, own in known.items() if (variant is None and all(one in own for one in ids)) or name == variant]


def ids_of(network: Network, kind: str) -> set[str]:
    """Return the ids of a network's parts that events of a kind, `skip` or `layer`, may name."""
    parts = (*network.skips, *network.edges) if kind == "skip" else (*network.layers, *network.branches)
    return {part.id for part in parts}


__all__ = [
    "ClipEvent", "Control", "Event", "LayerEvent", "RateEvent", "SkipEvent", "StepsEvent",
    "applied", "ids_of", "meant", "message_from",
]  # fmt: skip
