"""The helper process that writes runs down: `python -m skipviz.storage.store_writer FOLDER …`, started by the server.

SQLAlchemy and pyarrow live here and not in the server, whose memory they would fill, and a slow disk holds up nobody. It
takes messages from stdin and answers on stdout. What it has been sent is written even if the server is killed in the same
moment, for it ends only when nothing more comes and all is written. It never imports torch or streamlit.

From the server, heads with a `word`:

    run      one run's row, and the frames that are new: parts are what `has` names, then one frame each of `rows`
    load     a run: its row, its frames
    claim    an ended run for this server, where several share a database
    list, about, rename, delete    of the table; each with an `ask` number, as load has one
To the server:

    ready    the table is open; which runs are to go on by themselves
    taken    which runs of a server that is gone are this one's now, and to go on by themselves
    lost     which runs are another server's now
    saved    by run: the edition and the places up to which everything is on the disk
    trouble  a sentence on why nothing is written now, or null
    removed  runs that went by age or size
    answer   to an `ask`; `error` is a sentence
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path

import pyarrow

from . import message
from .checkpoint_files import CheckpointFiles
from .chunk_files import ChunkFiles
from .chunk_rows import ChunkRows
from .chunks import Frames
from .database import Database, DatabaseProblemError, DatabaseRefusalError, sentence_of, sqlite_url, written
from .folder import FolderLock, place_of
from .kept import Kept
from .listing import MOST_LISTED
from .pending import Pending
from .recovery import Recovery
from .retention import Retention
from .servers import LOOK_SECONDS, Servers
from .store_client import BLOBS, DATABASE_URL
from .summary import latest_of

FLUSH_SECONDS = 0.5
"""Between what comes first and its being written: with the server's own period well below a second."""
SHARED_FLUSH_SECONDS = 0.1
"""The same where other servers show what is written as it comes."""
RETRY_SECONDS = 0.5
LAST_SECONDS = 60.0
"""How long it goes on trying to write once the server is gone."""
TIDY_SECONDS = 60.0
PATIENCE = 2.0
"""Seconds for which a locked folder or table is waited for in silence."""


class StoreWriter:
    """Serves one server from one folder, or as the `server` of that key from a database, where there is one.

    `places` has the database's URL, and the folder or URL where checkpoints are, by their variables.
    """

    def __init__(self, folder: Path, places: dict[str, str], server: int, retention: Retention, again: bool, inbox, out) -> None:
        self._folder, self._retention, self._again = folder, retention, again
        self._url, self._blobs = places[DATABASE_URL], places[BLOBS]
        self._server, self._servers = server, None
        self._exchange = None
        if self._url:
            from .exchange import Exchange

            self._exchange = Exchange(server, lambda run_id: self._kept(run_id).frames, self._tell)
        self._inbox, self._out = inbox, out
        self._lock = FolderLock(folder)
        self._database: Database | None = None
        self._pending: dict[str, Pending] = {}
        self._latest: dict[str, dict] = {}
        self._asked: list[message.Message] = []
        self._trouble: str | None = None
        self._since, self._flush_seconds = time.monotonic(), SHARED_FLUSH_SECONDS if self._url else FLUSH_SECONDS
        self._flush_at = self._tidy_at = self._look_at = 0.0

    def serve(self) -> None:
        """Serve until the server is gone and everything is written."""
        while (came := self._next()) is not None:
            if came.head:
                self._take(came)
            self._work()
        self._look_at, end = math.inf, time.monotonic() + LAST_SECONDS
        while self._pending and time.monotonic() < end:
            self._flush_at = 0.0
            self._work()
            if self._pending:
                time.sleep(RETRY_SECONDS)
        if self._servers is not None and not self._pending:
            self._exchange.leave()
        self._lock.release()

    def _next(self) -> message.Message | None:
        """Return what comes next, an empty message when it is time to write, or None at the end."""
        waits = TIDY_SECONDS
        if self._database is None:
            waits = self._flush_seconds
        elif self._pending:
            waits = max(0.0, self._flush_at - time.monotonic())
        elif self._servers is not None:
            waits = LOOK_SECONDS
        try:
            return self._inbox.get(timeout=waits)
        except queue.Empty:
            return message.Message({}, [])

    def _take(self, came: message.Message) -> None:
        if came.head["word"] == "run":
            if not self._pending:
                self._flush_at = max(self._flush_at, time.monotonic() + self._flush_seconds)
            self._pending.setdefault(came.head["id"], Pending()).take(*came)
        elif self._exchange is not None and came.head["word"] in self._exchange.WORDS:
            self._exchange.take(came.head)
            self._look_at = 0.0 if "left" in came.head else self._look_at
        else:
            self._asked.append(came)

    def _work(self) -> None:
        """Open the folder, answer, write, tidy: whatever is due."""
        if self._database is None and not self._open():
            if self._trouble:
                self._refuse(self._trouble)
            return
        if self._asked:
            self._flush()
            asked, self._asked = self._asked, []
            for came in asked:
                self._answer(came.head)
        elif self._pending and time.monotonic() >= self._flush_at:
            self._flush()
        if self._exchange is not None:
            self._exchange.work()
        if self._servers is not None and time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + LOOK_SECONDS
            self._look()
        if time.monotonic() >= self._tidy_at:
            self._tidy_at = time.monotonic() + TIDY_SECONDS
            self._tidy()

    def _open(self) -> bool:
        """Take the folder and open the table; say why, after a while, where that cannot be."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if not self._url and not self._lock.acquire():
                raise DatabaseProblemError("another server keeps its runs in this folder")
            if self._url:
                self._database, restart = Database(self._url, PATIENCE, self._server), []
                self._servers = Servers(self._database, self._server)
                self._exchange.open(self._database, self._url, self._inbox)
            else:
                self._database = Database(sqlite_url(self._folder / "runs.sqlite"), PATIENCE)
                restart = [] if self._again else Recovery(self._database, self._kept).interrupt()
        except (OSError, DatabaseProblemError) as problem:
            self._database = None
            if time.monotonic() > self._since + PATIENCE:
                self._tell_trouble(sentence_of(problem))
            return False
        self._tell_trouble(None)
        self._tell({"word": "ready", "restart": restart})
        return True

    def _look(self) -> None:
        """Take over what dead servers left."""
        try:
            self._exchange.look()
            for key in self._servers.dead(self._exchange.left):
                with self._database.transaction():
                    rows = self._servers.left_by(key)
                    taken = Recovery(self._database, self._kept).take_over(rows, self._server)
                    self._exchange.changed([row["id"] for row in rows])
                self._tell({"word": "taken", "runs": taken})
        except (OSError, DatabaseProblemError) as problem:
            self._tell_trouble(sentence_of(problem))
        else:
            if not self._pending:
                self._tell_trouble(None)

    def _flush(self) -> None:
        """Write all that waits at once: a row never speaks of frames that are not there."""
        problem, done, lost = None, {}, set()
        try:
            with self._database.transaction():
                lost = self._lost(self._pending)
                for run_id, pending in self._pending.items():
                    if run_id in lost:
                        continue
                    try:
                        with self._database.transaction():
                            self._write(run_id, pending)
                        done[run_id] = pending
                    except Exception as error:  # whatever one run has, the others are written
                        if isinstance(error, DatabaseProblemError) and not isinstance(error, DatabaseRefusalError):
                            raise
                        if not isinstance(error, OSError | DatabaseProblemError):
                            sys.excepthook(*sys.exc_info())
                        problem = sentence_of(error)
                if self._exchange is not None:
                    self._exchange.wrote([*done])
        except DatabaseProblemError as error:
            problem, done, lost = sentence_of(error), {}, set()
        for run_id in (*done, *lost):
            del self._pending[run_id]
        if lost:
            self._tell({"word": "lost", "runs": sorted(lost)})
        if done:
            saved = {run_id: [one.row["edition"], one.places, one.number] for run_id, one in done.items()}
            self._tell({"word": "saved", "runs": saved})
        self._tell_trouble(problem)
        self._flush_at = time.monotonic() + (RETRY_SECONDS if problem else self._flush_seconds)
        with contextlib.suppress(OSError, DatabaseProblemError), self._database.transaction():
            lost = self._lost(done)
            for run_id, one in done.items():
                if run_id not in lost:
                    self._put_in_order(run_id, one.row)

    def _lost(self, run_ids: Iterable[str]) -> set[str]:
        """Return which runs are another server's by now; the others stay this one's until the transaction ends."""
        return self._servers.others(run_ids) if self._servers is not None else set()

    def _write(self, run_id: str, pending: Pending) -> None:
        """Write one run's new frames and its row."""
        kept = self._kept(run_id)
        kept.frames.append(pending.row["edition"], pending.rows)
        if run_id not in self._latest:
            row = self._database.row(run_id)
            self._latest[run_id] = json.loads(row["summary"]).get("latest", {}) if row else {}
        self._latest[run_id] = latest = latest_of((row.payload for row in reversed(pending.rows)), self._latest[run_id])
        size = kept.bytes() + len(pending.row.get("experiment", b""))
        texts = {"facts": written(pending.row["facts"]), "summary": written({**pending.row["summary"], "latest": latest})}
        server = self._server if self._url else None
        self._database.write([{**pending.row, **texts, "id": run_id, "bytes": size, "server": server}])

    def _put_in_order(self, run_id: str, row: dict) -> None:
        """Merge chunks and remove what is left over; note what an ended run takes then: its last checkpoint, and none before it."""
        ended, kept = row["ended"] is not None, self._kept(run_id)
        kept.frames.merge(row["edition"], everything=ended)
        if ended or row["edition"] or row["checkpoint"] is not None:
            kept.keep_only(row, live=not ended)
        if ended:
            self._latest.pop(run_id, None)
            self._database.write([{"id": run_id, "bytes": kept.bytes() + len(row.get("experiment", b""))}])

    def _answer(self, head: dict) -> None:
        words = ("load", "claim", "glance", "list", "used", "about", "rename", "delete")
        answers = {word: getattr(self, f"_{word}") for word in words} | (self._exchange.answers if self._exchange else {})
        try:
            answer, parts = answers[head["word"]](head)
        except (OSError, DatabaseProblemError, pyarrow.ArrowException) as problem:
            answer, parts = {"error": f"what is kept cannot be read or changed at present: {sentence_of(problem)}"}, []
        self._tell({**answer, "word": "answer", "ask": head["ask"]}, parts)

    def _refuse(self, sentence: str) -> None:
        asked, self._asked = self._asked, []
        for came in asked:
            self._tell({"word": "answer", "ask": came.head["ask"], "error": f"runs are not kept at present: {sentence}"})

    def _load(self, head: dict) -> tuple[dict, list[bytes]]:
        row = self._database.row(head["id"])
        if row is None:
            return {"row": None}, []
        if row["id"] not in self._pending and row["ended"] is not None:
            with self._database.transaction():
                if not self._lost([row["id"]]):  # else another may have let it go on by now
                    self._kept(row["id"]).keep_only(row, live=False)
        rows = self._kept(row["id"]).frames.rows(row["edition"])
        parts = [row.pop("experiment"), row.pop("header") or b"", *(found.payload for found in rows)]
        return {"row": row, "rows": [[found.place, found.keep] for found in rows]}, parts

    def _claim(self, head: dict) -> tuple[dict, list[bytes]]:
        with self._database.transaction():
            row = self._servers.claim(head["id"])
            self._exchange.changed([head["id"]] if row else [])
        return {"row": row and {name: row[name] for name in ("edition", "ended")}}, []

    def _glance(self, head: dict) -> tuple[dict, list[bytes]]:
        row = self._database.row(head["id"])
        if row is None:
            return {"row": None}, []
        frames = self._kept(row["id"]).frames.glance(row["edition"], head["most"])
        now = json.loads(row["facts"]).get("now")
        return {"row": {"id": row["id"]}}, [now.encode() if now else row["experiment"], *frames]

    def _used(self, head: dict) -> tuple[dict, list[bytes]]:
        return {"bytes": self._database.bytes()}, []

    def _list(self, head: dict) -> tuple[dict, list[bytes]]:
        return {"rows": self._database.owned_by(head["owner"], MOST_LISTED)}, []

    def _about(self, head: dict) -> tuple[dict, list[bytes]]:
        row = self._database.row(head["id"])
        return {"row": row and {name: row[name] for name in ("owner", "state")}}, [row["experiment"]] if row else []

    def _rename(self, head: dict) -> tuple[dict, list[bytes]]:
        with self._database.transaction():
            self._database.write([{"id": head["id"], "title": head["title"]}])
            if self._exchange is not None:
                self._exchange.changed([head["id"]])
        return {}, []

    def _delete(self, head: dict) -> tuple[dict, list[bytes]]:
        if not self._remove([head["id"]]) and self._database.row(head["id"]) is not None:
            return {"error": "this run goes on"}, []
        return {}, []

    def _remove(self, run_ids: list[str]) -> list[str]:
        """Remove all that is kept of ended runs and return which were there."""
        with self._database.transaction():
            gone = self._database.remove(run_ids)
            if self._exchange is not None:
                self._exchange.changed(gone)
        for run_id in gone:
            self._pending.pop(run_id, None)
            self._latest.pop(run_id, None)
            self._kept(run_id).remove()
        return gone

    def _tidy(self) -> None:
        """Remove runs that are kept no longer, and folders that belong to no run."""
        try:
            ended = [run for run in self._database.ended() if run[0] not in self._pending]
            others = self._database.bytes() - sum(size for _, _, size in ended)
            if gone := self._remove(self._retention.overdue(ended, time.time(), others)):
                self._tell({"word": "removed", "runs": gone})
            if self._exchange is not None:
                self._exchange.tidy(self._retention.days)
            known = self._database.ids() | set(self._pending)
            for folder in (self._folder / "runs").glob("*"):
                if folder.name not in known and time.time() - folder.stat().st_mtime > 3600:
                    ChunkFiles(folder).remove()
        except (OSError, DatabaseProblemError):
            return

    def _kept(self, run_id: str) -> Kept:
        files = ChunkFiles(Path(place_of(str(self._folder), run_id)))
        chunks = ChunkRows(self._database, run_id) if self._url else files
        return Kept(Frames(chunks), CheckpointFiles(place_of(self._blobs, run_id)))

    def _tell_trouble(self, sentence: str | None) -> None:
        if sentence != self._trouble:
            self._trouble = sentence
            self._tell({"word": "trouble", "sentence": sentence})

    def _tell(self, head: dict, parts: list[bytes] = ()) -> None:
        """Send one message; once the server is gone, nobody hears it."""
        with contextlib.suppress(OSError, ValueError):
            message.write(self._out, head, parts)


class _WithoutPandas:
    """Hides pandas, which pyarrow looks for with every array and which would take 60 MB."""

    def find_spec(self, name: str, path=None, target=None) -> None:
        if name == "pandas":
            raise ModuleNotFoundError("pandas is not for the store writer")


def main() -> None:
    """Serve over stdin and stdout, whatever signals the server's terminal sends."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(5)
    sys.meta_path.insert(0, _WithoutPandas())
    pyarrow.set_memory_pool(pyarrow.system_memory_pool())
    pyarrow.set_cpu_count(1)
    pyarrow.set_io_thread_count(1)
    folder, days, megabytes, server, again = sys.argv[1:6]
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    inbox: queue.SimpleQueue = queue.SimpleQueue()

    def listen() -> None:
        while (came := message.read(sys.stdin.buffer)) is not None:
            inbox.put(came)
        inbox.put(None)

    threading.Thread(target=listen, name="listener", daemon=True).start()
    places = {name: os.environ[name] for name in (DATABASE_URL, BLOBS)}
    retention = Retention(float(days), int(megabytes))
    StoreWriter(Path(folder), places, int(server), retention, again == "again", inbox, out).serve()


if __name__ == "__main__":
    main()
