"""A server that ends by itself once nobody uses it, as one does that a script has started. Imports no streamlit."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable

PERIOD = 5.0
"""Seconds between two looks."""


class InUse:
    """ASGI middleware that knows how long ago a page was last open: while one is, it has a connection of Streamlit's."""

    open = 0
    last = 0.0
    """On the monotonic clock, when a connection was last there. Both are of the whole process, as the server is."""

    def __init__(self, app) -> None:
        self._app = app

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        InUse.open += 1
        try:
            await self._app(scope, receive, send)
        finally:
            InUse.open -= 1
            InUse.last = time.monotonic()


async def end_when_idle(minutes: float, busy: Callable[[], bool]) -> None:
    """End this process as a person would once for `minutes` no connection was there and nothing was `busy`; 0: never."""
    if not minutes:
        return
    since = time.monotonic()
    while True:
        await asyncio.sleep(min(PERIOD, minutes * 60 / 4))
        now = time.monotonic()
        if InUse.open or busy():
            since = now
        elif now - max(since, InUse.last) >= minutes * 60:
            os.kill(os.getpid(), signal.SIGTERM)
            return
