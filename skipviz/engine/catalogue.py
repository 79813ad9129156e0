"""The runs that are kept: found, listed, renamed and deleted, whether they are in memory or on the disk. Imports no torch."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from ..settings import Settings
from ..storage import RecordedStore, Retention, Run, RunStore, StoreError
from ..storage.listing import MOST_LISTED
from ..storage.summary import checked_title
from ..tasks.blobs import Blob
from ..tasks.experiment import Experiment
from .errors import EngineError, unknown


def store_for(settings: Settings) -> RunStore:
    """Return the store that keeps runs as the settings say."""
    retention = Retention(settings.keep_days, settings.keep_mb)
    sizes = settings.store_mb * 2**20, settings.run_store_mb * 2**20
    place = settings.blobs_place()
    if not settings.database_url:
        return RecordedStore(settings.data_dir, *sizes, retention, blobs=place)
    from ..storage.shared import SharedStore

    return SharedStore(settings.data_dir, *sizes, retention, settings.database_url, place)


class RunCatalogue:
    """Speaks for a store in sentences. Every method but `holds` may wait for a disk: none for an event loop or under `lock`."""

    def __init__(self, store: RunStore, lock: threading.RLock, everybodys: str | None = None) -> None:
        """`everybodys` is the owner whose runs every browser lists, renames and deletes as its own; None: there is none."""
        self._store, self._lock, self._everybodys = store, lock, everybodys
        self._leaving: set[str] = set()
        """Runs that are being deleted."""

    @property
    def retention(self) -> str:
        """How long runs are kept, in one sentence for a page."""
        store = self._store
        return store.retention.sentence() if isinstance(store, RecordedStore) else "Runs are kept until the server stops."

    def used(self) -> int | None:
        """Return the bytes that all kept runs take, or None where nothing is kept. Raises `EngineError`."""
        if not isinstance(self._store, RecordedStore):
            return None
        with _refusing():
            return self._store.used()

    def glance(self, run_id: str, most: int) -> tuple[Experiment, list[bytes]] | None:
        """Return a run's experiment as it is now and frames with at least step, loss and weight gradients.

        Of a run on the disk these are at most `most`, and the run is not taken into memory. Raises `EngineError`.
        """
        run = self._store.get(run_id)
        if run is not None:
            return run.experiment, run.frames
        if not isinstance(self._store, RecordedStore):
            return None
        with _refusing():
            found = self._store.glance(run_id, most)
        return None if found is None else (Experiment.kept(found[0]), found[1])

    def runs_of(self, owner: str | None) -> list[dict]:
        """Return an owner's runs, newest first, as `skipviz.storage.listing` describes them. Raises `EngineError`."""
        if not owner:
            return []
        with _refusing():
            own = self._store.listed(owner)
            others = self._store.listed(self._everybodys) if self._everybodys else []
        if not others:
            return own
        return sorted([*own, *others], key=lambda row: row["created"], reverse=True)[:MOST_LISTED]

    def rename(self, run_id: str, owner: str | None, title: str) -> dict:
        """Give a run another title and return `{"ok": True, "title": …}`. Raises `EngineError`."""
        try:
            title = checked_title(title)
        except ValueError as error:
            raise EngineError(str(error), 422) from None
        self.owned(run_id, owner)
        with _refusing():
            self._store.rename(run_id, title)
        return {"ok": True, "title": title}

    def delete(self, run_id: str, owner: str | None) -> dict:
        """Forget an ended run and all that was kept of it. Raises `EngineError`."""
        with _refusing():
            state = self.owned(run_id, owner)
            run = self._store.get(run_id)
            with self._lock:
                if (run is not None and not run.ended) or state in ("queued", "running", "paused"):
                    raise EngineError("this run still goes on: stop it, or the script that trains it, first", 409)
                self._leaving.add(run_id)
            try:
                self._store.delete(run_id)
            finally:
                with self._lock:
                    self._leaving.discard(run_id)
        return {"ok": True}

    def checkpoint(self, run: Run) -> Blob:
        """Return the file of an ended run's last checkpoint, which has its weights; raises `EngineError` where none is kept."""
        if not run.ended:
            raise EngineError("this run still goes on: its weights can be had once it has ended", 409)
        place = self._store.checkpoints(run.id)
        if place is None or run.checkpoint_file is None:
            raise EngineError("the weights of this run are not kept", 409)
        return Blob(place, run.checkpoint_file)

    def holds(self, run: Run) -> bool:
        """Return whether a run that was found is still kept, and not being deleted; to be asked under `lock`."""
        return run.id not in self._leaving and self._store.get(run.id) is run

    def look_up(self, run_id: str) -> Run:
        """Return a run, which may come from the disk; raises `EngineError` where it is not kept or cannot be read."""
        with _refusing():
            run = self._store.find(run_id)
        if run is None:
            raise unknown()
        return run

    def claim(self, run_id: str) -> Run:
        """Return an ended run as this server's own, which may go on here; raises `EngineError` where it goes on at another."""
        with _refusing():
            if not self._store.claim(run_id):
                raise EngineError("this run goes on already", 409)
        self._store.look()
        return self.look_up(run_id)

    def refresh(self, run_id: str) -> Run:
        """Return a run as another server wrote it last; raises `EngineError` where it is not kept or cannot be read."""
        with _refusing():
            run = self._store.refresh(run_id)
        if run is None:
            raise unknown()
        return run

    def owned(self, run_id: str, owner: str | None) -> str:
        """Return the state of a run that is `owner`'s; raises `EngineError` for every other."""
        with _refusing():
            found = self._store.owner_and_state(run_id)
        if found is None:
            raise unknown()
        own = owner and secrets.compare_digest(found[0].encode(), owner.encode())
        if not own and (not owner or found[0] != self._everybodys):
            raise EngineError("only the browser that started this run may change it", 403)
        return found[1]


@contextmanager
def _refusing() -> Iterator[None]:
    """Turn a store's problem into a refusal."""
    try:
        yield
    except StoreError as error:
        raise EngineError(str(error), 503) from None
