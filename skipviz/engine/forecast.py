"""When runs in line will begin, learned from the runs under way and from those that ended. Pure logic; imports no torch."""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Iterable

from ..settings import Settings
from .capacity.admission import Room, Waiting
from .capacity.expectation import Going, expected_waits
from .live import Live

REMEMBERED = 32
"""Ended runs from which is learned: the last ones, since a server's visitors and its load change."""
ENOUGH = 3
"""Ended runs of about the length asked for that say more than the length itself."""
LIKE = 0.5
"""A run tells how long another lasts if it was to last at least this part of the other's time."""


class Forecast:
    """Knows how much longer a step takes here than reckoned, and how much of the time asked for people let their runs train."""

    def __init__(self) -> None:
        self._slowness: deque[float] = deque(maxlen=REMEMBERED)
        self._lasted: deque[tuple[float, float]] = deque(maxlen=REMEMBERED)
        """Of each ended run the seconds that were asked for, and those that it trained."""

    def ended(self, live: Live, settings: Settings, now: float) -> None:
        """Learn from a run that has ended, whether it finished, was stopped, or used its time up."""
        step_seconds = live.step_seconds_in_all(now)
        if live.demo or step_seconds is None:
            return
        asked = min(live.run.steps * step_seconds, settings.run_minutes * 60)
        self._lasted.append((asked, min(live.seconds(now), asked)))
        if not live.keeps_speed():
            self._slowness.append(step_seconds / live.step_seconds)

    def waits(
        self, order: Iterable[Waiting], lives: dict[str, Live], room: Room, settings: Settings, now: float
    ) -> dict[str, float]:
        """Return the seconds until each run in line begins, leaving out those of which too little is known."""
        computing = [live for live in lives.values() if live.computing and not live.demo]
        free = [live for live in computing if not live.keeps_speed()]
        measured = [seconds / live.step_seconds for live in free if (seconds := live.step_seconds_now())]
        known = [*measured, *self._slowness]
        slowness = statistics.median(known) if known else None
        going = [
            Going(live.run.owner, live.cores(), live.memory_mb, self._seconds_left(live, slowness, settings, now))
            for live in computing
        ]
        return expected_waits(order, going, room, lambda one: self._seconds_left(lives[one.id], slowness, settings, now))

    def _seconds_left(self, live: Live, slowness: float | None, settings: Settings, now: float) -> float | None:
        """Return how long a run will go on training, or None where nothing tells how long its steps take."""
        step_seconds = live.step_seconds_now()
        if step_seconds is None:
            if slowness is None:
                return None
            step_seconds = max(slowness * live.step_seconds, 1 / live.run.speed if live.run.speed else 0.0)
        so_far = live.seconds(now)
        left = (live.run.steps - live.run.step) * step_seconds
        return self.expected(so_far + max(0.0, min(left, settings.run_minutes * 60 - so_far)), so_far)

    def expected(self, asked: float, so_far: float) -> float:
        """Return how many seconds a run goes on that is to train for `asked` in all and has trained `so_far`.

        Runs of this length that were stopped early shorten it; one that has outlasted them all goes on about as long again.
        """
        alike = [min(lasted, asked) for length, lasted in self._lasted if length >= LIKE * asked]
        if len(alike) < ENOUGH:
            return asked - so_far
        longer = [lasted for lasted in alike if lasted > so_far]
        return statistics.median(longer) - so_far if longer else min(asked - so_far, so_far)
