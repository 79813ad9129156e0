"""The jobs that there are: those in memory, and those whose rows are on the disk alone. Imports no torch."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from ..settings import Settings
from ..storage.job_files import JobFiles
from ..storage.retention import Retention
from .errors import EngineError
from .job import KINDS, Job, digest

KEPT_SHARE = 8
"""Jobs may take this part of what runs may take on the disk, beside them."""
IN_MEMORY = 50
"""Ended jobs whose rows stay in memory, the ones used last."""
SERVER_STOPPED = "the server stopped; it can be resumed"
NO_SUCH_JOB = "there is no such job, or it is no longer kept"


def retention_of(settings: Settings) -> Retention:
    """Return how long jobs are kept."""
    return Retention(settings.keep_days, max(1, settings.keep_mb // KEPT_SHARE))


class KeptJobs:
    """Writes jobs down and finds them again; any thread may use it."""

    def __init__(self, settings: Settings, lock: threading.RLock) -> None:
        self._lock = lock
        self._files = JobFiles(settings.data_dir.resolve() / "jobs", retention_of(settings))
        self._disk = ThreadPoolExecutor(1, "skipviz-jobs")
        self.jobs: dict[str, Job] = {}
        """Every job that is kept or under way, the ones used last at the end."""

    def start(self) -> None:
        """Find the jobs that are kept."""
        self._disk.submit(self._find_kept)

    def close(self) -> None:
        """Write down what is left; nothing is written from then on."""
        self._disk.shutdown()

    def tidy_soon(self) -> None:
        """Remove what is kept for too long, behind all that is to be written; raises `RuntimeError` once closed."""
        self._disk.submit(self._tidy)

    def find(self, job_id: str) -> Job:
        """Return a job with its rows, which may come from the disk; raises `EngineError` where it is not kept."""
        job = self.known(job_id)
        if job is None or job.rows is None:
            job = self._disk_call(self._load, job_id)
        if job is None:
            raise EngineError(NO_SUCH_JOB, 404)
        return job

    def known(self, job_id: str) -> Job | None:
        """Return a job that is in memory with its rows, at once, or None."""
        with self._lock:
            job = self.jobs.get(job_id)
            return job if job is not None and job.rows is not None else None

    def of(self, owner: str | None) -> list[Job]:
        """Return an owner's jobs, the newest first, some without their rows."""
        self._disk_call(lambda: None)  # behind the finding of those that are kept
        with self._lock:
            mine = [job for job in self.jobs.values() if owner and job.owner == owner]
        return sorted(mine, key=lambda job: -job.created)

    def newest(self, kind: str, spec: dict) -> Job | None:
        """Return the newest job of anybody that has finished computing just this, with its rows, or None."""
        self._disk_call(lambda: None)  # behind the finding of those that are kept
        asked = digest(kind, spec)
        with self._lock:
            found = [job for job in self.jobs.values() if job.state == "finished" and job.asked == asked]
        try:
            return self.find(max(found, key=lambda job: job.created).id) if found else None
        except EngineError:  # it has just been tidied away
            return None

    def settle(self) -> None:
        """Wait for nothing: nobody else reads what is written."""

    def claim(self, job: Job) -> bool:
        """Return True: a job is this server's."""
        return True

    def under_way_elsewhere(self, owner: str) -> int:
        """Return 0: there is no other server."""
        return 0

    def look(self) -> None:
        """Do nothing: there is no other server."""

    def write(self, job: Job, *lines: bytes) -> None:
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
                self.jobs.setdefault(job.id, job)

    def _load(self, job_id: str) -> Job | None:
        """Return a job with what the disk has of it; done by the thread that writes, so nothing is on its way there."""
        with self._lock:
            job = self.jobs.get(job_id)
        if job is None or job.rows is not None:
            return job
        found = self._files.read(job_id)
        if found is None:
            return None
        with self._lock:
            job.spec, job.rows = found[0]["spec"], found[1]
            self.jobs[job_id] = self.jobs.pop(job_id)
            self._forget_rows()
        return job

    def _forget_rows(self) -> None:
        """Leave the rows of ended jobs to the disk, the ones longest unused first."""
        held = [job for job in self.jobs.values() if job.rows is not None and not job.under_way and job.kept]
        for job in held[:-IN_MEMORY]:
            job.spec = job.rows = None

    def _tidy(self) -> None:
        with self._lock:
            going = {job.id for job in self.jobs.values() if job.under_way}
            self._forget_rows()
        with suppress(OSError):
            for gone in self._files.tidy(time.time(), going):
                with self._lock:
                    self.jobs.pop(gone, None)
