"""The worker processes of runs: begun, sent messages, ended, and begun again where one never said a word. Imports no torch."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable

from ..settings import Settings
from ..storage import Run, RunStore
from ..tasks.uploads import Uploads
from .figures import own_memory_mb
from .processes import ending
from .processes.launcher import FULL, LOST, NOTHING, Child, Launcher, Needs, Status
from .run_events import RunEvents

STOPPING_SECONDS = 2.0
"""How long a worker may take to finish the step it is in when its run is stopped."""
BEGIN_AGAIN_SECONDS = 0.5
"""After which a run whose worker was lost before its first word gets another: by then there is a fork server again."""
MOVED = "the node of the cluster that it ran on is gone; the run goes on by itself elsewhere"
"""Why a run waits in line again."""
MEASURED_SECONDS = 2.0
"""Between two looks at what a worker holds, which take milliseconds of the processor each; at a new one at once."""
LAST_CHECKPOINT_SECONDS = 5.0
"""How long a server that is told to stop waits for its workers' checkpoints."""


class Workers:
    """Owns one process for every run under way. `post`, `prepare` and `pid` may be called from any thread, all under `lock`.

    `hear(run, [(word, rest), …])` gets the lines that a worker writes, `waited(seconds)` how long a run was in line that begins,
    `admit()` is called where a core has become free, and `again(run)` puts a run back in line, or returns False: it is to stop.
    """

    def __init__(
        self,
        settings: Callable[[], Settings],
        lock: threading.RLock,
        store: RunStore,
        run_events: RunEvents,
        uploads: Uploads,
        hear: Callable[[Run, list[tuple[bytes, bytes]]], None],
        waited: Callable[[float], None],
        admit: Callable[[], None],
        again: Callable[[Run], bool],
    ) -> None:
        self._settings, self._lock, self._store, self._run_events, self._uploads = settings, lock, store, run_events, uploads
        self._hear, self._waited, self._admit, self._again = hear, waited, admit, again
        self._launcher: Launcher | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._children: dict[str, Child] = {}
        self._pending: dict[str, list[dict]] = {}
        """Per run that has no header yet: the request and what was posted since, to begin with and to begin again."""
        self._held_mb: dict[str, float] = {}
        """What workers held of their own when that was last measured, the one that was measured longest ago first."""
        self._measured = 0.0
        """When that was."""
        self._kills = ending.MemoryKills()
        self._closing = False
        self._awaited: set[str] = set()
        """Runs whose checkpoint a stopping server waits for."""
        self._all_safe = threading.Event()

    def __contains__(self, run: Run) -> bool:
        """Return whether the run has a worker."""
        return run.id in self._children

    def __len__(self) -> int:
        """How many there are."""
        return len(self._children)

    def serve(self, launcher: Launcher, loop: asyncio.AbstractEventLoop) -> None:
        """Take what starts processes, and the loop on which they are heard."""
        self._launcher, self._loop = launcher, loop

    def pid(self, run: Run) -> int | None:
        """Return the process id of the run's worker, once that is known."""
        child = self._children.get(run.id)
        return None if child is None else child.pid

    def pids(self) -> list[int]:
        """Return the process ids of all workers."""
        return [child.pid for child in list(self._children.values()) if child.pid]

    def look(self) -> None:
        """Measure what one worker holds, the next one the next time, so that its end can be told; done again and again."""
        now = time.monotonic()
        self._kills.look(now)
        known = {run_id: child.pid for run_id, child in self._children.items() if child.pid}
        new = known.keys() - self._held_mb
        if not new and now - self._measured < MEASURED_SECONDS:
            return
        self._measured = now
        for run_id in (*new, *self._held_mb):
            if run_id in known:
                held_mb = own_memory_mb(known[run_id]) or self._held_mb.get(run_id)
                self._held_mb.pop(run_id, None)
                if held_mb:  # it is there no longer otherwise
                    self._held_mb[run_id] = held_mb
                return

    def memory_ran_out(self) -> bool:
        """Return whether the system has just ended a process for want of memory."""
        return self._kills.any()

    def prepare(self, run: Run, device: str, going_on: bool = False) -> None:
        """Write down with what the run's worker is to begin; `going_on`: from the run's checkpoint."""
        request = {
            "experiment": (run.began or run.experiment).model_dump(mode="json", exclude_defaults=True),
            "device": device,
            "memory_mb": self._settings().largest_run_mb(),
            "frames_per_second": self._settings().frames_per_second,
            "uploads": self._uploads.place,
            "events": [*run.events, *({**event, "step": event.get("step", run.step)} for event in run.waiting)],
        }
        kept = {"place": self._store.checkpoints(run.id), "seconds": self._settings().checkpoint_seconds}
        self._pending[run.id] = [{**request, "checkpoints": kept, "resume": [run.checkpoint_file] if going_on else None}]

    def begin(self, run: Run, needs: Needs = NOTHING, again: bool = False) -> None:
        """Start the run's worker with what was prepared and posted; it `needs` so much of a cluster's node."""
        request, *messages = self._pending[run.id]
        request = {**request, "speed": run.speed, "baseline": run.baseline, "paused": run.paused}
        child = self._launcher.launch(
            "worker",
            lambda lines: self._children.get(run.id) is child and self._hear(run, lines),
            lambda status: self._lost(run, child, status, again),
            cuda=request["device"] == "cuda",
            needs=needs,
        )
        self._children[run.id] = child
        for data in (request, *messages):
            child.send(data)
        if not again and not request["resume"]:
            self._waited(time.time() - run.created)
        self._run_events.change(run, "paused" if run.paused else "running", run.reason if again else None)

    def began(self, run: Run) -> None:
        """Hear that the run's worker has its request."""
        self._pending.pop(run.id, None)

    def unheard(self, run: Run) -> int:
        """Return how many messages wait for the run's worker to begin, its request among them."""
        return len(self._pending.get(run.id, ()))

    def post(self, run: Run, data: dict) -> bool:
        """Let a message reach the run's worker, or the one that will begin; return whether there is one."""
        if run.id in self._pending:
            self._pending[run.id].append(data)
        if run.id not in self._children:
            return False
        self._loop.call_soon_threadsafe(self.send, run, data)
        return True

    def send(self, run: Run, data: dict) -> None:
        """Tell the run's worker, which is ended where it does not obey a stop."""
        child = self._children.get(run.id)
        if child is None:
            return
        child.send(data)
        if data["kind"] == "stop":
            self._loop.call_later(STOPPING_SECONDS, self._insist, run, child)

    def hold(self, run: Run, cores: float) -> None:
        """Let the run's worker hold so many cores of the node that it is on, as it computes or rests."""
        child = self._children.get(run.id)
        if child is not None:
            self._launcher.hold(child, cores)

    def abandon(self, run: Run, reason: str, state: str = "failed") -> None:
        """End a worker that does not come back, and its run with the reason."""
        self._run_events.end(run, state, reason)
        self._kill(run)

    def done(self, run: Run) -> None:
        """Let go of a worker that ends by itself."""
        self._children.pop(run.id, None)

    def forget(self, run: Run) -> None:
        """Hear that a run has ended."""
        self._pending.pop(run.id, None)
        self._held_mb.pop(run.id, None)
        self.safe(run)

    def wind_up(self) -> None:
        """Ask every worker for a checkpoint and wait a bounded time for all of them; from then on none begins again."""
        with self._lock:
            self._closing = True
            self._awaited = {run_id for run_id in self._children if self._store.checkpoints(run_id) is not None}
            self._all_safe.clear()
            waits = bool(self._awaited)
            for run_id in self._awaited:
                self._loop.call_soon_threadsafe(self._children[run_id].send, {"kind": "checkpoint"})
        if waits:
            self._all_safe.wait(LAST_CHECKPOINT_SECONDS)

    def safe(self, run: Run) -> None:
        """Hear that a run has its checkpoint, or has ended."""
        self._awaited.discard(run.id)
        if not self._awaited:
            self._all_safe.set()

    def _insist(self, run: Run, child: Child) -> None:
        """End a worker that did not stop on its own; its run may have gone on with another since."""
        with self._lock:
            if self._children.get(run.id) is child and not run.ended:
                self._run_events.end(run, "stopped", None)
                self._kill(run)
                self._admit()

    def _kill(self, run: Run) -> None:
        child = self._children.pop(run.id, None)
        if child is not None:
            child.kill()

    def _lost(self, run: Run, child: Child, status: Status, again: bool) -> None:
        """Take the end of a worker's process; its run may have gone on with another since."""
        with self._lock:
            if self._children.get(run.id) is not child:
                return
            del self._children[run.id]
            if run.ended:
                return
            if status in (LOST, FULL) and not self._closing:
                self._move(run, status)
                return
            if not child.heard and not again and not self._closing:
                self._loop.call_later(BEGIN_AGAIN_SECONDS, self._begin_again, run)
                return
            self._run_events.end(run, "failed", ending.sentence(status, self.memory_ran_out(), self._held_mb.get(run.id)))
            self._admit()

    def _move(self, run: Run, status: str) -> None:
        """Let a run go on from its last checkpoint on another node of the cluster, or on this one when it has room or is back."""
        if not self._again(run):
            self._run_events.end(run, "stopped", None)
            return
        if run.id not in self._pending:
            self.prepare(run, run.header["device"], going_on=True)
            run.moved.append(run.checkpoint or 0)
        self._run_events.change(run, "queued", MOVED if status == LOST else None)
        self._loop.call_later(BEGIN_AGAIN_SECONDS, self._admit)

    def _begin_again(self, run: Run) -> None:
        """Start a worker for a run whose first one never said a word, as when the fork server died before forking it."""
        with self._lock:
            if run.id in self._pending and run.id not in self._children and not self._closing:
                self.begin(run, again=True)
