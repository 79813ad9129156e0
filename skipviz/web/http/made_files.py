"""The files of runs and links as they are made: one at a time of each, and the last few kept. Imports no streamlit and no torch."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Executor, Future

from ...storage import Run
from .shares import Shares

MOST_WAITING = 32
"""Files that may wait to be made, of all runs together."""
MOST_OF_ADDRESS = MOST_WAITING // 2
"""Of these, for one address."""
MOST_BYTES = 24 * 2**20
"""Of all files kept, four replays of the largest size; a larger file is made anew each time."""

File = tuple[str, bytes]
"""Name and content."""


class CrowdedError(RuntimeError):
    """Too many files wait to be made; one sentence."""


class MadeFiles:
    """Has `make(run, suffix, of)` called by `makers`, never twice at a time for one run; `of` is what else decides on the file."""

    def __init__(
        self, make: Callable[[Run, str, str], File], makers: Executor, most_bytes: int = MOST_BYTES, stamp: Callable | None = None
    ) -> None:
        self._make, self._makers, self._most_bytes, self._stamp = make, makers, most_bytes, stamp or _stamp
        self._shares = Shares()
        self._lock = threading.Lock()
        self._waiting: dict[str, dict[tuple[str, str], tuple[Run, Future]]] = {}
        """By run, which is there while one of its files is being made, then by suffix and `of`."""
        self._kept: OrderedDict[tuple[str, str, str], tuple[tuple, File]] = OrderedDict()
        """The file last asked for stands last."""

    def ask(self, run: Run, suffix: str, of: str, address: str = "") -> Future[File]:
        """Return the file to come, which shows the run as it is now or later; raises `CrowdedError`.

        `address` is the visitor's: no single one has the whole queue.
        """
        key = (suffix, of)
        with self._lock:
            stamp, file = self._kept.get((run.id, *key), (None, None))
            if file is not None and stamp == self._stamp(run):
                self._kept.move_to_end((run.id, *key))
                future: Future[File] = Future()
                future.set_result(file)
                return future
            waiting = self._waiting.get(run.id)
            if waiting is not None and key in waiting:
                return waiting[key][1]
            if sum(map(len, self._waiting.values())) >= MOST_WAITING:
                raise CrowdedError("many files are being made at present: try again in a while")
            place = self._shares.take({address: MOST_OF_ADDRESS} if address else {})
            if isinstance(place, str):
                raise CrowdedError(f"{MOST_OF_ADDRESS} files are being made for your address at present: try again in a while")
            future = Future()
            future.add_done_callback(lambda _: place())
            future.set_running_or_notify_cancel()  # several may wait for it, so that nobody takes it back
            self._waiting.setdefault(run.id, {})[key] = (run, future)
            if waiting is None:
                self._makers.submit(self._make_next, run.id)
        return future

    def _make_next(self, run_id: str) -> None:
        """Make the file of a run that has waited longest, then let other runs have their turn."""
        with self._lock:
            key = next(iter(self._waiting[run_id]))
            run, future = self._waiting[run_id].pop(key)
        try:
            stamp = self._stamp(run)
            file = self._make(run, *key)
            self._keep((run_id, *key), stamp, file)
            future.set_result(file)
        except BaseException as error:
            future.set_exception(error)
        with self._lock:
            if self._waiting[run_id]:
                self._makers.submit(self._make_next, run_id)
            else:
                del self._waiting[run_id]

    def _keep(self, key: tuple[str, str, str], stamp: tuple, file: File) -> None:
        with self._lock:
            self._kept.pop(key, None)
            if len(file[1]) <= self._most_bytes:
                self._kept[key] = (stamp, file)
            while sum(len(body) for _, (_, body) in self._kept.values()) > self._most_bytes:
                self._kept.popitem(last=False)


def _stamp(run: Run) -> tuple:
    """Return what differs once a file of the run would."""
    return run.edition, run.sequence, run.state, run.title, len(run.events), run.checkpoint
