"""Who may start next: a line that is fair between browsers, and the room there is. Pure logic; imports no torch."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from .elsewhere import Turn

INSTANT = 1e-6
"""Seconds between two turns that are given at the same time."""


@dataclass(frozen=True)
class Waiting:
    """One run in line, and what it needs to begin."""

    id: str
    owner: str
    """The browser; empty for the server's own runs, which need nothing and are not counted."""
    memory_mb: float
    """0 for a run that has its worker already and comes back from a pause."""
    cores: float = 1.0
    """0 for a run that is to begin paused."""
    gpus: float = 0.0
    """Of a GPU on a cluster, where one is shared; on one machine nobody counts."""
    place: str | None = None
    """The node of a cluster that a run comes back on from a pause."""


@dataclass(frozen=True)
class Place:
    """A node of a cluster, and what is free there."""

    name: str
    cores: float
    memory_mb: float
    gpus: float = 0.0

    def computes(self, waiting: Waiting) -> bool:
        """Return whether it has the cores, and what is asked for of a GPU."""
        here = waiting.place in (None, self.name)
        return here and waiting.cores <= max(self.cores, 0) and waiting.gpus <= max(self.gpus, 0)

    def fits(self, waiting: Waiting) -> bool:
        """Return whether it has the memory too."""
        return self.computes(waiting) and waiting.memory_mb <= max(self.memory_mb, 0)

    def without(self, cores: float, memory_mb: float, gpus: float = 0.0) -> Place:
        """Return it with so much less free."""
        return replace(self, cores=self.cores - cores, memory_mb=self.memory_mb - memory_mb, gpus=self.gpus - gpus)


@dataclass(frozen=True)
class Room:
    """What is free, and how many runs each browser has under way."""

    cores: float
    memory_mb: float
    under_way: Counter[str] = field(default_factory=Counter)
    browser_limit: int = 1_000_000
    places: tuple[Place, ...] | None = None
    """A cluster's nodes, one of which has to have room for a run: `cores` and `memory_mb` are those of all. None: one machine."""

    def computes(self, waiting: Waiting) -> bool:
        """Return whether there are the cores for a run."""
        if self.places is None:
            return waiting.cores <= max(self.cores, 0)
        return any(place.computes(waiting) for place in self.places)

    def holds(self, waiting: Waiting) -> bool:
        """Return whether there is the memory for a run, where there are the cores."""
        return waiting.memory_mb <= self.memory_mb if self.places is None else self.place_for(waiting) is not None

    def place_for(self, waiting: Waiting) -> Place | None:
        """Return the node that a run is to begin on, which is the one with the most left of those that it fits on, or None."""
        fitting = [place for place in self.places or () if place.fits(waiting)]
        return max(fitting, key=lambda place: (place.cores, place.memory_mb), default=None)

    def admits_browser_of(self, waiting: Waiting) -> bool:
        """Return whether the browser may have one run more under way; one that comes back is under way already."""
        return not waiting.owner or not waiting.memory_mb or self.under_way[waiting.owner] < self.browser_limit

    def without(self, waiting: Waiting) -> Room:
        """Return the room left once `waiting` has begun."""
        under_way = self.under_way + Counter([waiting.owner] if waiting.memory_mb else [])
        return replace(self, cores=self.cores - waiting.cores, memory_mb=self.memory_mb - waiting.memory_mb, under_way=under_way)


class FairQueue:
    """Runs in line: browsers take turns, the oldest run first within one.

    Whose run begins goes behind every other browser that waits, and who comes new goes there too. So a browser's first
    run waits for one run of every other browser at most, however many those have put in line. Since when a browser waits for its
    turn is the time of a clock that never goes back, nor behind what is `heard` of other lines: so turns compare between servers.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock, self._latest = clock, 0.0
        self._browsers: dict[str, deque[Waiting]] = {}
        """Each browser's runs; whose turn is next comes first."""
        self._since: dict[str, float] = {}
        """Since when each waits for its turn."""

    def __len__(self) -> int:
        return sum(map(len, self._browsers.values()))

    def __contains__(self, run_id: str) -> bool:
        return any(waiting.id == run_id for waits in self._browsers.values() for waiting in waits)

    def of(self, owner: str) -> int:
        """Return how many runs a browser has in line."""
        return len(self._browsers.get(owner, ()))

    def add(self, waiting: Waiting, first: bool = False) -> None:
        """Put a run in line; `first` before its own browser's others, as for one that comes back from a pause."""
        if waiting.owner not in self._browsers:
            self._come(waiting.owner, deque())
        waits = self._browsers[waiting.owner]
        if first:
            waits.appendleft(waiting)
        else:
            waits.append(waiting)

    def remove(self, run_id: str) -> bool:
        """Take a run out of the line and return whether it was there."""
        for owner, waits in self._browsers.items():
            for waiting in waits:
                if waiting.id == run_id:
                    waits.remove(waiting)
                    if not waits:
                        del self._browsers[owner], self._since[owner]
                    return True
        return False

    def change(self, run_id: str, **changes) -> None:
        """Change what a run in line needs; its place stays."""
        for waits in self._browsers.values():
            for place, waiting in enumerate(waits):
                if waiting.id == run_id:
                    waits[place] = replace(waiting, **changes)
                    return

    def order(self) -> Iterator[Waiting]:
        """Yield the runs in the order in which they begin, as long as nobody else comes."""
        return (waiting for waiting, _ in self.turns())

    def turns(self) -> Iterator[tuple[Waiting, Turn]]:
        """Yield the runs in that order, each with its turn."""
        turns = deque((owner, 0) for owner in self._browsers)
        while turns:
            owner, place = turns.popleft()
            waits = self._browsers[owner]
            yield waits[place], (place, self._since[owner])
            if place + 1 < len(waits):
                turns.append((owner, place + 1))

    def place(self, run_id: str) -> tuple[int, Turn]:
        """Return how many runs of those in line begin before this one, and its turn."""
        return next((place, turn) for place, (waiting, turn) in enumerate(self.turns()) if waiting.id == run_id)

    def heads(self) -> Iterator[Waiting]:
        """Yield each browser's next run."""
        return (waits[0] for waits in self._browsers.values())

    def heard(self, latest: float) -> None:
        """Hear since when a browser waits in another line: whose turn comes after now is behind it."""
        self._latest = max(self._latest, latest)

    def take(self, room: Room, leaves: Callable[[Waiting], bool] = lambda waiting: False) -> Waiting | None:
        """Take the next run that may begin out of the line; None where nobody may, or what is free is left to others.

        A browser at its own limit is passed over and keeps its turn. Who waits for memory is not: small runs would keep
        a large one waiting for ever.
        """
        held_up: set[str] = set()
        memory_short = False
        for waiting in self.order():
            if waiting.owner in held_up:
                continue
            if not room.admits_browser_of(waiting) or not room.computes(waiting):
                held_up.add(waiting.owner)
            elif waiting.memory_mb and (memory_short or not room.holds(waiting)):
                held_up.add(waiting.owner)
                memory_short = True
            elif leaves(waiting):
                return None
            else:
                self._serve(waiting)
                return waiting
        return None

    def _serve(self, waiting: Waiting) -> None:
        waits, _ = self._browsers.pop(waiting.owner), self._since.pop(waiting.owner)
        waits.remove(waiting)
        if waits:
            self._come(waiting.owner, waits)

    def _come(self, owner: str, waits: deque[Waiting]) -> None:
        """Put a browser behind all others."""
        self._latest = max(self._clock(), self._latest + INSTANT)
        self._browsers[owner], self._since[owner] = waits, self._latest
