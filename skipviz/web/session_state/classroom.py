"""Classrooms: whoever holds a classroom's link follows its owner's present run, into the next one too. No streamlit here.

A token says by itself whose it is: its second half is a keyed hash that only the owner's cookie gives. So nothing needs
to be kept: after a restart of the server the owner's page opens the same classroom again, and who follows finds it.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import re
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ...engine import get_engine
from ...engine.listeners import Listeners
from ...storage import StoreError
from ...tasks.experiment import Experiment
from ..document.document import Document
from ..document.lab import Lab
from ..document.labs import labs

if TYPE_CHECKING:
    from ..document.shared_labs import SharedLabs

MOST = 500
"""Classrooms known at once. Ended ones go first, then those of whoever has the most, the one longest without news before others."""

ROOM = "room "
"""Stands before a token where other servers find a classroom among labs' documents."""
_TOKEN = re.compile(r"[A-Za-z0-9_-]{32}")
_HALF = 16


def is_token(text) -> bool:
    """Return whether `text` is written as tokens are."""
    return isinstance(text, str) and _TOKEN.fullmatch(text) is not None


def new_token(owner: str) -> str:
    """Return a token that nobody can guess and that `owner` can be known by."""
    return _with_proof(secrets.token_urlsafe(12), owner)


def owns(owner: str, token: str) -> bool:
    """Return whether `owner` made `token`."""
    return is_token(token) and hmac.compare_digest(_with_proof(token[:_HALF], owner), token)


def _with_proof(half: str, owner: str) -> str:
    proof = hmac.digest(owner.encode(), half.encode(), hashlib.sha256)[:12]
    return half + base64.urlsafe_b64encode(proof).decode()


@dataclass(frozen=True)
class Classroom:
    """What its owner shows now: a run, or an experiment that has not begun (`run` None)."""

    token: str
    experiment: Experiment
    run: str | None = None
    version: int = 0
    """Counts what no run's stream tells: another run, or another experiment without one. It begins with the time, so that a
    page that knew the classroom before the server was restarted takes what comes after for news."""
    ended: bool = False
    owner: str = ""
    """Whose it is, which no message says."""

    def news(self) -> dict:
        """Return the message for those who follow."""
        return {"follow": self.token, "version": self.version, "run": self.run, "ended": self.ended}

    @staticmethod
    def unknown(token: str) -> dict:
        """Return the message for those who follow a classroom whose owner has not come (yet)."""
        return {"follow": token, "version": 0, "run": None, "ended": False}


class Classrooms:
    """The classrooms of this server; any thread may use it."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._rooms: dict[str, Classroom] = {}
        self._leads: dict[str, Lab] = {}
        """The labs that are shown, by token."""
        self._listeners = Listeners()
        self._shared: SharedLabs | None = None
        self._written: dict[str, int] = {}
        """The version of each classroom that other servers were last seen to have."""
        self._sharing: ThreadPoolExecutor | None = None

    def share(self, shared: SharedLabs | None) -> None:
        """Show what is shown here at other servers too, and what is shown there."""
        self._shared, self._sharing = shared, ThreadPoolExecutor(1, "skipviz-classrooms") if shared else None

    def heard(self, token: str) -> None:
        """Hear that another server shows something new in a classroom, from a thread that must not wait."""
        self._sharing.submit(self._read, token)

    def look_up(self, token: str) -> Classroom | None:
        """Return a classroom, also one that another server has; may wait."""
        if self._shared is not None and token not in self._rooms:
            self._read(token)
        return self.get(token)

    def _read(self, token: str) -> None:
        found = None
        with contextlib.suppress(StoreError):
            found = self._shared.read(f"{ROOM}{token}")
        if found is None:
            return
        row, document, more = found
        if row["run"]:
            get_engine().run(row["run"])  # in memory before anybody is told of it
        with self._lock:
            self._written[token] = row["version"]
            before = self._rooms.get(token)
            if before is not None and before.version >= row["version"]:
                return
            self._rooms[token] = Classroom(token, document.experiment, row["run"], row["version"], more["over"], row["owner"])
        self._listeners.tell(token)

    def _write(self, token: str) -> None:
        """Let other servers have a classroom as it is now, under a version that is newer than theirs."""
        with contextlib.suppress(StoreError):
            while (room := self._rooms.get(token)) is not None and room.version > self._written.get(token, 0):
                document, before = Document(room.experiment, room.run, version=room.version), self._written.get(token, 0)
                if self._shared.write(f"{ROOM}{token}", room.owner, document, {"over": room.ended}, before):
                    self._written[token] = room.version
                elif (found := self._shared.version(f"{ROOM}{token}", before)) is None:
                    return
                else:
                    with self._lock:
                        self._written[token] = found
                        self._rooms[token] = replace(self._rooms[token], version=max(room.version, found + 1))

    def _tell(self, token: str) -> None:
        self._listeners.tell(token)
        if self._sharing is not None:
            self._sharing.submit(self._write, token)

    def get(self, token: str) -> Classroom | None:
        """Return a classroom, or None where its owner has not come (yet)."""
        return self._rooms.get(token)

    def lead(self, token: str, lab: Lab) -> None:
        """Show what a lab holds to all who follow the classroom of its owner, now and after each change."""
        with self._lock:
            self._leads[token] = lab
        self._show_lab(token, lab)

    def changed(self, lab_id: str) -> None:
        """Show a lab that leads a classroom as it is now."""
        for token, lab in tuple(self._leads.items()):
            if lab.id == lab_id:
                self._show_lab(token, lab)

    def _show_lab(self, token: str, lab: Lab) -> None:
        with lab.lock:  # else an older document could be shown over a newer one
            document = lab.document
            if not lab.watching:
                self.show(token, document.experiment, document.run, lab.owner)

    def show(self, token: str, experiment: Experiment, run: str | None, owner: str = "") -> None:
        """Show `experiment`, or the run that trains it, to all who follow the classroom of `owner`."""
        with self._lock:
            before = self._rooms.pop(token, None)
            same = before is not None and not before.ended and before.run == run
            same = same and (run is not None or before.experiment == experiment)
            version = int(self._clock()) if before is None else before.version + (not same)
            self._rooms[token] = Classroom(token, experiment, run, version, owner=owner)
            while len(self._rooms) > MOST:
                self._forget_one()
        if not same:
            self._tell(token)

    def end(self, token: str) -> None:
        """End a classroom: who follows keeps what was shown last."""
        with self._lock:
            self._leads.pop(token, None)
            before = self._rooms.get(token)
            if before is None or before.ended:
                return
            self._rooms[token] = replace(before, version=before.version + 1, ended=True)
        self._tell(token)

    def _forget_one(self) -> None:
        counts = Counter(room.owner for room in self._rooms.values())
        token = min(self._rooms, key=lambda token: (not self._rooms[token].ended, -counts[self._rooms[token].owner]))
        del self._rooms[token]
        self._leads.pop(token, None)
        self._written.pop(token, None)

    def subscribe(self, listener: Callable[[str], None]) -> Callable[[], None]:
        """Call `listener(token)`, quickly, after every change; returns the way to end that."""
        return self._listeners.subscribe(listener)


classrooms = Classrooms()
"""The process's own."""
labs.subscribe(classrooms.changed)
