"""The engine: takes experiments, runs them in worker processes, keeps what they show. Imports no torch, no streamlit.

It serves any thread. One thread of its own reads the workers; one lock guards every change to a run.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from ..network.base import NetworkError
from ..settings import Settings, get_settings
from ..storage import STATES, Run, RunStore, StoreError
from ..storage.run import GUEST
from ..storage.summary import MAX_TITLE, title_of
from ..tasks.blobs import Blob
from ..tasks.event import Event, applied
from ..tasks.experiment import Experiment
from ..tasks.uploads import Uploads
from ..watch.opened import spec
from .actions import Actions
from .catalogue import RunCatalogue, store_for
from .controls import Controls
from .errors import EngineError
from .figures import Figures
from .guests import Guests
from .jobs import Jobs
from .nodes import Nodes
from .processes.initialisation_client import InitialisationClient
from .processes.launcher import Launcher
from .resumption import STOPPED, Resumption
from .run_events import RunEvents
from .scheduler import PERIOD, Callbacks, Scheduler
from .submission_checks import SubmissionChecks
from .worker_messages import WorkerMessages
from .workers import Workers

if TYPE_CHECKING:
    from ..storage.shared import SharedStore


class Engine:
    """Executes runs. `start` it before use; `close` ends every process it started.

    For no event loop, since they may wait: `submit`, `resume`, `run`, `look_up`, `glance`, `used`, `runs_of`, `rename`, `delete`.
    """

    def __init__(self, settings: Settings | None = None, store: RunStore | None = None) -> None:
        self.settings = settings or get_settings()
        self._store = store or store_for(self.settings)
        self.uploads = Uploads(self.settings.uploads_place(), self.settings.upload_mb, self.settings.upload_hours)
        self._lock = lock = threading.RLock()
        self._counted = counted = Figures()
        self._run_events = run_events = RunEvents(self._store, lock)
        settings, admit, hear = lambda: self.settings, self._admit_soon, lambda run, lines: self._worker_messages.hear(run, lines)
        again, change, tell = (lambda run: self._scheduler.again(run)), run_events.change, run_events.tell
        self._workers = workers = Workers(settings, lock, self._store, run_events, self.uploads, hear, counted.waited, admit, again)
        callbacks = Callbacks(workers.begin, workers.send, change, tell, workers.abandon, workers.hold, workers.pid)
        self._nodes = nodes = Nodes(settings, lambda place: self.jobs.beside(place))
        self._scheduler = scheduler = Scheduler(settings, callbacks, beside_mb=lambda: self.jobs.reckoned_mb, places=nodes.places)
        self._worker_messages = WorkerMessages(lock, self._store, run_events, scheduler, workers, counted, admit)
        self._controls = Controls(lock, self._store, run_events, scheduler, workers, admit)
        self.own, self.opened = spec.read(self.settings.open) if self.settings.open else (None, None)
        """The person's own module that this server was opened on: where it is, and as an experiment."""
        self._submission_checks = checks = SubmissionChecks(settings, self.uploads, scheduler, self.opened, nodes.places)
        check, ran_out = checks.check_often, workers.memory_ran_out
        self.jobs = Jobs(settings, lock, self.uploads.place, check, ran_out, scheduler.room, self.shared)
        self.guests = Guests(self.settings.data_dir.resolve(), lock, self._store, run_events, hear)
        self._catalogue = RunCatalogue(self._store, lock, None if self.settings.public else GUEST)
        hands = self._line_up_again, scheduler.stops, workers.abandon
        self._resumption = resumption = Resumption(lock, run_events, self._catalogue, checks, *hands)
        self._actions = Actions(self._catalogue, self._controls, resumption)
        if self.settings.database_url:
            from .others import Others

            self._actions = Others(self._actions, lock, self._store, run_events, scheduler, self._catalogue, self._looked_at)
        run_events.at_end, self._store.on_trouble = (scheduler.leave, workers.forget), run_events.note_trouble
        self._store.on_ready, self._store.on_lost = resumption.restart, resumption.lost
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    def start(self) -> Engine:
        """Start the engine's thread and its helper processes, which warm up in the background; once is enough."""
        with self._starting:
            if self._thread is None and not self._closed:
                begun = threading.Event()
                self._thread = threading.Thread(target=self._serve, args=(begun,), name="skipviz-engine", daemon=True)
                self._thread.start()
                begun.wait()
                self._submission_checks.open(True)
                self._store.start()
        return self

    def close(self) -> None:
        """Let every run make a checkpoint from which it goes on when the server is back, and end every process, for good."""
        with self._starting:
            if self._closed:
                return
            self._closed = True
        if self._thread is None:
            return
        with self._lock:
            self._submission_checks.open(False)
        self.jobs.close()
        self.guests.close()
        self._actions.close()
        self._workers.wind_up()
        with self._lock:
            for run in self._store.runs():
                if not run.ended:
                    run.restart, run.paused = bool(run.owner), run.paused and not self._scheduler.rests(run.id)
                    self._run_events.change(run, "interrupted", STOPPED)
        self._initialisation_client.close()
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
    def closed(self) -> bool:
        """Whether it is closed, or about to be."""
        return self._closed

    @property
    def warm(self) -> bool:
        """Whether workers start at once."""
        return not self.settings.forks() or self._launcher.ready.is_set()

    @property
    def fork_server_pid(self) -> int | None:
        """Process id of the helper that forks workers."""
        return self._launcher.fork_server_pid

    def submit(
        self,
        experiment: Experiment,
        owner: str | None,
        speed: float | None = None,
        baseline: bool = False,
        paused: bool = False,
        events: Iterable[Event] = (),
        address: str | None = None,
        demo: bool = False,
    ) -> str:
        """Run `experiment`, at once or when its turn comes, and return the run's id.

        `owner` is the identity that may control it (None: nobody); `speed` is in steps a second (None: as fast as it
        goes); `events` act before the steps they name; `address` is the visitor's, by which starts are counted;
        a `demo` run is the server's own: it never waits and goes on unwatched. Raises `EngineError` where it is refused.
        """
        self._submission_checks.check_trainable(experiment, address)
        device = self._submission_checks.device(experiment)
        if device is None:
            raise EngineError("this machine has no CUDA device that a run may take: choose cpu or auto")
        self._submission_checks.check_size(experiment, device)
        self._submission_checks.check_speed(speed)
        run = Run(secrets.token_urlsafe(12), owner or "", experiment, speed=speed, baseline=baseline, paused=paused)
        title = self.own.title[:MAX_TITLE] if experiment.task.watched else title_of(experiment)
        run.title, run.began, run.unsaved = title, experiment, self._run_events.unsaved()
        events = tuple(events)
        run.waiting = [event.model_dump(mode="json", exclude_none=True) for event in events]
        try:
            for event in events:
                run.experiment = applied(run.experiment, event)
        except NetworkError as error:
            raise EngineError(str(error)) from None
        self._store.look()
        with self._lock:
            self._submission_checks.check_open()
            if not demo:
                self._submission_checks.check_turn(run.owner, address)
            self._workers.prepare(run, device)
            self._scheduler.enter(run, self._submission_checks.needed_mb(experiment, device), demo, gpus=self._nodes.gpus(device))
            self._store.add(run)
        self._admit_soon()
        self._store.hand_on(run)
        return run.id

    def resume(self, run_id: str, owner: str | None, address: str | None = None) -> dict:
        """Let an ended run go on; see `Resumption.resume`."""
        return self._actions.resume(run_id, owner, address)

    def extend(self, run_id: str, owner: str | None, events: Iterable[Event], address: str | None = None) -> dict:
        """Let a finished run go on for more steps after `events`; see `Resumption.extend`."""
        return self._actions.extend(run_id, owner, events, address)

    def post(self, run_id: str, owner: str | None, message) -> dict:
        """Pass an event or control to a run; see `Controls.post`. Raises `EngineError`, also where there is no such run."""
        return self._actions.post(run_id, owner, message)

    def lead(self, run_id: str, owner: str | None, events: Iterable[Event], lab: str, since: int, version: int) -> None:
        """Pass what a lab's document does to a run; see `Controls.lead`."""
        self._actions.lead(run_id, owner, events, lab, since, version)

    def label(self, run_id: str, owner: str | None, labels: dict[str, str]) -> None:
        """Give a run's networks other labels; see `Controls.label`."""
        self._actions.label(run_id, owner, labels)

    def run(self, run_id: str) -> Run | None:
        """Return a run, or None where it is not, or no longer, kept; one that ended a while ago comes from the disk."""
        try:
            return self._store.find(run_id)
        except StoreError:
            return None

    def kept(self, run_id: str) -> Run | None:
        """Return a run that is in memory, at once, or None."""
        return self._store.get(run_id)

    def look_up(self, run_id: str) -> Run:
        """Return a run; see `RunCatalogue.look_up`."""
        return self._catalogue.look_up(run_id)

    def glance(self, run_id: str, most: int) -> tuple[Experiment, list[bytes]] | None:
        """Return what a small picture of a run needs; see `RunCatalogue.glance`."""
        return self._catalogue.glance(run_id, most)

    def runs_of(self, owner: str | None) -> list[dict]:
        """Return an owner's runs, newest first; see `RunCatalogue.runs_of`."""
        return self._catalogue.runs_of(owner)

    def checkpoint(self, run: Run) -> Blob:
        """Return the file in which an ended run's last state is kept; see `RunCatalogue.checkpoint`."""
        return self._catalogue.checkpoint(run)

    def rename(self, run_id: str, owner: str | None, title: str) -> dict:
        """Give a run another title; see `RunCatalogue.rename`."""
        return self._actions.rename(run_id, owner, title)

    def delete(self, run_id: str, owner: str | None) -> dict:
        """Forget an ended run; see `RunCatalogue.delete`."""
        return self._catalogue.delete(run_id, owner)

    def used(self) -> int | None:
        """Return the bytes that all kept runs take; see `RunCatalogue.used`."""
        return self._catalogue.used()

    @property
    def retention(self) -> str:
        """How long runs are kept, in one sentence for a page."""
        return self._catalogue.retention

    def probe(self, experiment: Experiment, timeout: float = 1.0, page: str | None = None) -> dict | None:
        """Return `{"header": …, "frame": …}` measured at initialisation with the skips-off baseline and a picture.

        `{"problem": sentence}` if it cannot be measured, None if it is not there within `timeout` seconds (it may be the next
        time). `page` is who asks: pages have their turns, and each page its newest question.
        """
        if self._closed or self._thread is None or not self.has_data(experiment):
            return None
        try:
            self._submission_checks.check_trainable(experiment)
        except EngineError as error:
            return {"problem": str(error)}
        return self._initialisation_client.ask(experiment, timeout, page)

    def trains(self, experiment: Experiment) -> bool:
        """Return whether the experiment's networks can be trained here: a person's own module where the lab was opened on it."""
        return not experiment.task.watched or spec.refusal(experiment, self.opened) is None

    def step_took(self, shape: str) -> float | None:
        """Return the seconds that a step took here of the last run of a shape (`duration.shape_of`), or None."""
        return self._scheduler.step_took(shape)

    def has_data(self, experiment: Experiment) -> bool:
        """Return whether the experiment's data is here; see `SubmissionChecks.has_data`."""
        return self._submission_checks.has_data(experiment)

    @property
    def shared(self) -> SharedStore | None:
        """The store, where other servers share it."""
        return self._store if self.settings.database_url else None

    @property
    def busy(self) -> bool:
        """Whether a run or a job has not ended."""
        return any(not run.ended for run in self._store.runs()) or self.jobs.under_way

    def figures(self) -> dict[str, Any]:
        """Return how the engine does, cheaply: runs by state, the line, frames, steps a second, the workers' memory in MB."""
        states = Counter(run.state for run in self._store.runs())
        pids = self._workers.pids()
        return {
            "runs": {state: states[state] for state in STATES},
            "jobs": self.jobs.figures(),
            "queue_length": len(self._scheduler),
            "workers": len(self._workers),
            "worker_memory_mb": self._counted.worker_memory_mb(pids),
            "reckoned_memory_mb": self._scheduler.reckoned_mb,
            **self._counted.to_data(),
        }

    def sent(self, frames: int) -> None:
        """Count frames that went to a viewer."""
        self._counted.sent(frames)

    def worker_pid(self, run_id: str) -> int | None:
        """Return the process id of a run's worker, or None where it has none, or none that is known yet."""
        run = self.kept(run_id)
        return None if run is None else self._workers.pid(run)

    def subscribe(self, listener: Callable[[str], None]) -> Callable[[], None]:
        """Call `listener(run_id)`, quickly and from the engine's thread, after every change; returns the way to end that."""
        return self._run_events.subscribe(listener)

    def watch(self, run_id: str) -> Callable[[], None]:
        """Count one viewer of a run, which goes on if it rested for want of one; returns the way to end that."""
        self._watched(run_id, 1)
        return lambda: self._watched(run_id, -1)

    def seen(self, run_id: str) -> None:
        """Note that somebody looks at a run without a stream; said again within the setting's time, the run goes on."""
        self._watched(run_id, 0)

    def _watched(self, run_id: str, viewers: int) -> None:
        self._looked_at(run_id, viewers)
        if viewers >= 0:
            self._actions.seen(run_id)

    def _looked_at(self, run_id: str, viewers: int = 0) -> None:
        with self._lock:
            rested = self._scheduler.watch(run_id, viewers)
        if rested:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._wake, run_id)

    def _wake(self, run_id: str) -> None:
        with self._lock:
            self._scheduler.wake(run_id)

    def _line_up_again(self, run: Run, device: str) -> None:
        """Let a run that had ended wait its turn to go on."""
        self._workers.prepare(run, device, going_on=True)
        self._scheduler.enter(
            run, self._submission_checks.needed_mb(run.began or run.experiment, device), gpus=self._nodes.gpus(device)
        )
        self._store.add(run)
        self._run_events.change(run, "queued")
        self._admit_soon()

    def _serve(self, begun: threading.Event) -> None:
        """Run the engine's loop; this is its thread."""
        self._loop = asyncio.new_event_loop()

        async def begin() -> None:
            self._launcher = Launcher(self.settings.forks(), self.settings.ray)
            bounds = self.settings.probe_seconds, self.settings.run_memory_mb
            self._initialisation_client = InitialisationClient(self._launcher, self._loop, *bounds, self.uploads.place)
            self._nodes.serve(self._launcher)
            self._workers.serve(self._launcher, self._loop)
            self.jobs.serve(self._launcher, self._loop)
            self._launcher.start()
            self._initialisation_client.start()
            self._look()
            if not self.settings.public:
                await self.guests.listen()
            begun.set()

        self._loop.create_task(begin())
        try:
            self._loop.run_forever()
        finally:
            self._loop.run_until_complete(self.guests.closed())
            self._loop.run_until_complete(self._launcher.close())
            self._loop.close()

    def _admit_soon(self) -> None:
        self._loop.call_soon_threadsafe(self._admit)

    def _admit(self) -> None:
        """Start runs while there is room, and tell those in line their place."""
        with self._lock:
            if not self._closed:
                self._scheduler.admit()

    def _look(self) -> None:
        """Look at every run under way, again and again."""
        self._loop.call_later(PERIOD, self._look)  # first, so that nothing ends it
        with self._lock:
            if not self._closed:
                self._scheduler.tick()
                self._workers.look()
                self.jobs.admit()
