"""Who hears of changes: functions that are called with what has changed."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Listeners:
    """Functions of one name, such as a run's id; any thread may use it, and tell while another subscribes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: dict[object, Callable[[str], None]] = {}

    def subscribe(self, listener: Callable[[str], None]) -> Callable[[], None]:
        """Call `listener(name)` at each `tell`; returns the way to end that."""
        key = object()
        with self._lock:
            self._listeners = {**self._listeners, key: listener}
        return lambda: self._unsubscribe(key)

    def tell(self, name: str) -> None:
        """Call every listener."""
        for listener in self._listeners.values():
            listener(name)

    def _unsubscribe(self, key: object) -> None:
        with self._lock:
            self._listeners = {other: listener for other, listener in self._listeners.items() if other is not key}
