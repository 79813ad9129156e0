"""What the other servers of a database have in line and under way, as it was told last. Pure logic; imports no torch."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable

Turn = tuple[int, float]
"""When a run in line has its turn: first the round in which its browser has the turn for it, then since when that browser waits."""


class Elsewhere:
    """Runs of others; of a server that is alone there are none."""

    def __init__(self, waiting: Iterable[tuple[int, float, float, str]] = (), under_way: Iterable[tuple[str, int]] = ()) -> None:
        """`waiting` are (round, since when, created, browser) of runs in line."""
        self._turns: list[Turn] = []
        self._created: dict[str, list[float]] = {}
        for turn, since, created, owner in sorted(waiting):
            self._turns.append((turn, since))
            self._created.setdefault(owner, []).append(created)
        self.under_way = Counter(dict(under_way))
        """How many each browser has under way."""
        self.latest = max((since for _, since in self._turns), default=0.0)
        """Since when the browser waits that came last."""

    def before(self, turn: Turn) -> list[Turn]:
        """Return the turns that come before this one."""
        return self._turns[: bisect_left(self._turns, turn)]

    def in_line(self, owner: str) -> int:
        """Return how many runs of a browser wait."""
        return len(self._created.get(owner, ()))

    def taken(self, owner: str, created: float) -> int:
        """Return how many of a browser's runs are under way, or wait since before one that was `created` then.

        So of what a browser may have under way the run that came first gets the rest, whichever server it waits at.
        """
        return self.under_way[owner] + sum(before < created for before in self._created.get(owner, ()))
