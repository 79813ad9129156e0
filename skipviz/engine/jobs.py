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
from contextlib import suppress
from typing import TYPE_CHECKING

from pydantic import ValidationError

from ..network.base import NetworkError, sentence
from ..settings import Settings
from .capacity import budget
from .capacity.admission import FairQueue, Place, Room
from .errors import EngineError
from .job import KINDS, STATES, Job, digest
from .job_parts import SHARE, JobParts, Part
from .kept_jobs import SERVER_STOPPED, KeptJobs
from .listeners import Listeners
from .processes import ending
from .processes.launcher import FULL, LOST, NOTHING, Child, Launcher, Needs, Status
from .processes.wire import encode

if TYPE_CHECKING:
    from ..storage.shared import SharedStore

MOST_SPEC_BYTES = 1_000_000
MOST_ROWS, MOST_BYTES = 20_000, 8_000_000
"""Of one job."""
STOPPING_SECONDS = 2.0
"""How long a worker may take to obey a stop."""
BEGIN_AGAIN_SECONDS = 0.5
"""After which a job whose worker was lost before its first word gets another, as when the fork server died."""


class Jobs:
    """Owns a process for every job that computes. Any thread may use it; `memory_ran_out()` says whether the system has just
    ended a process for want of memory, `check_turn(owner, address)` raises `EngineError` where starts come too often, and
    `runs_leave()` is the room that runs leave on a cluster; `shared` is the store of several servers."""

    def __init__(
        self,
        settings: Callable[[], Settings],
        lock: threading.RLock,
        uploads: str,
        check_turn: Callable[[str, str | None], None],
        memory_ran_out: Callable[[], bool],
        runs_leave: Callable[[], Room],
        shared: SharedStore | None = None,
    ) -> None:
        self._settings, self._lock, self._uploads, self._runs_leave = settings, lock, uploads, runs_leave
        self._check_turn, self._memory_ran_out = check_turn, memory_ran_out
        self._listeners = Listeners()
        if shared is None:
            self._kept = KeptJobs(settings(), lock)
        else:
            from .shared_jobs import SharedJobs

            self._kept = SharedJobs(settings(), lock, shared, self._listeners.tell, self._stop_own, self._let_go)
        self.find, self.known, self.of, self.newest = self._kept.find, self._kept.known, self._kept.of, self._kept.newest
        self._jobs, self._write = self._kept.jobs, self._kept.write
        self._line = FairQueue()
        self._parts = JobParts()
        self._began: dict[str, float] = {}
        self._launcher: Launcher | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def serve(self, launcher: Launcher, loop: asyncio.AbstractEventLoop) -> None:
        """Take what starts processes and the loop on which they are heard, and find the jobs that are kept."""
        self._launcher, self._loop = launcher, loop
        self._kept.start()

    def close(self) -> None:
        """Stop what computes, which may be resumed later; no job comes in from then on."""
        with self._lock:
            self._launcher = None
            for job in [job for job in self._jobs.values() if job.under_way]:
                self._end(job, "stopped", SERVER_STOPPED)
        self._kept.close()

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
        elsewhere = self._kept.under_way_elsewhere(owner)
        with self._lock:
            self._check(owner, address, elsewhere)
            self._jobs[job.id] = job
            self._write(job, head)
            self._queue(job)
        self._kept.settle()
        return job.id

    def stop(self, job_id: str, owner: str | None) -> None:
        """Stop a job; what it has stays. Raises `EngineError`."""
        job = self._owned(job_id, owner)
        if job_id in self._jobs:
            self._stop_own(job_id)
        elif job.under_way:
            self._kept.stop_elsewhere(job_id)

    def _stop_own(self, job_id: str) -> None:
        """Stop a job that is under way here."""
        with self._lock:
            job = self._jobs.get(job_id)
            if job is not None and job.state == "queued":
                self._line.remove(job.id)
                self._end(job, "stopped", None)
            elif job is not None and job.state == "running":
                self._loop.call_soon_threadsafe(self._ask_to_stop, job, None)

    def _let_go(self, job: Job) -> None:
        """End the workers of a job that is another server's by now."""
        with self._lock:
            for child in self._parts.forget(job):
                self._loop.call_soon_threadsafe(child.kill)
            self._began.pop(job.id, None)
            self._line.remove(job.id)
        self._listeners.tell(job.id)

    def beside(self, place: Place) -> Place:
        """Return a node of a cluster with what jobs leave of it."""
        return self._parts.beside(place)

    def resume(self, job_id: str, owner: str | None, address: str | None = None) -> None:
        """Let a stopped or failed job compute what it lacks; raises `EngineError`."""
        job = self._owned(job_id, owner)
        if job.state == "finished":
            raise EngineError("this job has finished: there is nothing left to compute", 409)
        if job.seconds >= self._settings().job_minutes * 60:
            raise EngineError(_over(self._settings().job_minutes) + ": start it anew with less to compute", 409)
        elsewhere = self._kept.under_way_elsewhere(owner)
        if job.under_way or not self._kept.claim(job):
            raise EngineError("this job goes on already", 409)
        with self._lock:
            job = self._jobs.setdefault(job.id, job)
            if job.under_way:
                raise EngineError("this job goes on already", 409)
            if job.rows is None:
                raise EngineError("what this job has is being read: try again", 503)
            self._check(owner, address, elsewhere)
            self._queue(job)
        self._kept.settle()

    def pid(self, job_id: str) -> int | None:
        """Return the process id of a job's worker, or None where it has none, or none that is known yet."""
        return next((child.pid for child, part in list(self._parts.by_child.items()) if part.job.id == job_id), None)

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
        return sum(part.takes_mb for part in list(self._parts.by_child.values()))

    def _check(self, owner: str, address: str | None, elsewhere: int) -> None:
        settings = self._settings()
        if self._launcher is None:
            raise EngineError("the server is stopping", 503)
        if len(self._line) >= settings.max_queued:
            raise EngineError(f"{len(self._line)} jobs wait in line already: try again in a while", 503)
        mine = elsewhere + sum(job.under_way and job.owner == owner for job in self._jobs.values())
        if mine >= settings.browser_jobs:
            raise EngineError(
                f"as many jobs of this browser as may, {mine}, wait or compute already: stop one, or try again in a while", 503
            )
        self._check_turn(owner, address)

    def _owned(self, job_id: str, owner: str | None) -> Job:
        """Return a job that `owner` may change; raises `EngineError`."""
        job = self.find(job_id)
        if not owner or not secrets.compare_digest(job.owner.encode(), owner.encode()):
            raise EngineError("only the browser that started this job may change it", 403)
        return job

    def _queue(self, job: Job) -> None:
        if self._settings().ray:
            self._parts.cut(job)
        self._change(job, "queued", None)
        self._line_up(job)
        self._tell_places()
        self._loop.call_soon_threadsafe(self.admit)

    def _line_up(self, job: Job, first: bool = False) -> None:
        """Let what is left of a job wait its turn."""
        waiting = self._parts.waiting(job)
        if waiting is not None and job.id not in self._line:
            self._line.add(waiting, first)

    def admit(self) -> None:
        """Begin jobs while there is room; a browser alone never takes all of it where there is room for several."""
        with self._lock:
            if self._launcher is None:
                return
            self._kept.look()
            while (waiting := self._line.take(room := self._room())) is not None:
                place = room.place_for(waiting)
                needs = NOTHING if place is None else Needs(place.name, waiting.cores, waiting.memory_mb)
                job = self._jobs[waiting.id]
                self._begin(job, self._parts.next(job, needs))
                self._line_up(job, first=True)
            self._tell_places()

    def _room(self) -> Room:
        running = Counter(part.job.owner for part in self._parts.by_child.values())
        if not self._settings().ray:
            most = self._settings().max_jobs
            return Room(most - running.total(), float("inf"), running, max(1, most - 1))
        nodes = [Place(*node) for node in self._launcher.nodes]
        places = self._parts.room(self._runs_leave(), nodes)
        return Room(0, 0, running, max(1, round(sum(node.cores for node in nodes)) // SHARE - 1), places)

    def _tell_places(self) -> None:
        for place, waiting in enumerate(self._line.order()):
            if self._jobs[waiting.id].ahead != place:
                self._jobs[waiting.id].ahead = place
                self._listeners.tell(waiting.id)

    def _begin(self, job: Job, part: Part, again: bool = False) -> None:
        settings = self._settings()
        child = self._launcher.launch(
            "job_worker",
            lambda lines: self._hear(job, child, lines),
            lambda status: self._lost(job, child, status, again),
            needs=part.needs,
        )
        self._parts.by_child[child] = part
        child.send(
            {
                "kind": job.kind,
                "spec": job.spec,
                "rows": [json.loads(row) for row in job.rows] if part.cells is None else [],
                "cells": part.cells,
                "memory_mb": settings.largest_run_mb(),
                "most": {"steps": settings.run_steps, "parameters": settings.run_parameters},
                "uploads": self._uploads,
            }
        )
        if job.id not in self._began:
            began = self._began[job.id] = time.monotonic()
            self._loop.call_later(settings.job_minutes * 60 - job.seconds, self._overtime, job, began)
            self._change(job, "running", None)

    def _hear(self, job: Job, child: Child, lines: list[tuple[bytes, bytes]]) -> None:
        """Take what a job's worker says."""
        with self._lock:
            part = self._parts.by_child.get(child)
            if part is None:
                return
            rows = []
            for word, rest in lines:
                if word == b"row":
                    rows.append(rest)
                elif word == b"at":
                    job.progress = self._parts.progress(part, json.loads(rest))
                elif word == b"takes":
                    part.takes_mb = json.loads(rest)
                elif word == b"end":
                    self._take(job, rows)
                    self._end_part(job, child, *json.loads(rest))
                    return
            self._take(job, rows)
            if len(job.rows) > MOST_ROWS or job.bytes > MOST_BYTES:
                self._end(job, "failed", f"it gave more than the {MOST_ROWS:,} rows or {MOST_BYTES:,} bytes that a job may have")
            self._listeners.tell(job.id)

    def _take(self, job: Job, rows: list[bytes]) -> None:
        if rows:
            job.rows += rows
            self._write(job, *(b'{"row":' + row + b"}" for row in rows))

    def _end_part(self, job: Job, child: Child, state: str, reason: str | None) -> None:
        """Let go of a worker that ends by itself, and of its job unless more of it is left."""
        self._parts.by_child.pop(child)
        self._loop.call_soon_threadsafe(child.kill)
        if state == "finished" and not self._parts.over(job):
            self._listeners.tell(job.id)
            self._loop.call_soon_threadsafe(self.admit)
        else:
            self._end(job, state, reason)

    def _overtime(self, job: Job, began: float) -> None:
        with self._lock:
            if self._began.get(job.id) == began:
                self._ask_to_stop(job, _over(self._settings().job_minutes))

    def _ask_to_stop(self, job: Job, reason: str | None) -> None:
        """Tell a job's workers to stop, which are ended where they do not obey."""
        with self._lock:
            job.reason = reason
            self._line.remove(job.id)
            for child in self._parts.children(job):
                child.send({"kind": "stop"})
            self._loop.call_later(STOPPING_SECONDS if self._parts.children(job) else 0, self._insist, job, self._began.get(job.id))

    def _insist(self, job: Job, began: float | None) -> None:
        with self._lock:
            if began is not None and self._began.get(job.id) == began:
                self._end(job, "stopped", None)

    def _lost(self, job: Job, child: Child, status: Status, again: bool) -> None:
        """Take the end of a worker's process."""
        with self._lock:
            part = self._parts.by_child.get(child)
            if part is None:
                return
            if status in (LOST, FULL) and self._launcher is not None:
                del self._parts.by_child[child]
                self._parts.give_back(part)
                self._line_up(job, first=True)
                self._loop.call_later(BEGIN_AGAIN_SECONDS, self.admit)
                return
            if not child.heard and not again and self._launcher is not None:
                self._loop.call_later(BEGIN_AGAIN_SECONDS, self._begin_again, job, child)
                return
            self._end(job, "failed", ending.sentence(status, self._memory_ran_out(), None, "job"))

    def _begin_again(self, job: Job, child: Child) -> None:
        with self._lock:
            part = self._parts.by_child.get(child)
            if part is not None and self._launcher is not None:
                del self._parts.by_child[child]
                self._begin(job, part, again=True)

    def _end(self, job: Job, state: str, reason: str | None) -> None:
        """Let a job end, and the next one begin."""
        children, began = self._parts.forget(job), self._began.pop(job.id, None)
        self._line.remove(job.id)
        if began is not None:
            job.seconds += time.monotonic() - began
        self._change(job, state, reason or (job.reason if state == "stopped" else None))
        self._write(job, encode(job.said()))
        with suppress(RuntimeError):  # the server is stopping
            self._kept.tidy_soon()
            for child in children:
                self._loop.call_soon_threadsafe(child.kill)
            self._loop.call_soon_threadsafe(self.admit)

    def _change(self, job: Job, state: str, reason: str | None) -> None:
        job.state, job.reason = state, reason
        job.progress = 1.0 if state == "finished" else job.progress
        self._listeners.tell(job.id)


def _over(minutes: float) -> str:
    return f"stopped after {budget.spoken(minutes)}, this server's limit for a job"
