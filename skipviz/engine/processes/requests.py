"""The other end of a launcher's socket, for who forks in its place: requests come with sockets, words go. Imports no torch."""

from __future__ import annotations

import json
import os
import socket
from collections import deque
from collections.abc import Iterator

from .channel import line
from .wire import Lines


class Requests:
    """Ends the process when the server is gone."""

    def __init__(self, server: socket.socket) -> None:
        self.server = server
        self.sockets: deque[int] = deque()
        """Those that came along, the first first; whoever takes a request that has one takes it."""
        self._lines = Lines()

    def tell(self, word: str, data) -> None:
        """Send one line to the server."""
        try:
            self.server.sendall(line(word, data))
        except OSError:
            os._exit(0)

    def receive(self) -> Iterator[dict]:
        """Yield the requests that have come; waits for some where none has."""
        data, sockets, _, _ = socket.recv_fds(self.server, 1 << 16, 64)
        if not data:
            os._exit(0)
        self.sockets.extend(sockets)
        yield from map(json.loads, self._lines.feed(data))
