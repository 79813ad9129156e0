"""How long runs in line will wait, from what was measured of the runs under way. Pure logic; imports no torch."""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from .admission import Room, Waiting

LONGEST = 3600
"""Seconds beyond which a wait is said no closer: it comes from the steps asked for, of which few runs take a million."""


@dataclass(frozen=True)
class Going:
    """A run that computes, and how long it will go on; None: nobody knows."""

    owner: str
    cores: float
    memory_mb: float
    seconds: float | None


def expected_waits(
    waiting: Iterable[Waiting], going: Iterable[Going], room: Room, seconds_of: Callable[[Waiting], float | None]
) -> dict[str, float]:
    """Return the seconds until each run in line begins, leaving out every run for which too little is known.

    `seconds_of` says how long a run in line will take; one of which that is not known ends at a time nobody can tell.
    """
    numbers = itertools.count()
    ends = [(one.seconds, next(numbers), one) for one in going if one.seconds is not None]
    heapq.heapify(ends)
    line, waits, now = list(waiting), {}, 0.0
    while line:
        rest = []
        for place, one in enumerate(line):
            if not room.admits_browser_of(one):
                rest.append(one)
            elif one.cores > max(room.cores, 0) or one.memory_mb > room.memory_mb:
                rest.extend(line[place:])
                break
            else:
                waits[one.id], room = now, room.without(one)
                seconds = seconds_of(one)
                if seconds is not None:
                    heapq.heappush(ends, (now + seconds, next(numbers), Going(one.owner, one.cores, one.memory_mb, seconds)))
        line = rest
        if not ends:
            break
        now, _, ended = heapq.heappop(ends)
        left = room.under_way - Counter([ended.owner])
        room = replace(room, cores=room.cores + ended.cores, memory_mb=room.memory_mb + ended.memory_mb, under_way=left)
    return waits


def said(seconds: float | None) -> int | None:
    """Return a wait as it is said: to 5 seconds below a minute, to half minutes below ten, then to minutes, up to `LONGEST`."""
    if seconds is None:
        return None
    grain = 5 if seconds < 60 else 30 if seconds < 600 else 60
    return min(LONGEST, max(grain, round(seconds / grain) * grain))
