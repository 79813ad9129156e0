"""Runs of the other servers of a database: shown here as those write them, and told what is done to them here. Imports no torch."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import reduce

from ..network.base import NetworkError, Tagged
from ..storage import Run, StoreError
from ..storage.message import Message
from ..storage.shared import SharedStore
from ..tasks.event import Control, Event, applied, message_from
from .actions import Actions
from .capacity.elsewhere import Elsewhere
from .catalogue import RunCatalogue
from .controls import check_owner
from .errors import EngineError
from .run_events import RunEvents
from .scheduler import Scheduler

UNWATCHED_SECONDS = 60.0
"""For which a live run of another server is followed that nobody looks at."""
SEEN_SECONDS = 5.0
"""Between two words to a run's server that somebody looks at it here: a fraction of the time after which an unwatched run rests."""
MOST_LOOKED = 5000
"""Runs of other servers of which it is remembered when they were looked at."""
OBEYING = 8
"""Commands of other servers that are done at the same time: those for runs that are told to stop wait for that."""
GOES_ON_WITHIN = 5.0
"""Seconds for which a command waits for a run to go on that was just taken over."""


class Others(Actions):
    """Shows runs of other servers, has them do what is done to these here, and does what they ask of this one's.

    Any thread may use it, no event loop: what is done to a run of another server waits for that one's answer.
    """

    def __init__(
        self,
        own: Actions,
        lock: threading.RLock,
        store: SharedStore,
        run_events: RunEvents,
        scheduler: Scheduler,
        catalogue: RunCatalogue,
        looked_at: Callable[[str], None],
    ) -> None:
        """`own` does what is done to this server's runs; `looked_at(run_id)` hears of one that somebody looks at elsewhere."""
        self._own, self._lock, self._store, self._run_events = own, lock, store, run_events
        self._scheduler, self._catalogue = scheduler, catalogue
        self._looked: dict[str, float] = {}
        self._told: dict[str, float] = {}
        """When a run of another server was looked at here last, and when its server heard of it."""
        self._obeying = ThreadPoolExecutor(OBEYING, "skipviz-others")
        store.on_away = self._stand
        store.on_news, store.on_changed, store.on_command = self._hear, self._changed, self._command
        store.on_others = self._take_others
        store.on_seen = lambda run_ids: [looked_at(run_id) for run_id in run_ids]

    def post(self, run_id: str, owner: str | None, message) -> dict:
        run = self._found(run_id, owner)
        if not self._store.is_elsewhere(run_id):
            return self._here(self._own.post, run_id, owner, message)
        try:
            message = message if isinstance(message, Tagged) else message_from(message)
        except NetworkError as error:
            raise EngineError(str(error)) from None
        answer, edits = self._send(run_id, "post", owner=owner, message=message.model_dump(mode="json", exclude_none=True))
        with self._lock, contextlib.suppress(NetworkError):  # another edit has come first: its news comes too
            if not isinstance(message, Control):
                self._store.posted(run_id, applied(run.experiment, message), edits)
        return answer

    def _here(self, operation: Callable, *given, **named):
        """Do it to a run of this server, and say so once it is in the database: whoever takes the run over has it too."""
        done = operation(*given, **named)
        self._store.settle()
        return done

    def lead(self, run_id: str, owner: str | None, events: Iterable[Event], lab: str, since: int, version: int) -> None:
        run, events = self._found(run_id, owner), [*events]
        if not self._store.is_elsewhere(run_id):
            self._here(self._own.lead, run_id, owner, events, lab, since, version)
            return
        data = [event.model_dump(mode="json", exclude_none=True) for event in events]
        _, edits = self._send(run_id, "lead", owner=owner, events=data, lab=lab, since=since, version=version)
        with self._lock, contextlib.suppress(NetworkError):  # another edit has come first: its news comes too
            self._store.posted(run_id, reduce(applied, events, run.experiment), edits)

    def label(self, run_id: str, owner: str | None, labels: dict[str, str]) -> None:
        run = self._found(run_id, owner)
        if labels == run.experiment.labels:
            return
        if not self._store.is_elsewhere(run_id):
            self._here(self._own.label, run_id, owner, labels)
        else:
            _, edits = self._send(run_id, "label", owner=owner, labels=labels)
            with self._lock:
                self._store.posted(run_id, run.experiment.labelled(labels), edits)

    def resume(self, run_id: str, owner: str | None, address: str | None = None) -> dict:
        if not self._is_elsewhere(self._catalogue.look_up(run_id)):
            return self._here(self._own.resume, run_id, owner, address)
        self._catalogue.owned(run_id, owner)
        return self._send(run_id, "resume", owner=owner, address=address)[0]

    def extend(self, run_id: str, owner: str | None, events: Iterable[Event], address: str | None = None) -> dict:
        return self._here(self._own.extend, run_id, owner, events, address)  # an ended run goes on wherever it is asked to

    def rename(self, run_id: str, owner: str | None, title: str) -> dict:
        if not self._is_elsewhere(self._catalogue.look_up(run_id)):
            return self._own.rename(run_id, owner, title)
        self._catalogue.owned(run_id, owner)
        return self._send(run_id, "rename", owner=owner, title=title)[0]

    def _found(self, run_id: str, owner: str | None) -> Run:
        """Return a run that `owner` may change, one that has ended as this server's own."""
        run = self._catalogue.look_up(run_id)
        if self._store.is_elsewhere(run_id):
            check_owner(run, owner)
            if run.ended and not run.restart:
                try:
                    run = self._catalogue.claim(run_id)
                except EngineError as error:
                    if error.status != 409:  # else it goes on there again, which is not yet known here
                        raise
        return run

    def _is_elsewhere(self, run: Run) -> bool:
        """Return whether a run goes on at another server; one that has ended becomes this one's where something is done to it."""
        return self._store.is_elsewhere(run.id) and not run.ended

    def _send(self, run_id: str, operation: str, **given) -> tuple[dict, int]:
        """Have a run's server do something; return what that gives there, and the version of the run's edits then.

        Raises `EngineError` as there.
        """
        try:
            answer = self._store.command(run_id, {"op": operation, **given})
        except StoreError as error:
            raise EngineError(str(error), 503) from None
        if "error" in answer:
            raise EngineError(answer["error"], answer["status"])
        return answer["done"], answer["edits"]

    def close(self) -> None:
        """Do nothing more for others."""
        self._obeying.shutdown(wait=False, cancel_futures=True)

    def seen(self, run_id: str) -> None:
        """Note that somebody looks at a run."""
        if self._store.is_elsewhere(run_id):
            now = self._looked[run_id] = time.monotonic()
            if len(self._looked) > MOST_LOOKED:
                self._looked, self._told = {}, {}  # all are looked at anew
            if now - self._told.get(run_id, -SEEN_SECONDS) >= SEEN_SECONDS:
                self._told[run_id] = now
                self._store.tell_seen(run_id)

    def _take_others(self, waiting: list, under_way: list) -> None:
        self._scheduler.elsewhere = Elsewhere(waiting, under_way)

    def _hear(self, came: Message) -> None:
        """Take what is new of a run."""
        run_id = came.head["id"]
        with self._lock:
            if self._scheduler.watchers(run_id):
                self.seen(run_id)
            elif time.monotonic() - self._looked.setdefault(run_id, time.monotonic()) > UNWATCHED_SECONDS:
                self._let_go(run_id)
            if self._store.take_news(came):
                self._run_events.tell(self._store.get(run_id))

    def _stand(self, problem: str | None) -> None:
        """Say on the page of every run of another server that it stands still here, or no longer so."""
        words = None if problem is None else f"trained by another server and stands still here: {problem}"
        with self._lock:
            for run in self._store.mirrored():
                if run.unsaved != words and (run.unsaved or not run.ended):
                    run.unsaved = words
                    self._run_events.tell(run)

    def _changed(self, run_ids: list[str]) -> None:
        """Read again what another server took, renamed or removed; called by the store, so the waiting is done elsewhere."""

        def reread() -> None:
            for run in known:
                with contextlib.suppress(StoreError):
                    self._store.reread(run.id)
                with self._lock:
                    self._run_events.tell(run)

        if known := [run for run_id in run_ids if (run := self._store.get(run_id)) is not None]:
            threading.Thread(target=reread, name="skipviz-others", daemon=True).start()

    def _let_go(self, run_id: str) -> None:
        self._store.let_go(run_id)
        self._looked.pop(run_id, None)
        self._told.pop(run_id, None)

    def _command(self, run_id: str, body: dict, answer: Callable[[dict], None]) -> None:
        """Do what another server wants; called by the store, so the waiting is done elsewhere."""

        def obey() -> None:
            try:
                self._wait_until_it_goes_on(run_id)
                self._catalogue.refresh(run_id)  # it may be shown as it was before it became this server's
                answer(self._obey(run_id, **body))
            except EngineError as error:
                answer({"error": str(error), "status": error.status})
            except StoreError as error:
                answer({"error": str(error), "status": 503})
            except Exception:
                answer({"error": "the server that trains this run could not do that", "status": 500})
                raise

        with contextlib.suppress(RuntimeError):  # it closes: whoever takes the run over does it
            self._obeying.submit(obey)

    def _obey(self, run_id: str, op: str, **given) -> dict:
        own = self._own
        if op == "lead":
            given["events"] = [message_from(event) for event in given["events"]]
        operation = {"post": own.post, "lead": own.lead, "label": own.label, "resume": own.resume, "rename": own.rename}[op]
        done = self._here(operation, run_id, **given)
        run = self._store.get(run_id)
        return {"done": done or {}, "edits": 0 if run is None else run.edits}

    def _wait_until_it_goes_on(self, run_id: str) -> None:
        end = time.monotonic() + GOES_ON_WITHIN
        while time.monotonic() < end:
            run = self._store.find(run_id)
            if run is None or not run.restart:
                return
            time.sleep(0.05)
