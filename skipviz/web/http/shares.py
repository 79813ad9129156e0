"""How much of what is scarce one address or one browser may hold at a time. Imports no streamlit."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable

from ...engine.capacity.starts import network_of
from ...settings import Settings
from ..session_state.address import address_of
from ..session_state.identity import owner_of

STREAM_AGAIN = 30
"""Seconds after which a page that found all places taken may ask again."""


class Shares:
    """Counts what each name holds; called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: Counter[str] = Counter()

    def take(self, limits: dict[str, int]) -> Callable[[], None] | str:
        """Count one more for each name in `limits`, and return the way to give it back; or the first name that has its fill."""
        with self._lock:
            for name, most in limits.items():
                if self._held[name] >= most:
                    return name
            self._held.update(limits.keys())
        return lambda: self._give_back(list(limits))

    def _give_back(self, names: list[str]) -> None:
        with self._lock:
            self._held.subtract(names)
            for name in names:
                if self._held[name] <= 0:
                    del self._held[name]


_streams = Shares()


def stream_place(scope, settings: Settings) -> Callable[[], None] | str:
    """Count one more open stream of a request's address and browser, and return the way to give its place back.

    Where either has its fill, a sentence instead.
    """
    address = f"from {network_of(address_of(scope, settings.trusted_proxies))}"
    browser = owner_of(scope)
    limits = {address: settings.address_streams, **({f"of {browser}": settings.browser_streams} if browser else {})}
    place = _streams.take(limits)
    if not isinstance(place, str):
        return place
    whose = "address" if place == address else "browser"
    return f"one {whose} may have {limits[place]:,} pages open at a time on this server: close one, or try again later"
