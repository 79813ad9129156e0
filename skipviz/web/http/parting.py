"""What every page is told once the server is to stop, also those that only ask from time to time. Imports no streamlit."""

from __future__ import annotations

import time

RESTARTS = "The server restarts; runs go on afterwards."
"""What every page says from when the server is told to stop until it is back."""
ASKING = 1.0
"""Seconds after which such a page asks again at the latest."""
STAYS = 1.5
"""Seconds for which the server then stays, so that they hear of it."""


class Parting:
    """Whether the server has been told to stop; one a process."""

    def __init__(self) -> None:
        self._notice = ""
        self._asked = float("-inf")

    def begin(self) -> None:
        """Forget an earlier server of this process."""
        self._notice = ""

    def told(self) -> str:
        """Return what a page that asks now is told: a sentence, mostly none."""
        self._asked = time.monotonic()
        return self._notice

    def tell(self) -> float:
        """Have every page told, and return the seconds that this takes; none the second time, or where no page asks."""
        waits = not self._notice and time.monotonic() - self._asked < 3 * ASKING
        self._notice = RESTARTS
        return STAYS if waits else 0.0


parting = Parting()
