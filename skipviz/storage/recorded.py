"""A store whose runs last: in memory while they are live or looked at, and written down by the store writer as they come."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from pathlib import Path

from .folder import is_id, place_of
from .listing import listing_from, listing_of
from .memory import MemoryStore
from .message import Message
from .record import Record, Recorder, run_from
from .retention import Retention
from .run import Run
from .store_client import BLOBS, DATABASE_URL, StoreClient


class RecordedStore(MemoryStore):
    """Keeps runs in `folder`, or in the database at `database_url`; checkpoints at `blobs`, a folder or a URL, or there.

    `on_ready(ids)` is told which runs are to go on by themselves, `on_lost(ids)` which are another server's now, and
    `on_trouble(sentence)` why nothing is being written, or None once it is; all from a thread of the store's, none may ask it.
    """

    def __init__(
        self, folder: Path, total_bytes: int, run_bytes: int, retention: Retention, database_url: str = "", blobs: str = ""
    ) -> None:
        super().__init__(total_bytes, run_bytes)
        self.folder, self.retention = folder.resolve(), retention
        self._blobs = blobs or str(self.folder)
        self._server = secrets.randbits(62) if database_url else 0
        """This server's key among those of its database; 0: it is alone."""
        self._foreign: set[str] = set()
        """Runs in memory that another server owns, or did to their end: they are read here and not written."""
        self._loading = threading.Lock()
        self._recorders: dict[str, Recorder] = {}
        """Used by the store client's sending thread alone, but for what leaves the memory."""
        self.on_ready: Callable[[list[str]], None] = lambda run_ids: None
        self.on_lost: Callable[[list[str]], None] = lambda run_ids: None
        self.on_trouble: Callable[[str | None], None] = lambda sentence: None
        self._store_client = StoreClient(
            [str(self.folder), str(retention.days), str(retention.megabytes), str(self._server)],
            {DATABASE_URL: database_url, BLOBS: self._blobs},
            self._record,
            lambda run_ids: self.on_ready(run_ids),
            self._troubled,
            self._removed,
            self._lost,
            lambda came: self._told(came),
        )

    @property
    def store_writer_pid(self) -> int | None:
        """Process id of the helper that writes."""
        return self._store_client.pid

    @property
    def trouble(self) -> str | None:
        """One sentence on why nothing is being written, or None."""
        return self._store_client.trouble

    def start(self) -> None:
        self._store_client.start()

    def add(self, run: Run) -> None:
        super().add(run)
        self._store_client.note(run.id)

    def hand_on(self, run: Run) -> None:
        self._store_client.hand_on(run.id)

    def find(self, run_id: str) -> Run | None:
        run = self.get(run_id)
        if run is not None or not is_id(run_id):
            return run
        with self._loading:
            return self.get(run_id) or self._load(run_id)

    def append(self, run: Run, payload: bytes, keep: bool = False, passing: bool = False) -> None:
        super().append(run, payload, keep, passing)
        self.note(run)

    def note(self, run: Run) -> None:
        if run.id in self._runs and run.id not in self._foreign:
            self._store_client.note(run.id)

    def rewind(self, run: Run, step: int, events: int) -> None:
        super().rewind(run, step, events)
        self.note(run)

    def listed(self, owner: str) -> list[dict]:
        live = {run.id: listing_of(run) for run in self.runs() if run.owner == owner}
        if self.trouble is None:
            rows = [listing_from(row) for row in self._store_client.ask({"word": "list", "owner": owner}).head["rows"]]
            for row in rows:
                shown = live.setdefault(row["id"], row)
                shown["bytes"] = max(shown["bytes"], row["bytes"])
        return sorted(live.values(), key=lambda row: row["created"], reverse=True)

    def glance(self, run_id: str, most: int) -> tuple[bytes, list[bytes]] | None:
        """Return an experiment as it is now and at most `most` frames of a run on the disk, with what a small picture needs."""
        answer = self._store_client.ask({"word": "glance", "id": run_id, "most": most}) if is_id(run_id) else None
        return None if answer is None or answer.head["row"] is None else (answer.parts[0], answer.parts[1:])

    def used(self) -> int:
        """Return the bytes that all runs on the disk take."""
        return self._store_client.ask({"word": "used"}).head["bytes"]

    def owner_and_state(self, run_id: str) -> tuple[str, str] | None:
        known = super().owner_and_state(run_id)
        if known is not None or not is_id(run_id):
            return known
        row = self._store_client.ask({"word": "about", "id": run_id}).head["row"]
        return None if row is None else (row["owner"], row["state"])

    def rename(self, run_id: str, title: str) -> None:
        run = self.get(run_id)
        if run is None or run_id in self._foreign:
            self._store_client.ask({"word": "rename", "id": run_id, "title": title})
        if run is not None:
            run.title = title
            self.note(run)

    def delete(self, run_id: str) -> None:
        with self._loading:  # else one that is being read just then would be in memory afterwards
            self._store_client.ask({"word": "delete", "id": run_id})
            super().delete(run_id)
            self._forget(run_id)

    def claim(self, run_id: str) -> bool:
        if run_id not in self._foreign:
            return True
        row = self._store_client.ask({"word": "claim", "id": run_id}).head["row"]
        if row is None:
            return False
        run = self.get(run_id)
        if run is not None and (row["edition"], row["ended"]) != (run.edition, run.ended_at):
            self.refresh(run_id)
        self._foreign.discard(run_id)
        return True

    def refresh(self, run_id: str) -> Run | None:
        with self._loading:
            run = self.get(run_id)
            return run if run is not None and run_id not in self._foreign else self._load(run_id)

    def checkpoints(self, run_id: str) -> str | None:
        return place_of(self._blobs, run_id)

    def close(self) -> None:
        self._store_client.close()

    def _load(self, run_id: str) -> Run | None:
        answer = self._store_client.ask({"word": "load", "id": run_id})
        row = answer.head["row"]
        if row is None:
            return None
        experiment, header, *payloads = answer.parts
        frames = [(place, keep, payload) for (place, keep), payload in zip(answer.head["rows"], payloads, strict=True)]
        run = run_from(row, frames, experiment, header)
        self._forget(run_id)
        self._store_client.adopt(run_id, run.edition, run.since(0)[0])
        if row["server"] not in (None, self._server):
            self._foreign.add(run_id)
        super().add(run)
        return run

    def _record(self, run_id: str, place: int, edition: int) -> Record | None:
        run = self._runs.get(run_id)
        if run is None:
            return None
        if run_id not in self._recorders:
            self._recorders[run_id] = Recorder(run)
        return self._recorders[run_id].record(place, edition, self._lock)

    def _forget(self, run_id: str) -> None:
        self._store_client.forget(run_id)
        self._recorders.pop(run_id, None)
        self._foreign.discard(run_id)

    def _troubled(self, sentence: str | None) -> None:
        self.on_trouble(sentence)

    def _told(self, came: Message) -> None:
        """Hear what the store writer says for those stores alone whose database is shared."""

    def _lost(self, run_ids: list[str]) -> None:
        """Write no more of what another server has taken over."""
        self._foreign.update(run_ids)
        self.on_lost(run_ids)

    def _removed(self, run_ids: list[str]) -> None:
        """Forget what went by age or size; what goes on meanwhile is written anew."""
        for run_id in run_ids:
            run = self._runs.get(run_id)
            if run is not None and run.ended:
                super().delete(run_id)
            self._forget(run_id)
            if run is not None and not run.ended:
                self._store_client.note(run_id)

    def _may_go(self, run: Run) -> bool:
        """Spare what is not yet written, unless memory runs far over."""
        if not self._store_client.settled(run.id) and self._bytes < 2 * self._total_bytes:
            return False
        self._forget(run.id)
        return True
