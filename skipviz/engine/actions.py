"""What a person does to runs that are there: events and controls, going on, another title. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable

from ..tasks.event import Event
from .catalogue import RunCatalogue
from .controls import Controls
from .resumption import Resumption


class Actions:
    """Does it to the runs of this server; every method raises `EngineError`, also where there is no such run."""

    def __init__(self, catalogue: RunCatalogue, controls: Controls, resumption: Resumption) -> None:
        self._catalogue, self._controls, self._resumption = catalogue, controls, resumption

    def post(self, run_id: str, owner: str | None, message) -> dict:
        """Pass an event or control to a run; see `Controls.post`."""
        return self._controls.post(self._catalogue.look_up(run_id), owner, message)

    def lead(self, run_id: str, owner: str | None, events: Iterable[Event], lab: str, since: int, version: int) -> None:
        """Pass what a lab's document does to a run; see `Controls.lead`."""
        self._controls.lead(self._catalogue.look_up(run_id), owner, events, lab, since, version)

    def label(self, run_id: str, owner: str | None, labels: dict[str, str]) -> None:
        """Give a run's networks other labels; see `Controls.label`."""
        self._controls.label(self._catalogue.look_up(run_id), owner, labels)

    def resume(self, run_id: str, owner: str | None, address: str | None = None) -> dict:
        """Let an ended run go on; see `Resumption.resume`."""
        return self._resumption.resume(run_id, owner, address)

    def extend(self, run_id: str, owner: str | None, events: Iterable[Event], address: str | None = None) -> dict:
        """Let a finished run go on for more steps after `events`; see `Resumption.extend`."""
        return self._resumption.extend(run_id, owner, tuple(events), address)

    def rename(self, run_id: str, owner: str | None, title: str) -> dict:
        """Give a run another title; see `RunCatalogue.rename`."""
        return self._catalogue.rename(run_id, owner, title)

    def seen(self, run_id: str) -> None:
        """Note that somebody looks at a run."""

    def close(self) -> None:
        """End what it does in the background."""
