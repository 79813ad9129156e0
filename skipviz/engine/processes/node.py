"""What runs on each node of a Ray cluster: a warm fork server and the workers that it forks, behind an actor. Imports no torch.

One actor a node and server, which ends with its server: so does every worker, whose connection ends with the actor's process.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator

from ...version import __version__
from .launcher import Child, Launcher

BEAT_SECONDS = 2.0
"""How often each side says something at least."""
SILENT_SECONDS = 20.0
"""After which a node that hears nothing of its server ends its workers: they may compute elsewhere by then."""

Word = tuple[str, int, object]
"""A verb, the ticket of a child, and what it is about."""


class Node:
    """The actor: `take` is told what to do, `said` yields what children say. Both carry many words at a time, in order."""

    def __init__(self, forks: bool) -> None:
        """`forks` is False for an actor that holds a GPU, whose one worker is a fresh process."""
        self._launcher = Launcher(forks)
        self._children: dict[int, Child] = {}
        self._said: list[Word] = []
        self._news = asyncio.Event()
        self._heard = time.monotonic()

    async def begin(self) -> str:
        """Warm up, and return the version of skipviz that is installed here."""
        self._heard = time.monotonic()
        self._launcher.start()
        if self._launcher.forks:
            await self._launcher.ready.wait()
        self._heard = time.monotonic()
        asyncio.get_running_loop().call_later(BEAT_SECONDS, self._look)
        return __version__

    async def take(self, words: list[Word]) -> None:
        """Do what is asked for: `fork` a child in a role, send it `data`, let it be silent (`hush`) or heard again, `kill` it."""
        self._heard = time.monotonic()
        for verb, ticket, what in words:
            if verb == "fork":
                self._fork(ticket, what)
                continue
            child = self._children.get(ticket)
            if child is None:
                continue
            if verb == "data":
                child.send_bytes(what)
            elif verb == "kill":
                child.kill()
            else:
                child.listen(verb == "hear")

    async def said(self) -> AsyncIterator[list[Word]]:
        """Yield what children say, as it comes, and now and then nothing."""
        while True:
            if not self._said:
                self._news.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._news.wait(), BEAT_SECONDS)
            words, self._said = self._said, []
            yield words

    def _fork(self, ticket: int, role: str) -> None:
        def ended(status: int | None) -> None:
            self._children.pop(ticket, None)
            self._say("exit", ticket, status)

        def hear(lines: list[tuple[bytes, bytes]]) -> None:
            self._say("data", ticket, b"".join(b"%b %b\n" % line for line in lines))

        self._children[ticket] = self._launcher.launch(role, hear, ended, cuda=not self._launcher.forks)

    def _say(self, verb: str, ticket: int, what: object) -> None:
        self._said.append((verb, ticket, what))
        self._news.set()

    def _look(self) -> None:
        if time.monotonic() - self._heard > SILENT_SECONDS:
            os._exit(0)
        asyncio.get_running_loop().call_later(BEAT_SECONDS, self._look)
