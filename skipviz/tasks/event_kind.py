"""What events are, and the kind of those that change how a live run is trained; each is described in `tasks/change`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pydantic import Field

from ..network.base import Identifier, Tagged
from .experiment import Training


class BaseEvent(Tagged):
    """What every event has."""

    step: int | None = Field(None, ge=0, description="step before whose forward pass it acts; None: as soon as possible")
    variant: Identifier | None = Field(None, description="None: every variant that has the part")


@dataclass(frozen=True)
class Change:
    """An event that sets fields of the training, those that it has; all that forms, the engine, scripts and the browser need."""

    number: int
    """Its place among the kinds, which never changes."""
    event: type[BaseEvent]
    sign: str
    """A character as its mark over the time slider."""
    words: str = ""
    """What stands beside its mark, with fields in braces; nothing where the browser has its own words."""
    by_form: bool = True
    """Whether a change of its fields in a form is the event, for a run that is there."""
    acts: Callable[[Training], str] | None = None
    """The line by which a script has an `updater` follow it; None: a script knows it by itself."""

    @property
    def name(self) -> str:
        return self.event.model_fields["kind"].default

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of the training that it sets."""
        return tuple(name for name in self.event.model_fields if name not in ("kind", *BaseEvent.model_fields))
