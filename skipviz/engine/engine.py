"""The engine: takes experiments, runs them in worker processes, keeps what they show. Imports no torch, no streamlit.

It serves any thread. One thread of its own reads the workers; one lock guards every change to a run.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import json
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from ..network.base import NetworkError, Tagged
from ..settings import Settings, get_settings
from ..storage import STATES, Run, RunStore, StoreError
from ..storage.summary import title_of
from ..tasks.event import Control, Event, applied, message_from
from ..tasks.experiment import Experiment
from ..tasks.uploads import Uploads
from . import budget, devices, limits, room
from .dispatch import PERIOD, Dispatch, Hands
from .errors import EngineError, unknown
from .figures import Figures
from .keeping import STOPPED, Keeping, store_for
from .launcher import Child, Launcher
from .probing import Probing
from .starts import Starts

STOPPING_SECONDS = 2.0
"""How long a worker may take to finish the step it is in when its run is stopped."""


class Engine(Keeping):
    """Executes runs. `start` it before use; `close` ends every process it started."""

    def __init__(self, settings: Settings | None = None, store: RunStore | None = None) -> None:
        self.settings = settings or get_settings()
        self._store = store or store_for(self.settings)
        self.uploads = Uploads(self.settings.data_dir.resolve() / "uploads", self.settings.upload_mb, self.settings.upload_hours)
        self._lock = threading.RLock()
        hands = Hands(self._begin, self._send, self._change, self._tell, self._abandon, self._pid)
        self._dispatch = Dispatch(lambda: self.settings, hands)
        self._starts = Starts()
        self._workers: dict[str, Child] = {}
        self._pending: dict[str, list[dict]] = {}
        """Per run that has no header yet: the request and what was posted since, to begin with and to begin again."""
        self._listeners: dict[object, Callable[[str], None]] = {}
        self._counted = Figures()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False
        self._awaited: set[str] = set()
        """Runs whose checkpoint a stopping server waits for."""
        self._all_safe = threading.Event()
        self._store.on_ready, self._store.on_trouble = self._restart, self._note_trouble

    def start(self) -> Engine:
        """Start the engine's thread and its helper processes, which warm up in the background; once is enough."""
        with self._starting:
            if self._thread is None and not self._closed:
                begun = threading.Event()
                self._thread = threading.Thread(target=self._serve, args=(begun,), name="skipviz-engine", daemon=True)
                self._thread.start()
                begun.wait()
                self._store.start()
        return self

    def close(self) -> None:
        """Let every run make a checkpoint from which it goes on when the server is back, and end every process.

        The engine is of no use afterwards.
        """
        with self._starting:
            if self._closed:
                return
            self._closed = True
        if self._thread is None:
            return
        self._checkpoint_all()
        with self._lock:
            for run in self._store.runs():
                if not run.ended:
                    run.restart, run.paused = bool(run.owner), run.paused and not self._dispatch.rests(run.id)
                    self._change(run, "interrupted", STOPPED)
        self._probing.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)
        self._store.close()

    def wait_until_warm(self, timeout: float) -> bool:
        """Wait until workers start at once and return whether they do; True at once where nothing warms up."""
        if not self.settings.forks():
            return True
        future = asyncio.run_coroutine_threadsafe(asyncio.wait_for(self._launcher.ready.wait(), timeout), self._loop)
        try:
            return future.result()
        except TimeoutError:
            return False

    @property
    def warm(self) -> bool:
        """Whether workers start at once."""
        return not self.settings.forks() or self._launcher.ready.is_set()

    @property
    def nursery_pid(self) -> int | None:
        """Process id of the helper that forks workers."""
        return self._launcher.nursery_pid

    def submit(
        self,
        experiment: Experiment,
        owner: str | None,
        speed: float | None = None,
        ghost: bool = False,
        paused: bool = False,
        events: Iterable[Event] = (),
        address: str | None = None,
        house: bool = False,
    ) -> str:
        """Run `experiment`, at once or when its turn comes, and return the run's id.

        `owner` is the identity that may control it (None: nobody); `speed` is in steps a second (None: as fast as it
        goes); `events` act before the steps they name; `address` is the visitor's, by which starts are counted;
        a `house` run is the server's own: it never waits and goes on unwatched. Raises `EngineError` when the experiment
        is too big, asks for a device that is not there, too many wait, or too many were started.
        """
        device = devices.resolve(experiment, self.settings.cuda)
        if device is None:
            raise EngineError("this machine has no CUDA device that a run may take: choose cpu or auto")
        self._check_size(experiment, device)
        run = Run(secrets.token_urlsafe(12), owner or "", experiment, speed=speed, ghost=ghost, paused=paused)
        run.title, run.began, run.unsaved = title_of(experiment), experiment, self._unsaved()
        events = tuple(events)
        run.waiting = [event.model_dump(mode="json", exclude_none=True) for event in events]
        try:
            for event in events:
                run.experiment = applied(run.experiment, event)
        except NetworkError as error:
            raise EngineError(str(error)) from None
        with self._lock:
            if self._closed or self._thread is None:
                raise EngineError("the server is stopping", 503)
            if not house:
                self._check_admission(run.owner, address)
            self._pending[run.id] = [self._request(run, device)]
            self._dispatch.enter(run, self._needed_mb(experiment, device), house)
            self._store.add(run)
        self._loop.call_soon_threadsafe(self._admit)
        return run.id

    def _check_size(self, experiment: Experiment, device: str) -> None:
        refusal = budget.refusal(experiment, self.settings) or limits.refusal(experiment, self._run_memory_mb())
        if refusal:
            raise EngineError(refusal, 413)
        short = room.refusal(self._needed_mb(experiment, device))
        if short:
            raise EngineError(short, 503)
        if not self.has_data(experiment):
            raise EngineError(experiment.task.own.wanted(), 409)

    def _run_memory_mb(self) -> int:
        return min(self.settings.run_memory_mb, self.settings.total_memory_mb)

    def _check_admission(self, owner: str, address: str | None) -> None:
        settings = self.settings
        busy = self._dispatch.refusal(owner)
        if busy:
            raise EngineError(busy, 503)
        often = self._starts.refusal(address, owner, settings.starts_per_minute, settings.browser_starts_per_minute)
        if often:
            raise EngineError(often, 429)

    def _needed_mb(self, experiment: Experiment, device: str) -> float:
        forked = self.settings.forks() and device == "cpu"
        return limits.memory_mb(experiment) + (0 if forked else budget.FRESH_MB)

    def post(self, run_id: str, owner: str | None, message) -> dict:
        """Pass an event or control (or its JSON data) to a run and return `{"ok": True, "step": …}`.

        Raises `EngineError`: unknown run, not the owner, an ended run, or a message that does not fit the run.
        """
        run = self.run(run_id)
        if run is None:
            raise unknown()
        if not owner or not secrets.compare_digest(run.owner.encode(), owner.encode()):
            raise EngineError("only the browser that started this run may control it", 403)
        try:
            message = message if isinstance(message, Tagged) else message_from(message)
            with self._lock:
                return self._post(run, message)
        except NetworkError as error:
            raise EngineError(str(error)) from None

    def run(self, run_id: str) -> Run | None:
        """Return a run, or None where it is not, or no longer, kept; one that ended a while ago comes from the disk."""
        try:
            return self._store.find(run_id)
        except StoreError:
            return None

    def kept(self, run_id: str) -> Run | None:
        """Return a run that is in memory, at once, or None."""
        return self._store.get(run_id)

    def probe(self, experiment: Experiment, timeout: float = 1.0) -> dict | None:
        """Return `{"header": …, "frame": …}` measured at initialisation with ghost and picture.

        None if it is not there within `timeout` seconds (it may be the next time) or the network is too big.
        """
        if self._closed or self._thread is None or not self.has_data(experiment):
            return None
        return self._probing.ask(experiment, timeout)

    def figures(self) -> dict[str, Any]:
        """Return how the engine does, cheaply: runs by state, the line, frames, steps a second, the workers' memory in MB."""
        states = Counter(run.state for run in self._store.runs())
        pids = [child.pid for child in list(self._workers.values()) if child.pid]
        return {
            "runs": {state: states[state] for state in STATES},
            "queue_length": len(self._dispatch),
            "workers": len(pids),
            "worker_memory_mb": self._counted.worker_memory_mb(pids),
            **self._counted.told(),
        }

    def sent(self, frames: int) -> None:
        """Count frames that went to a viewer."""
        self._counted.sent(frames)

    def has_data(self, experiment: Experiment) -> bool:
        """Return whether the experiment's data is here: one's own may be on another server, or no longer kept."""
        own = experiment.task.own
        return own is None or self.uploads.has(own.digest)

    def subscribe(self, listener: Callable[[str], None]) -> Callable[[], None]:
        """Call `listener(run_id)`, quickly and from the engine's thread, after every change; returns the way to end that."""
        key = object()
        with self._lock:
            self._listeners = {**self._listeners, key: listener}
        return lambda: self._unsubscribe(key)

    def _post(self, run: Run, message: Event | Control) -> dict:
        if run.ended:
            if isinstance(message, Control) and message.kind == "stop":
                return {"ok": True, "step": run.step}
            raise EngineError(f"this run has ended ({run.state})", 409)
        if isinstance(message, Control):
            self._note(run, message)
            heard = not run.ended and self._dispatch.passes(run, message)
            self._loop.call_soon_threadsafe(self._admit)
            if not heard:
                return {"ok": True, "step": run.step}
        else:
            run.experiment = applied(run.experiment, message)
        data = message.model_dump(mode="json", exclude_none=True)
        if not isinstance(message, Control):
            run.waiting.append(data)
        self._store.note(run)
        if run.id in self._pending:
            self._pending[run.id].append(data)
        if run.id in self._workers:
            self._loop.call_soon_threadsafe(self._send, run, data)
        return {"ok": True, "step": run.step}

    def _note(self, run: Run, control: Control) -> None:
        """Keep what a control sets, for viewers and for a run that has no worker yet."""
        if control.kind == "speed":
            run.speed = control.steps_per_second
        elif control.kind == "ghost":
            run.ghost = control.ghost
        elif control.kind in ("pause", "resume"):
            run.paused = control.kind == "pause"
        elif control.kind == "step":
            run.paused = True
        elif run.state == "queued" and run.id not in self._workers:
            self._change(run, "stopped")

    def _serve(self, begun: threading.Event) -> None:
        """Run the engine's loop; this is its thread."""
        self._loop = asyncio.new_event_loop()

        async def begin() -> None:
            self._launcher = Launcher(self.settings.forks())
            bounds = self.settings.probe_seconds, self.settings.run_memory_mb
            self._probing = Probing(self._launcher, self._loop, *bounds, str(self.uploads.folder))
            self._launcher.start()
            self._probing.start()
            self._look()
            begun.set()

        self._loop.create_task(begin())
        try:
            self._loop.run_forever()
        finally:
            self._loop.run_until_complete(self._launcher.close())
            self._loop.close()

    def _admit(self) -> None:
        """Start runs while there is room, and tell those in line their place."""
        with self._lock:
            if not self._closed:
                self._dispatch.admit()

    def _look(self) -> None:
        """Look at every run under way, again and again."""
        with self._lock:
            if not self._closed:
                self._dispatch.tick()
        self._loop.call_later(PERIOD, self._look)

    def watch(self, run_id: str) -> Callable[[], None]:
        """Count one viewer of a run, which goes on if it rested for want of one; returns the way to end that."""
        self._watched(run_id, 1)
        return lambda: self._watched(run_id, -1)

    def seen(self, run_id: str) -> None:
        """Note that somebody looks at a run without a stream; said again within the setting's time, the run goes on."""
        self._watched(run_id, 0)

    def _watched(self, run_id: str, viewers: int) -> None:
        with self._lock:
            rested = self._dispatch.watch(run_id, viewers)
        if rested:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._wake, run_id)

    def _wake(self, run_id: str) -> None:
        with self._lock:
            self._dispatch.wake(run_id)

    def _begin(self, run: Run, again: bool = False) -> None:
        request, *messages = self._pending[run.id]
        request = {**request, "speed": run.speed, "ghost": run.ghost, "paused": run.paused}
        child = self._launcher.launch(
            "worker",
            lambda word, rest: self._hear(run, word, rest),
            lambda reason: self._lost(run, reason, again),
            cuda=request["device"] == "cuda",
        )
        self._workers[run.id] = child
        for data in (request, *messages):
            child.send(data)
        run.ahead = run.wait = None
        if not again and not request["resume"]:
            self._counted.waited(time.time() - run.created)
        self._change(run, "paused" if run.paused else "running")

    def _send(self, run: Run, data: dict) -> None:
        child = self._workers.get(run.id)
        if child is None:
            return
        self._dispatch.asked(run, data)
        child.send(data)
        if data["kind"] == "stop":
            self._loop.call_later(STOPPING_SECONDS, self._insist, run)

    def _insist(self, run: Run) -> None:
        """End a worker that did not stop on its own."""
        with self._lock:
            if not run.ended:
                self._end(run, "stopped", None)
                child = self._workers.pop(run.id, None)
                if child is not None:
                    child.kill()
                self._admit()

    def _abandon(self, run: Run, reason: str) -> None:
        """End a worker that does not come back."""
        self._end(run, "failed", reason)
        child = self._workers.pop(run.id, None)
        if child is not None:
            child.kill()

    def _pid(self, run: Run) -> int | None:
        child = self._workers.get(run.id)
        return None if child is None else child.pid

    def _hear(self, run: Run, word: bytes, rest: bytes) -> None:
        """Take one line from a run's worker."""
        with self._lock:
            if run.ended:
                return
            self._dispatch.heard(run)
            if word == b"frame":
                _, kind, payload = rest.split(b" ", 2)
                self._counted.frames_received += 1
                self._store.append(run, payload, keep=kind == b"1", passing=kind == b"2")
            elif word == b"at":
                self._counted.stepped(int(rest) - run.step)
                run.step = int(rest)
            elif word == b"event":
                self._note_acted(run, json.loads(rest))
                return
            elif word == b"resumed":
                step, events = json.loads(rest)
                run.checkpoint = step or None
                self._store.rewind(run, step, events)
            elif word == b"checkpoint":
                run.checkpoint = json.loads(rest)
                self._note_safe(run.id)
                self._store.note(run)
                return
            elif word == b"state":
                self._set_state(run, json.loads(rest))
            elif word == b"header":
                run.header_json = rest
                self._pending.pop(run.id, None)
                return
            elif word == b"diverged":
                run.diverged = json.loads(rest)
                run.mark()
            elif word == b"end":
                self._end(run, *json.loads(rest))
                self._workers.pop(run.id, None)
                self._admit()
                return
        self._tell(run)

    def _set_state(self, run: Run, state: str) -> None:
        reason = self._dispatch.changed(run, state)
        if run.state == "queued":
            return
        if (state, reason) != (run.state, run.reason):
            run.state, run.reason = state, reason
            run.mark()
        if state == "paused":
            self._loop.call_soon(self._admit)

    def _lost(self, run: Run, reason: str, again: bool) -> None:
        """Take the end of a worker's process."""
        with self._lock:
            child = self._workers.pop(run.id, None)
            if run.ended or child is None:
                return
            if not child.heard and not again and not self._closed:
                self._loop.call_later(0.5, self._begin_again, run)
                return
            self._end(run, "failed", reason)
            self._admit()

    def _begin_again(self, run: Run) -> None:
        """Start a worker for a run whose first one never said a word, as when the nursery died before forking it."""
        with self._lock:
            if not run.ended and not self._closed:
                self._begin(run, again=True)

    def _end(self, run: Run, state: str, reason: str | None) -> None:
        self._pending.pop(run.id, None)
        self._change(run, state, reason or (run.reason if state == "stopped" else None))

    def _change(self, run: Run, state: str, reason: str | None = None) -> None:
        run.state, run.reason = state, reason
        run.mark()
        if run.ended:
            run.ahead = run.wait = None
            run.ended_at = time.time()
            self._pending.pop(run.id, None)
            self._dispatch.leave(run)
            self._note_safe(run.id)
        self._tell(run)

    def _tell(self, run: Run) -> None:
        self._store.note(run)
        for listener in self._listeners.values():
            listener(run.id)

    def _unsubscribe(self, key: object) -> None:
        with self._lock:
            self._listeners = {other: listener for other, listener in self._listeners.items() if other is not key}


_engine: Engine | None = None
_engine_lock = threading.Lock()


def get_engine() -> Engine:
    """Return the process's engine, started on first use and closed with the process."""
    global _engine
    with _engine_lock:
        if _engine is None or _engine._closed:
            _engine = Engine()
            atexit.register(_engine.close)
        return _engine.start()
