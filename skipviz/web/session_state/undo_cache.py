"""What could be undone in a lab, kept a while for a page that is loaded anew: for another theme, or by hand. No streamlit here.

It is found again by the same browser at the same address, where the same experiment stands.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from ...tasks.experiment import Experiment

MOST = 300
"""Labs whose steps are kept; the ones longest unused go first."""
STEPS = 50
"""Steps back, and forth, that are kept of one."""
SECONDS = 900.0


class UndoCache:
    """Undo and redo by (browser, address); any thread may use it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._steps: OrderedDict[
            tuple[str, str], tuple[float, list[Experiment], list[Experiment], list[tuple[Experiment, str]]]
        ] = OrderedDict()

    def park(
        self, owner: str, address: str, undo: list[Experiment], redo: list[Experiment], left: list[tuple[Experiment, str]] = ()
    ) -> None:
        """Keep the steps of a lab that stands at `address` now, and the runs that they have ended.

        One in which nothing was done takes none from another there.
        """
        if not undo and not redo:
            return
        with self._lock:
            self._steps.pop((owner, address), None)
            self._steps[owner, address] = self._clock(), undo[-STEPS:], redo[-STEPS:], [*left[-STEPS:]]
            while len(self._steps) > MOST:
                self._steps.popitem(last=False)

    def find(self, owner: str, address: str) -> tuple[list[Experiment], list[Experiment], list[tuple[Experiment, str]]]:
        """Return copies of what can be undone and redone at `address`, and of the runs ended by it; empty where nothing is kept."""
        with self._lock:
            since, *kept = self._steps.get((owner, address), (0.0, [], [], []))
            return tuple([*part] if self._clock() - since <= SECONDS else [] for part in kept)


undo_cache = UndoCache()
"""The process's own."""
