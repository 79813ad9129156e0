"""A worker's end of its connection to the server. Imports no torch."""

from __future__ import annotations

import json
import os
import threading
from collections import deque
from collections.abc import Callable

from .wire import Lines, encode


class Channel:
    """Reads messages in a thread of its own and writes lines.

    Looking whether something came costs a step nanoseconds (`inbox` is a deque). The process ends at once when the
    server closes the connection, whatever it is doing: that is how a server, even a killed one, takes its workers along.
    """

    def __init__(self, read_fd: int, write_fd: int) -> None:
        self.inbox: deque[dict] = deque()
        self._came = threading.Event()
        self._read_fd, self._write_fd = read_fd, write_fd
        threading.Thread(target=self._read, name="channel", daemon=True).start()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until a message is there, `seconds` at most, and return whether one is."""
        if not self.inbox:
            self._came.wait(seconds)
        self._came.clear()
        return bool(self.inbox)

    def receive(self) -> dict:
        """Return the next message, waiting for it."""
        while not self.inbox:
            self.wait()
        return self.inbox.popleft()

    def put(self, message: dict) -> None:
        """Let a message come as if the server had sent it."""
        self.inbox.append(message)
        self._came.set()

    def send(self, word: str, data) -> None:
        """Send one line now."""
        self.write(line(word, data))

    def write(self, data: bytes) -> None:
        """Send whole lines now; waits while the server is behind."""
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(self._write_fd, view) :]
            except OSError:
                os._exit(0)

    def _read(self) -> None:
        lines = Lines()
        try:
            while data := os.read(self._read_fd, 1 << 16):
                for text in lines.feed(data):
                    self.put(json.loads(text))
        except OSError:
            pass
        finally:
            os._exit(0)


def serve_over_pipes(serve: Callable[[Channel], None]) -> None:
    """Serve over stdin and stdout, as a fresh process does; whatever else prints goes to stderr."""
    out = os.dup(1)
    os.dup2(2, 1)
    serve(Channel(0, out))
    os._exit(0)


def line(word: str, data) -> bytes:
    """Return one line of the wire: a word and JSON."""
    return word.encode() + b" " + encode(data) + b"\n"
