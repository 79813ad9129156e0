"""The jobs of this server: taken in, computed one after the other beside the runs, kept. Imports no torch.

`submit`, `find`, `of` and `resume` may wait for a disk: none for an event loop.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from pydantic import ValidationError

from ..network.base import NetworkError, sentence
from ..settings import Settings
from ..storage.job_files import JobFiles
from ..storage.retention import Retention
from .capacity import budget
from .capacity.admission import FairQueue, Room, Waiting
from .errors import EngineError
from .job import KINDS, STATES, Job, digest
from .listeners import Listeners
from .processes import ending
from .processes.launcher import Child, Launcher
from .processes.wire import encode

KEPT_SHARE = 8
"""Jobs may take this part of what runs may take on the disk, beside them."""
MOST_SPEC_BYTES = 1_000_000
MOST_ROWS, MOST_BYTES = 20_000, 8_000_000
"""Of one job."""
IN_MEMORY = 50
"""Ended jobs whose rows stay in memory, the ones used last."""
STOPPING_SECONDS = 2.0
"""How long a worker may take to obey a stop."""
BEGIN_AGAIN_SECONDS = 0.5
"""After which a job whose worker was lost before its first word gets another, as when the fork server died."""
SERVER_STOPPED = "the server stopped; it can be resumed"


class Jobs:
    """Owns a process for every job that computes. Any thread may use it; `memory_ran_out()` says whether the system has just
    ended a process for want of memory, `check_turn(owner, address)` raises `EngineError` where starts come too often."""

    def __init__(
        self,
        settings: Callable[[], Settings],
        lock: threading.RLock,
        uploads: str,
        check_turn: Callable[[str, str | None], None],
        memory_ran_out: Callable[[], bool],
    ) -> None:
        self._settings, self._lock, self._uploads = settings, lock, uploads
        self._check_turn, self._memory_ran_out = check_turn, memory_ran_out
        kept = settings()
        retention = Retention(kept.keep_days, max(1, kept.keep_mb // KEPT_SHARE))
        self._files = JobFiles(kept.data_dir.resolve() / "jobs", retention)
        self._disk = ThreadPoolExecutor(1, "skipviz-jobs")
        self._line = FairQueue()
        self._jobs: dict[str, Job] = {}
        """Every job that is kept or under way, the ones used last at the end."""
        self._children: dict[str, Child] = {}
        self._began: dict[str, float] = {}
        self._takes_mb: dict[str, float] = {}
        """What workers expect to take for what they compute just now."""
        self._listeners = Listeners()
        self._launcher: Launcher | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def serve(self, launcher: Launcher, loop: asyncio.AbstractEventLoop) -> None:
        """Take what starts processes and the loop on which they are heard, and find the jobs that are kept."""
        self._launcher, self._loop = launcher, loop
        self._disk.submit(self._find_kept)

    def close(self) -> None:
        """Stop what computes, which may be resumed later; no job comes in from then on."""
        with self._lock:
            self._launcher = None
            for job in [job for job in self._jobs.values() if job.under_way]:
                self._end(job, "stopped", SERVER_STOPPED)
        self._disk.shutdown()

    def subscribe(self, listener: Callable[[str], None]) -> Callable[[], None]:
        """Call `listener(id)`, quickly, after every change of a job; returns the way to end that."""
        return self._listeners.subscribe(listener)

    def submit(self, kind: str, spec: dict, owner: str, address: str | None = None) -> str:
        """Compute a job of `owner` when its turn comes, and return its id; raises `EngineError` where it is refused."""
        if kind not in KINDS:
            raise EngineError(f"there is no job of this kind; there is {', '.join(KINDS)}", 422)
        try:
            spec = KINDS[kind].kept(spec).model_dump(mode="json", exclude_defaults=True)
        except ValidationError as error:
            raise EngineError(sentence(error), 422) from None
        except (NetworkError, RecursionError, ValueError) as error:
            raise EngineError(str(error)[:300], 422) from None
        job = Job(secrets.token_urlsafe(12), kind, owner, spec, digest(kind, spec))
        head = encode(job.head())
        if len(head) > MOST_SPEC_BYTES:
            raise EngineError(f"what this {kind} asks for has more than {MOST_SPEC_BYTES:,} characters", 413)
        with self._lock:
            self._check(owner, address)
            self._jobs[job.id] = job
            self._write(job, head)
            self._queue(job)
        return job.id

    def stop(self, job_id: str, owner: str | None) -> None:
        """Stop a job; what it has stays. Raises `EngineError`."""
        self.find(job_id)
        with self._lock:
            job = self._owned(job_id, owner)
            if job.state == "queued":
                self._line.remove(job.id)
                self._end(job, "stopped", None)
            elif job.state == "running":
                self._loop.call_soon_threadsafe(self._ask_to_stop, job, None)

    def resume(self, job_id: str, owner: str | None, address: str | None = None) -> None:
        """Let a stopped or failed job compute what it lacks; raises `EngineError`."""
        self.find(job_id)
        with self._lock:
            job = self._owned(job_id, owner)
            if job.under_way:
                raise EngineError("this job goes on already", 409)
            if job.state == "finished":
                raise EngineError("this job has finished: there is nothing left to compute", 409)
            if job.rows is None:
                raise EngineError("what this job has is being read: try again", 503)
            if job.seconds >= self._settings().job_minutes * 60:
                raise EngineError(_over(self._settings().job_minutes) + ": start it anew with less to compute", 409)
            self._check(owner, address)
            self._queue(job)

    def find(self, job_id: str) -> Job:
        """Return a job with its rows, which may come from the disk; raises `EngineError` where it is not kept."""
        job = self.known(job_id)
        if job is None or job.rows is None:
            job = self._disk_call(self._load, job_id)
        if job is None:
            raise EngineError("there is no such job, or it is no longer kept", 404)
        return job

    def known(self, job_id: str) -> Job | None:
        """Return a job that is in memory with its rows, at once, or None."""
        with self._lock:
            job = self._jobs.get(job_id)
            return job if job is not None and job.rows is not None else None

    def of(self, owner: str | None) -> list[Job]:
        """Return an owner's jobs, the newest first, some without their rows."""
        self._disk_call(lambda: None)  # behind the finding of those that are kept
        with self._lock:
            mine = [job for job in self._jobs.values() if owner and job.owner == owner]
        return sorted(mine, key=lambda job: -job.created)

    def newest(self, kind: str, spec: dict) -> Job | None:
        """Return the newest job of anybody that has finished computing just this, with its rows, or None."""
        self._disk_call(lambda: None)  # behind the finding of those that are kept
        asked = digest(kind, spec)
        with self._lock:
            found = [job for job in self._jobs.values() if job.state == "finished" and job.asked == asked]
        try:
            return self.find(max(found, key=lambda job: job.created).id) if found else None
        except EngineError:  # it has just been tidied away
            return None

    def pid(self, job_id: str) -> int | None:
        """Return the process id of a job's worker, or None where it has none, or none that is known yet."""
        child = self._children.get(job_id)
        return None if child is None else child.pid

    def figures(self) -> dict[str, int]:
        """Return how many jobs are in each state."""
        states = Counter(job.state for job in list(self._jobs.values()))
        return {state: states[state] for state in STATES}

    @property
    def under_way(self) -> bool:
        """Whether any computes or waits."""
        return any(job.under_way for job in list(self._jobs.values()))

    @property
    def reckoned_mb(self) -> float:
        """The MB that the jobs under way are expected to take at present, in which a run may have to wait for room."""
        return sum(list(self._takes_mb.values()))

    def _check(self, owner: str, address: str | None) -> None:
        settings = self._settings()
        if self._launcher is None:
            raise EngineError("the server is stopping", 503)
        if len(self._line) >= settings.max_queued:
            raise EngineError(f"{len(self._line)} jobs wait in line already: try again in a while", 503)
        mine = sum(job.under_way and job.owner == owner for job in self._jobs.values())
        if mine >= settings.browser_jobs:
            raise EngineError(
                f"as many jobs of this browser as may, {mine}, wait or compute already: stop one, or try again in a while", 503
            )
        self._check_turn(owner, address)

    def _owned(self, job_id: str, owner: str | None) -> Job:
        job = self._jobs[job_id]
        if not owner or not secrets.compare_digest(job.owner.encode(), owner.encode()):
            raise EngineError("only the browser that started this job may change it", 403)
        return job

    def _queue(self, job: Job) -> None:
        self._line.add(Waiting(job.id, job.owner, 1.0))
        self._change(job, "queued", None)
        self._tell_places()
        self._loop.call_soon_threadsafe(self._admit)

    def _admit(self) -> None:
        """Begin jobs while there is room; a browser alone never takes all of it where there is room for several."""
        with self._lock:
            if self._launcher is None:
                return
            most = self._settings().max_jobs
            while True:
                running = Counter(self._jobs[job_id].owner for job_id in self._children)
                room = Room(most - running.total(), float("inf"), running, max(1, most - 1))
                waiting = self._line.take(room)
                if waiting is None:
                    break
                self._begin(self._jobs[waiting.id])
            self._tell_places()

    def _tell_places(self) -> None:
        for place, waiting in enumerate(self._line.order()):
            if self._jobs[waiting.id].ahead != place:
                self._jobs[waiting.id].ahead = place
                self._listeners.tell(waiting.id)

    def _begin(self, job: Job, again: bool = False) -> None:
        settings = self._settings()
        child = self._launcher.launch(
            "job_worker", lambda lines: self._hear(job, child, lines), lambda status: self._lost(job, child, status, again)
        )
        self._children[job.id], self._began[job.id] = child, time.monotonic()
        child.send(
            {
                "kind": job.kind,
                "spec": job.spec,
                "rows": [json.loads(row) for row in job.rows],
                "memory_mb": settings.largest_run_mb(),
                "most": {"steps": settings.run_steps, "parameters": settings.run_parameters},
                "uploads": self._uploads,
            }
        )
        left = settings.job_minutes * 60 - job.seconds
        self._loop.call_later(left, self._overtime, job, child)
        self._change(job, "running", None)

    def _hear(self, job: Job, child: Child, lines: list[tuple[bytes, bytes]]) -> None:
        """Take what a job's worker says."""
        with self._lock:
            if self._children.get(job.id) is not child:
                return
            rows = []
            for word, rest in lines:
                if word == b"row":
                    rows.append(rest)
                elif word == b"at":
                    job.progress = json.loads(rest)
                elif word == b"takes":
                    self._takes_mb[job.id] = json.loads(rest)
                elif word == b"end":
                    self._take(job, rows)
                    self._end(job, *json.loads(rest))
                    return
            self._take(job, rows)
            if len(job.rows) > MOST_ROWS or job.bytes > MOST_BYTES:
                self._end(job, "failed", f"it gave more than the {MOST_ROWS:,} rows or {MOST_BYTES:,} bytes that a job may have")
            self._listeners.tell(job.id)

    def _take(self, job: Job, rows: list[bytes]) -> None:
        if rows:
            job.rows += rows
            self._write(job, *(b'{"row":' + row + b"}" for row in rows))

    def _overtime(self, job: Job, child: Child) -> None:
        with self._lock:
            if self._children.get(job.id) is child:
                self._ask_to_stop(job, _over(self._settings().job_minutes))

    def _ask_to_stop(self, job: Job, reason: str | None) -> None:
        """Tell a job's worker to stop, which is ended where it does not obey."""
        child = self._children.get(job.id)
        if child is not None:
            job.reason = reason
            child.send({"kind": "stop"})
            self._loop.call_later(STOPPING_SECONDS, self._insist, job, child)

    def _insist(self, job: Job, child: Child) -> None:
        with self._lock:
            if self._children.get(job.id) is child:
                self._end(job, "stopped", None)

    def _lost(self, job: Job, child: Child, status: int | None, again: bool) -> None:
        """Take the end of a worker's process."""
        with self._lock:
            if self._children.get(job.id) is not child:
                return
            if not child.heard and not again and self._launcher is not None:
                self._loop.call_later(BEGIN_AGAIN_SECONDS, self._begin_again, job, child)
                return
            self._end(job, "failed", ending.sentence(status, self._memory_ran_out(), None, "job"))

    def _begin_again(self, job: Job, child: Child) -> None:
        with self._lock:
            if self._children.get(job.id) is child and self._launcher is not None:
                self._begin(job, again=True)

    def _end(self, job: Job, state: str, reason: str | None) -> None:
        """Let a job end, and the next one begin."""
        child, began = self._children.pop(job.id, None), self._began.pop(job.id, None)
        self._takes_mb.pop(job.id, None)
        if began is not None:
            job.seconds += time.monotonic() - began
        self._change(job, state, reason or (job.reason if state == "stopped" else None))
        self._write(job, encode(job.said()))
        with suppress(RuntimeError):  # the server is stopping
            self._disk.submit(self._tidy)
            if child is not None:
                self._loop.call_soon_threadsafe(child.kill)
            self._loop.call_soon_threadsafe(self._admit)

    def _change(self, job: Job, state: str, reason: str | None) -> None:
        job.state, job.reason = state, reason
        job.progress = 1.0 if state == "finished" else job.progress
        self._listeners.tell(job.id)

    def _write(self, job: Job, *lines: bytes) -> None:
        """Have lines written down by the thread that waits for the disk."""

        def write() -> None:
            try:
                self._files.append(job.id, lines)
            except OSError:
                job.kept = False

        self._disk.submit(write)

    def _disk_call(self, call: Callable, *arguments):
        try:
            return self._disk.submit(call, *arguments).result()
        except RuntimeError:  # the server is stopping
            return None

    def _find_kept(self) -> None:
        self._tidy()
        for head, last in self._files.kept():
            facts = {name: head.get(name) for name in ("id", "kind", "owner", "created")}
            ended = {"state": "stopped", "reason": SERVER_STOPPED, **last}
            if ended["state"] not in ("finished", "stopped", "failed") or facts["kind"] not in KINDS:
                continue
            asked = digest(facts["kind"], head.get("spec"))
            job = Job(**facts, spec=None, asked=asked, rows=None, **ended)
            with self._lock:
                self._jobs.setdefault(job.id, job)

    def _load(self, job_id: str) -> Job | None:
        """Return a job with what the disk has of it; done by the thread that writes, so nothing is on its way there."""
        with self._lock:
            job = self._jobs.get(job_id)
        if job is None or job.rows is not None:
            return job
        found = self._files.read(job_id)
        if found is None:
            return None
        with self._lock:
            job.spec, job.rows = found[0]["spec"], found[1]
            self._jobs[job_id] = self._jobs.pop(job_id)
            self._forget_rows()
        return job

    def _forget_rows(self) -> None:
        """Leave the rows of ended jobs to the disk, the ones longest unused first."""
        held = [job for job in self._jobs.values() if job.rows is not None and not job.under_way and job.kept]
        for job in held[:-IN_MEMORY]:
            job.spec = job.rows = None

    def _tidy(self) -> None:
        with self._lock:
            going = {job.id for job in self._jobs.values() if job.under_way}
            self._forget_rows()
        with suppress(OSError):
            for gone in self._files.tidy(time.time(), going):
                with self._lock:
                    self._jobs.pop(gone, None)


def _over(minutes: float) -> str:
    return f"stopped after {budget.spoken(minutes)}, this server's limit for a job"
