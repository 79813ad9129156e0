"""The engine of this process: there is one, begun on first use and closed with the process. Imports no torch, no streamlit."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable

from .engine import Engine

_engine: Engine | None = None
_engine_lock = threading.Lock()


def get_engine() -> Engine:
    """Return the process's engine, started on first use and closed with the process.

    One that is closed stays the process's own, and refuses: whoever still asks while a server stops begins nothing.
    """
    with _engine_lock:
        return _engine.start() if _engine is not None else _begin()


def begin_engine(address: Callable[[], str] = lambda: "") -> Engine:
    """Return the process's engine for a server that starts; a new one where the one before is closed.

    `address()` is where a browser finds its lab.
    """
    with _engine_lock:
        if _engine is None or _engine.closed:
            return _begin(address)
        _engine.guests.address = address
        return _engine.start()


def _begin(address: Callable[[], str] = lambda: "") -> Engine:
    global _engine
    _engine = Engine()
    _engine.guests.address = address  # before it starts: a script may be waiting
    atexit.register(_engine.close)
    return _engine.start()
