"""How the server's connections send. Imports no streamlit."""

from __future__ import annotations

import contextlib
import os
import socket

import psutil

UNSENT = 1 << 15
"""Bytes that a connection takes before the line has: what waits in it is old by the time that a slow reader gets it."""


def send_at_once() -> None:
    """Let every connection that this process accepts from now on send small parts at once, and hold few that it cannot send.

    asyncio does so for sockets that were opened as TCP by name; Streamlit opens its own without. A response's head
    would then wait, on a connection that was used before, until the browser has acknowledged it: 40 ms each time.
    """
    for found in psutil.Process().net_connections("tcp"):
        if found.status == psutil.CONN_LISTEN and found.fd >= 0:
            with contextlib.suppress(OSError), socket.socket(fileno=os.dup(found.fd)) as listener:
                listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT)
