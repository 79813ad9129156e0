"""What the servers of a database tell each other: NOTIFY within the transaction that writes, LISTEN on a connection of its own.

Only the store writer's process uses it.
"""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterable, Iterator

from sqlalchemy import Connection, func, select

from . import message
from .database import psycopg_url

CHANNEL = "skipviz"
MOST_NAMED = 100
"""Runs that one notice names: PostgreSQL takes less than 8,000 bytes."""
AGAIN_SECONDS = 0.5
"""After which a lost connection is tried again."""


def notify(connection: Connection, sender: int, **told) -> None:
    """Tell all other servers, once the transaction of `connection` is there; of a list, as many times as it takes."""
    for part in _parts(told):
        connection.execute(select(func.pg_notify(CHANNEL, json.dumps({"from": sender, **part}, separators=(",", ":")))))


def _parts(told: dict) -> Iterator[dict]:
    for name, value in told.items():
        if isinstance(value, Iterable) and not isinstance(value, str):
            names = list(value)
            yield from ({name: names[start : start + MOST_NAMED]} for start in range(0, len(names), MOST_NAMED))
        else:
            yield {name: value}


class Listener:
    """Puts what other servers tell into `inbox` as heads with the word `notice`; `{"missed": true}` where some may be lost."""

    def __init__(self, url: str, own: int, inbox: queue.SimpleQueue) -> None:
        self._url, self._own, self._inbox = psycopg_url(url), own, inbox
        threading.Thread(target=self._listen, name="notices", daemon=True).start()

    def _listen(self) -> None:
        import psycopg

        while True:
            try:
                with psycopg.connect(
                    self._url, autocommit=True, connect_timeout=2, application_name="skipviz notices"
                ) as connection:
                    connection.execute(f"LISTEN {CHANNEL}")
                    self._put({"missed": True})
                    for notice in connection.notifies():
                        told = json.loads(notice.payload)
                        if told.pop("from") != self._own:
                            self._put(told)
            except psycopg.Error:
                threading.Event().wait(AGAIN_SECONDS)

    def _put(self, told: dict) -> None:
        self._inbox.put(message.Message({"word": "notice", **told}, []))
