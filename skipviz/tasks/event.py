"""Events: what a person does to a live run. Experiment + events reproduce the run."""

from __future__ import annotations

from typing import Annotated, Literal, Union

from pydantic import Field, TypeAdapter, ValidationError

from ..network import edit
from ..network.base import NetworkError, Tagged, sentence
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
    variants, found = dict(experiment.variants), False
    for name, network in experiment.variants.items():
        if event.variant not in (None, name):
            continue
        parts = (*network.skips, *network.edges) if isinstance(event, SkipEvent) else (*network.layers, *network.branches)
        if event.variant is None and not set(event.ids) <= {part.id for part in parts}:
            continue
        variants[name] = function(network, event.ids, **event.changes())
        found = True
    if not found:
        raise NetworkError(f"there is no {event.kind} {event.ids[0]}")
    return experiment.replaced(variants=variants)


__all__ = [
    "ClipEvent", "Control", "Event", "LayerEvent", "RateEvent", "SkipEvent", "StepsEvent", "applied", "message_from",
]  # fmt: skip
