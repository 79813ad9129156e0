"""What every page says once the server is to stop, also those that only ask from time to time. Imports no streamlit."""

from __future__ import annotations

import time
from collections.abc import Callable

RESTARTS = "The server restarts; runs go on afterwards."
"""What every page says from when the server is told to stop until it is back."""
ASKING = 1.0
"""Seconds after which such a page asks again, or later where the server is busy."""
RECENT = 20 * ASKING
"""Seconds for which an open page that asked is taken to ask again: a busy machine is late."""
ARRIVES = 0.5
"""Seconds for which the server stays after the last answer, so that it arrives."""
STAYS = 8.0
"""Seconds for which the server waits at most for pages to ask."""


class ShutdownNotice:
    """Whether the server has been told to stop; one a process. `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.begin()

    def begin(self) -> None:
        """Forget an earlier server of this process."""
        self._notice, self._since = "", 0.0
        self._asked: dict[object, tuple[float, Callable[[], bool]]] = {}
        """When each page asked last, and whether it is still open."""

    def sentence_for(self, page: object, is_open: Callable[[], bool] = lambda: True) -> str:
        """Return the sentence for a page that asks now, mostly none."""
        self._asked[page] = self._clock(), is_open
        self._forget()
        return self._notice

    def tell(self) -> bool:
        """Have every page say it; return whether the server stays for some that ask: not the second time, nor where none does."""
        first = not self._notice
        if first:
            self._forget()
            self._notice, self._since = RESTARTS, self._clock()
        return first and self.waits()

    def waits(self) -> bool:
        """Return whether a page that was there has not asked since, or was answered just now."""
        now = self._clock()
        asked = [when for when, is_open in list(self._asked.values()) if is_open()]
        if not asked or now - self._since > STAYS:
            return False
        return min(asked) < self._since or now - max(asked) < ARRIVES

    def _forget(self) -> None:
        """Let go of pages that have not asked for long; once the server is to stop, all that were there are waited for."""
        if not self._notice:
            now = self._clock()
            for page, (when, is_open) in list(self._asked.items()):
                if now - when >= RECENT or not is_open():
                    self._asked.pop(page, None)


shutdown_notice = ShutdownNotice()
