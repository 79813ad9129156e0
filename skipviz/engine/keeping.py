"""The engine's part that concerns runs that last: a browser's own runs, going on after an interruption, an orderly stop."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ..storage import RecordedStore, Retention, Run, RunStore, StoreError
from ..storage.summary import checked_title
from ..tasks.experiment import Experiment
from . import devices
from .errors import EngineError, unknown

LAST_CHECKPOINT_SECONDS = 5.0
"""How long a server that is told to stop waits for its workers' checkpoints."""
GO_ON_WITHIN = 24 * 3600.0
"""Seconds after a server's stop within which its runs go on by themselves when it is back; later a person decides."""
STOPPED = "the server was restarted; the run goes on by itself"


def store_for(settings) -> RunStore:
    """Return the store that keeps runs as the settings say."""
    retention = Retention(settings.keep_days, settings.keep_mb)
    return RecordedStore(settings.data_dir, settings.store_mb * 2**20, settings.run_store_mb * 2**20, retention)


class Keeping:
    """Mixed into the engine. Every method may wait for a disk, so none is for an event loop or under the engine's lock."""

    @property
    def retention(self) -> str:
        """How long runs are kept, in one sentence for a page."""
        store = self._store
        return store.retention.sentence() if isinstance(store, RecordedStore) else "Runs are kept until the server stops."

    def used(self) -> int | None:
        """Return the bytes that all kept runs take, or None where nothing is kept. Raises `EngineError`."""
        if not isinstance(self._store, RecordedStore):
            return None
        with _told():
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
        with _told():
            found = self._store.glance(run_id, most)
        return None if found is None else (Experiment.model_validate_json(found[0]), found[1])

    def runs_of(self, owner: str | None) -> list[dict]:
        """Return an owner's runs, newest first, as `skipviz.storage.listing` describes them. Raises `EngineError`."""
        if not owner:
            return []
        with _told():
            return self._store.listed(owner)

    def rename(self, run_id: str, owner: str | None, title: str) -> dict:
        """Give a run another title and return `{"ok": True, "title": …}`. Raises `EngineError`."""
        try:
            title = checked_title(title)
        except ValueError as error:
            raise EngineError(str(error), 422) from None
        self._owned(run_id, owner)
        with _told():
            self._store.rename(run_id, title)
        return {"ok": True, "title": title}

    def delete(self, run_id: str, owner: str | None) -> dict:
        """Forget an ended run and all that was kept of it. Raises `EngineError`."""
        with _told():
            state = self._owned(run_id, owner)
            run = self._store.get(run_id)
            with self._lock:
                if (run is not None and not run.ended) or state in ("queued", "running", "paused"):
                    raise EngineError("this run still goes on: stop it first", 409)
            self._store.delete(run_id)
        return {"ok": True}

    def look_up(self, run_id: str) -> Run:
        """Return a run, which may come from the disk; raises `EngineError` where it is not kept or cannot be read."""
        with _told():
            run = self._store.find(run_id)
        if run is None:
            raise unknown()
        return run

    def resume(self, run_id: str, owner: str | None, address: str | None = None) -> dict:
        """Let an interrupted, failed or stopped run go on from its last checkpoint; return `{"ok": True, "step": …}`.

        It counts as a start of a run, and waits in line like one.

        Raises `EngineError`; 409 for a run that goes on already or has nothing to go on from.
        """
        self._owned(run_id, owner)
        run = self.look_up(run_id)
        with self._lock:
            if not run.ended:
                raise EngineError("this run goes on already", 409)
            if not run.resumable:
                raise EngineError(f"this run has ended ({run.state}): there is nothing to go on from", 409)
            self._check_admission(run.owner, address)
            self._go_on(run, paused=False)
        return {"ok": True, "step": run.checkpoint or 0}

    def _owned(self, run_id: str, owner: str | None) -> str:
        """Return the state of a run that is `owner`'s; raises `EngineError` for every other."""
        with _told():
            found = self._store.owner_and_state(run_id)
        if found is None:
            raise unknown()
        if not owner or not secrets.compare_digest(found[0].encode(), owner.encode()):
            raise EngineError("only the browser that started this run may change it", 403)
        return found[1]

    def _go_on(self, run: Run, paused: bool) -> None:
        """Put an ended run in line again; what it had recorded beyond its checkpoint is taken back when its worker is there."""
        if self._closed or self._thread is None:
            raise EngineError("the server is stopping", 503)
        began = run.began or run.experiment
        device = devices.resolve(began, self.settings.cuda)
        if device is None:
            raise EngineError("this machine has no CUDA device that a run may take, and this run needs one", 409)
        self._check_size(began, device)
        run.paused, run.restart, run.ended_at = paused, False, None
        self._pending[run.id] = [self._request(run, device, going_on=True)]
        self._store.add(run)
        self._change(run, "queued")
        self._dispatch.enter(run, self._needed_mb(began, device))
        self._loop.call_soon_threadsafe(self._admit)

    def _request(self, run: Run, device: str, going_on: bool = False) -> dict:
        """Return the first message to a run's worker."""
        request = {
            "experiment": (run.began or run.experiment).model_dump(mode="json", exclude_defaults=True),
            "device": device,
            "memory_mb": self._run_memory_mb(),
            "uploads": str(self.uploads.folder),
            "events": [*run.events, *({**event, "step": event.get("step", run.step)} for event in run.waiting)],
        }
        folder = self._store.checkpoints(run.id)
        kept = {"folder": None if folder is None else str(folder), "seconds": self.settings.checkpoint_seconds}
        return {**request, "checkpoints": kept, "resume": [run.checkpoint] if going_on else None}

    def _note_acted(self, run: Run, event: dict) -> None:
        """Keep an event that acted, which waits no longer."""
        run.events.append(event)
        acted = {**event, "step": None}
        for index, waiting in enumerate(run.waiting):
            if {**waiting, "step": None} == acted:
                del run.waiting[index]
                return

    def _restart(self, run_ids: list[str]) -> None:
        """Let runs go on that an orderly stop interrupted; called by the store, so the waiting is done elsewhere."""

        def go_on() -> None:
            for run_id in run_ids:
                try:
                    run = self._store.find(run_id)
                except StoreError:
                    continue
                with self._lock:
                    if run is not None and run.restart and run.state == "interrupted":
                        self._restart_one(run)

        threading.Thread(target=go_on, name="skipviz-restart", daemon=True).start()

    def _restart_one(self, run: Run) -> None:
        try:
            if time.time() - (run.ended_at or 0) > GO_ON_WITHIN:
                raise EngineError("the server was away for more than a day")
            self._go_on(run, paused=run.paused)
        except EngineError as error:
            run.restart = False
            self._change(run, "interrupted", str(error))

    def _note_trouble(self, sentence: str | None) -> None:
        """Say on every live run's page that it is not being saved, or no longer so."""
        with self._lock:
            words = self._unsaved()
            for run in self._store.runs():
                if not run.ended or run.unsaved:
                    run.unsaved = words
                    run.mark()
                    self._tell(run)

    def _unsaved(self) -> str | None:
        """Return what a live run's page says while nothing is written, or None."""
        return None if self._store.trouble is None else f"not being saved: {self._store.trouble}"

    def _checkpoint_all(self) -> None:
        """Ask every worker for a checkpoint and wait a bounded time for all of them."""
        with self._lock:
            self._awaited = {run_id for run_id in self._workers if self._store.checkpoints(run_id) is not None}
            self._all_safe.clear()
            waits = bool(self._awaited)
            for run_id in self._awaited:
                self._loop.call_soon_threadsafe(self._workers[run_id].send, {"kind": "checkpoint"})
        if waits:
            self._all_safe.wait(LAST_CHECKPOINT_SECONDS)

    def _note_safe(self, run_id: str) -> None:
        """Hear that a run has its checkpoint, or has ended."""
        self._awaited.discard(run_id)
        if not self._awaited:
            self._all_safe.set()


@contextmanager
def _told() -> Iterator[None]:
    """Turn a store's problem into a refusal."""
    try:
        yield
    except StoreError as error:
        raise EngineError(str(error), 503) from None
