"""The server's end of its store writer: says what is new of every run, and asks for what was kept.

It never holds a queue of frames: what the store writer has not yet confirmed is still in the runs themselves, and is sent
again from there if the store writer dies. Two threads do the waiting, so that nobody else does.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from . import message
from .memory import StoreError, StoreTimeoutError
from .record import Record

ROOT = Path(__file__).resolve().parents[2]
DATABASE_URL, BLOBS = "SKIPVIZ_DATABASE_URL", "SKIPVIZ_BLOBS"
"""The variables by which the store writer is told where its database and its objects are: they may hold passwords."""
PERIOD = 0.1
"""Seconds between two messages on one run; with the store writer's own period well below the second that may be lost."""
HANDING_SECONDS = 0.5
"""How long who starts a run waits at most for it to be on its way to the disk."""
SILENT_SECONDS = 10.0
"""After which a store writer that says nothing of what it was sent waits for a disk or a database that does not answer."""
BEAT_SECONDS = 1.0
"""Between two looks whether a store writer that has other servers says something."""
SILENT = "the disk or the database does not answer"
ASKING_SECONDS = 20.0
CLOSING_SECONDS = 6.0
SLOWEST_RESTART = 10.0


def store_writer_process(arguments: list[str], places: dict[str, str]) -> subprocess.Popen:
    """Start a store writer that takes messages from its stdin and answers on its stdout."""
    paths = [str(ROOT), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return subprocess.Popen(
        [sys.executable, "-m", "skipviz.storage.store_writer", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1", **places},
    )


@dataclass
class _Known:
    """How far the store writer has one run."""

    edition: int = -1
    sent: int = 0
    saved: int = 0
    number: int = 0
    saved_number: int = -1
    whole: bool = False
    """Whether the table has its row, with what never changes."""
    headed: bool = False


class StoreClient:
    """Keeps one store writer alive. `record(run_id, place, edition)` returns what is new of a run, or None where it is gone."""

    def __init__(
        self,
        arguments: list[str],
        places: dict[str, str],
        record: Callable[[str, int, int], Record | None],
        on_ready: Callable[[list[str]], None],
        on_trouble: Callable[[str | None], None],
        on_removed: Callable[[list[str]], None],
        on_lost: Callable[[list[str]], None],
        on_told: Callable[[message.Message], None] = lambda came: None,
    ) -> None:
        self._arguments, self._places, self._record = arguments, places, record
        self._on_ready, self._on_trouble, self._on_removed, self._on_lost = on_ready, on_trouble, on_removed, on_lost
        self._on_told = on_told
        self._changed = threading.Condition()
        self._dirty: set[str] = set()
        self._sending: set[str] = set()
        self._known: dict[str, _Known] = {}
        self._asked: dict[int, tuple[dict, Future]] = {}
        self._unsent: list[int] = []
        self._untold: list[tuple[dict, list[bytes]]] = []
        self._number = 0
        self._process: subprocess.Popen | None = None
        self._once_ready = False
        self._ready, self._silent_since = False, None
        """Whether the store writer has begun, and since when a word of it is due, or None: none is."""
        self._restart_seconds = 0.0
        self._closing = False
        self._hurried = False
        """Whether something is to be sent before the period is over."""
        self._sender: threading.Thread | None = None
        self.trouble: str | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the store writer."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the store writer, which opens its folder while the server serves."""
        with self._changed:
            if self._sender is None and not self._closing:
                self._begin()
                self._sender = threading.Thread(target=self._send, name="skipviz-store client", daemon=True)
                self._sender.start()

    def note(self, run_id: str) -> None:
        """Hear that a run has changed; never waits for the store writer."""
        with self._changed:
            self._dirty.add(run_id)
            self._changed.notify_all()

    def hand_on(self, run_id: str) -> None:
        """Hand a new run to the store writer, which writes it even if this process is killed the next moment.

        Waits, but not for the disk, and no longer than a moment where the store writer takes nothing.
        """
        with self._changed:
            self._dirty.add(run_id)
            self._hurried = True
            self._changed.notify_all()
            if self.trouble is None:
                self._changed.wait_for(lambda: run_id not in self._dirty and run_id not in self._sending, HANDING_SECONDS)

    def settled(self, run_id: str) -> bool:
        """Return whether all that was noted of a run is on the disk."""
        with self._changed:
            known = self._known.get(run_id)
            waits = run_id in self._dirty or run_id in self._sending
            return not waits and (known is None or known.saved_number == known.number)

    def forget(self, run_id: str) -> None:
        """Let go of a run that left the memory."""
        with self._changed:
            self._known.pop(run_id, None)
            self._dirty.discard(run_id)

    def adopt(self, run_id: str, edition: int, places: int) -> None:
        """Note that a run that was loaded is on the disk as it is."""
        with self._changed:
            self._known[run_id] = _Known(edition, places, places, 0, 0, True, True)

    def ask(self, head: dict, seconds: float = ASKING_SECONDS) -> message.Message:
        """Return the store writer's answer, which knows all that was noted before; raises `StoreError` with a sentence.

        `StoreTimeoutError`, which is one, where it does not come in time.
        """
        future: Future = Future()
        with self._changed:
            if self._sender is None or self._closing:
                raise StoreError("nothing is being kept: the server is stopping")
            self._number += 1
            number = self._number
            self._asked[number] = ({**head, "ask": number}, future)
            self._unsent.append(number)
            self._changed.notify_all()
        try:
            answer = future.result(seconds)
        except TimeoutError:
            raise StoreTimeoutError("what is kept of runs cannot be read at present: its disk is too slow") from None
        finally:
            with self._changed:
                self._asked.pop(number, None)
        if "error" in answer.head:
            raise StoreError(answer.head["error"])
        return answer

    def tell(self, head: dict, parts: list[bytes] = ()) -> None:
        """Tell the store writer what it does not answer, and may not have heard where it is killed; never waits."""
        with self._changed:
            self._untold.append((head, parts))
            self._changed.notify_all()

    def close(self) -> None:
        """Send what is new, and give the store writer a while to write it; it goes on alone if it needs longer."""
        with self._changed:
            if self._closing:
                return
            self._closing = True
            self._changed.notify_all()
        if self._sender is None:
            return
        self._sender.join(CLOSING_SECONDS)
        process = self._process
        with contextlib.suppress(OSError, ValueError):
            process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(CLOSING_SECONDS)

    def _begin(self) -> None:
        self._ready, self._silent_since = False, None
        arguments = [*self._arguments, "again" if self._once_ready else "first"]
        self._process = store_writer_process(arguments, self._places)
        threading.Thread(target=self._listen, args=(self._process,), name="skipviz-store client-news", daemon=True).start()

    def _send(self) -> None:
        """Send what is asked and what is new, in this order of being noted: this is a thread's work."""
        shared = bool(self._places[DATABASE_URL])
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: self._closing or self._unsent or self._untold or (self._dirty and self.trouble is None),
                    BEAT_SECONDS if shared else None,
                )
                closing = self._closing
                asked, self._unsent = self._unsent, []
                untold, self._untold = self._untold, []
                dirty, self._dirty = (self._dirty, set()) if self.trouble is None or closing else (set(), self._dirty)
                self._sending = dirty
                heads = [self._asked[number][0] for number in asked if number in self._asked]
            try:
                for run_id in sorted(dirty):
                    self._send_run(run_id)
                self._note_silence(shared or bool(dirty))
                for head, parts in [(head, ()) for head in heads] + untold:
                    message.write(self._process.stdin, head, parts)
            except (OSError, ValueError):
                with self._changed:
                    self._dirty |= dirty
                    self._unsent, self._untold = asked + self._unsent, untold + self._untold
                    self._changed.wait(PERIOD)
            if closing:
                return
            with self._changed:
                self._sending = set()
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._closing or self._unsent or self._untold or self._hurried, PERIOD)
                self._hurried = False

    def _send_run(self, run_id: str) -> None:
        with self._changed:
            known = self._known.setdefault(run_id, _Known())
        record = self._record(run_id, known.sent, known.edition)
        if record is None:
            return
        parts = {name: getattr(record, name) for name in ("experiment", "header")}
        skip = {"experiment": known.whole, "header": known.whole and known.headed}
        has = [name for name, part in parts.items() if part is not None and not skip[name]]
        with self._changed:
            if record.row["edition"] != known.edition:
                known.saved = 0
            known.edition, known.sent, known.number = record.row["edition"], record.places, known.number + 1
            known.headed = known.headed or "header" in has
            head = {"word": "run", "id": run_id, "number": known.number, "row": record.row, "has": has, "places": record.places}
        head["rows"] = [[place, keep] for place, keep, _ in record.frames]
        message.write(self._process.stdin, head, [*(parts[name] for name in has), *(payload for _, _, payload in record.frames)])

    def _listen(self, process: subprocess.Popen) -> None:
        """Take what one store writer says until it is gone, then start another: this is a thread's work."""
        with contextlib.suppress(OSError, ValueError):
            while (came := message.read(process.stdout)) is not None:
                self._hear(came)
        process.wait()
        with self._changed:
            if self._closing:
                return
            wait, self._restart_seconds = self._restart_seconds, min(SLOWEST_RESTART, 2 * self._restart_seconds + 0.25)
        threading.Event().wait(wait)
        with self._changed:
            if self._closing:
                return
            with contextlib.suppress(OSError):
                process.stdin.close()
            for run_id, known in self._known.items():
                if known.saved_number != known.number:
                    known.sent, known.whole = known.saved, False
                    self._dirty.add(run_id)
            self._unsent = sorted(self._asked)
            self._begin()
            self._changed.notify_all()

    def _note_silence(self, due: bool) -> None:
        """Say that nothing is being written where a store writer that is ready is silent for long; what waits stays in the runs.

        A word of it is `due` where it was sent a run, and where it looks at other servers: always.
        """
        now = time.monotonic()
        if due and self._ready and self._silent_since is None:
            self._silent_since = now
        if self._silent_since is not None and now - self._silent_since > SILENT_SECONDS and self.trouble is None:
            self._note_trouble(SILENT)

    def _hear(self, came: message.Message) -> None:
        word, self._silent_since = came.head["word"], None
        if self.trouble == SILENT:
            self._note_trouble(None)
        if word == "answer":
            with self._changed:
                _, future = self._asked.get(came.head["ask"], (None, None))
            if future is not None and not future.done():
                future.set_result(came)
        elif word == "saved":
            with self._changed:
                for run_id, (edition, places, number) in came.head["runs"].items():
                    self._confirm(run_id, edition, places, number)
                self._changed.notify_all()
        elif word == "ready":
            self._restart_seconds, self._ready = 0.0, True
            first, self._once_ready = not self._once_ready, True
            self._note_trouble(None)
            if first:
                self._on_ready(came.head["restart"])
            self._on_told(came)
        elif word == "trouble":
            self._note_trouble(came.head["sentence"])
        elif word == "taken":
            self._on_ready(came.head["runs"])
        elif word == "lost":
            self._on_lost(came.head["runs"])
        elif word == "removed":
            self._on_removed(came.head["runs"])
        else:
            self._on_told(came)

    def _note_trouble(self, sentence: str | None) -> None:
        with self._changed:
            before, self.trouble = self.trouble, sentence
            self._changed.notify_all()
        if before != sentence:
            self._on_trouble(sentence)

    def _confirm(self, run_id: str, edition: int, places: int, number: int) -> None:
        known = self._known.get(run_id)
        if known is None:
            return
        known.whole, known.saved_number = True, number
        if edition == known.edition:
            known.saved = places
