"""The jobs of servers that share a database: those computed here in memory, all of them in its tables. Imports no torch."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace

from ..settings import Settings
from ..storage import StoreError
from ..storage.folder import is_id
from ..storage.job_files import JobFiles
from ..storage.shared import SharedStore
from .errors import EngineError
from .job import KINDS, Job, digest
from .kept_jobs import IN_MEMORY, NO_SUCH_JOB, SERVER_STOPPED, retention_of

LOOK_SECONDS = 1.0
"""Between two looks at what other servers compute and want."""
LOOKED_AT_SECONDS = 30.0
"""For which a job is followed after somebody has looked at it here."""
FRESH_SECONDS = 3.0
"""For which what was read of a job is shown without another reading."""
NEWEST_SECONDS = 5.0
"""For which the newest measurement of a claim is known."""
SERVER_GONE = "the server that computed it is gone; it can be resumed"
UNREACHED = "what servers share cannot be had at present: try again"


@dataclass
class _Seen:
    """A job that is not under way here, as it was read last."""

    job: Job
    read: float
    looked: float = field(default_factory=time.monotonic)


class SharedJobs:
    """`KeptJobs` where several servers compute jobs; any thread may use it.

    `on_news(id)` hears of what is new of a job of another server, `on_stop(id)` that another wants one of this server's stopped,
    and `on_lost(job)` that one is another server's by now.
    """

    def __init__(
        self,
        settings: Settings,
        lock: threading.RLock,
        store: SharedStore,
        on_news: Callable[[str], None],
        on_stop: Callable[[str], None],
        on_lost: Callable[[Job], None],
    ) -> None:
        self._lock, self._ask, self._retention = lock, store.ask_of_jobs, retention_of(settings)
        self._files = JobFiles(settings.data_dir.resolve() / "jobs", self._retention)
        self._on_news, self._on_stop, self._on_lost = on_news, on_stop, on_lost
        self._disk = ThreadPoolExecutor(1, "skipviz-jobs")
        self.jobs: dict[str, Job] = {}
        """Every job that is under way here, and those that have ended until all of them is written."""
        self._written: dict[str, int] = {}
        """How many rows of these are in the table."""
        self._told: dict[str, dict] = {}
        """What was written last of how they stand."""
        self._changed: set[str] = set()
        self._seen: dict[str, _Seen] = {}
        self._newest: dict[str, tuple[float, str | None]] = {}
        self._looked, self._looks = 0.0, False
        self._left_files = True
        """Whether there may be jobs that were kept in this server's folder before."""

    def start(self) -> None:
        """Begin with the first look."""

    def close(self) -> None:
        """Write down what is left; nothing is written from then on."""
        self._submit(self._write_all)
        self._disk.shutdown()

    def tidy_soon(self) -> None:
        """Remove what is kept for too long."""
        self._submit(lambda: self._ask("tidy_jobs", days=self._retention.days, megabytes=self._retention.megabytes))

    def settle(self) -> None:
        """Wait until all jobs are written as they stand, where that can be done at present."""
        with suppress(RuntimeError):  # the server is stopping
            self._disk.submit(lambda: None).result()

    def find(self, job_id: str) -> Job:
        """Return a job with its rows as it stands now; raises `EngineError` where it is not kept."""
        with self._lock:
            if job_id in self.jobs:
                return self.jobs[job_id]
        answer = self._asked("job", id=job_id) if is_id(job_id) else None
        if answer is None or answer.head["job"] is None:
            raise EngineError(NO_SUCH_JOB, 404)
        spec, *rows = answer.parts
        job = self._job_of(answer.head["job"], spec=json.loads(spec), rows=rows)
        with self._lock:
            self._see(job)
        return job

    def known(self, job_id: str) -> Job | None:
        """Return a job that is in memory as it stands now, at once, or None; one that is asked for is followed for a while."""
        now = time.monotonic()
        with self._lock:
            if job_id in self.jobs:
                return self.jobs[job_id]
            seen = self._seen.get(job_id)
            if seen is None:
                return None
            seen.looked = now
            return seen.job if seen.job.state == "finished" or now - seen.read < FRESH_SECONDS else None

    def of(self, owner: str | None) -> list[Job]:
        """Return an owner's jobs, the newest first, some without their rows; those of this server where no others can be had."""
        found = {}
        with suppress(EngineError):
            found = {job["id"]: self._job_of(job) for job in self._asked("jobs_of", owner=owner).head["jobs"]} if owner else {}
        with self._lock:
            found |= {job.id: job for job in self.jobs.values() if owner and job.owner == owner}
        return sorted(found.values(), key=lambda job: -job.created)

    def newest(self, kind: str, spec: dict) -> Job | None:
        """Return the newest job of anybody that has finished computing just this, with its rows, or None."""
        asked, now = digest(kind, spec), time.monotonic()
        with self._lock:
            at, found = self._newest.get(asked, (-NEWEST_SECONDS, None))
        try:
            if now - at >= NEWEST_SECONDS:
                found = self._asked("newest_job", asked=asked).head["id"]
                with self._lock:
                    self._newest[asked] = now, found
            return found and (self.known(found) or self.find(found))
        except EngineError:
            return None

    def write(self, job: Job, *lines: bytes) -> None:
        """Have a job written down as it stands."""
        with self._lock:
            if job.state == "finished":
                self._newest.pop(job.asked, None)
            self._changed.add(job.id)
        self._submit(self._write_all)

    def claim(self, job: Job) -> bool:
        """Make a job that has ended this server's; False where another computes it. May wait."""
        if not self._asked("claim_job", id=job.id).head["done"]:
            return False
        with self._lock:
            self._seen.pop(job.id, None)
            self._written[job.id] = len(job.rows)
        return True

    def under_way_elsewhere(self, owner: str) -> int:
        """Return how many jobs of an owner wait or compute at other servers. May wait."""
        try:
            return self._asked("count_jobs", owner=owner).head["count"]
        except EngineError:  # nothing is shared at present
            return 0

    def stop_elsewhere(self, job_id: str) -> None:
        """Have the server that computes a job stop it. May wait."""
        self._asked("stop_job", id=job_id)

    def look(self) -> None:
        """See from time to time what is new at the other servers; the engine's lock is held, and nothing waits."""
        now = time.monotonic()
        if self._looks or now - self._looked < LOOK_SECONDS or not (self._left_files or self.jobs or self._seen):
            return
        self._looked, self._looks = now, True
        self._submit(self._look)

    def _take_files(self) -> None:
        """Put the jobs into the table that were kept in this server's folder before; raises `StoreError`."""
        for head, last in self._files.kept():
            found = self._files.read(head["id"]) if head.get("kind") in KINDS else None
            if found is not None:
                facts = {name: head[name] for name in ("id", "kind", "owner", "created", "spec")}
                ended = {"state": "stopped", "reason": SERVER_STOPPED, **last}
                job = Job(**facts, asked=digest(head["kind"], head["spec"]), rows=found[1], **ended)
                self._write(job)
                self._files.remove(job.id)
        self._left_files = False

    def _look(self) -> None:
        now = time.monotonic()
        with self._lock:
            self._looks = False
            for name in [name for name, seen in self._seen.items() if now - seen.looked > LOOKED_AT_SECONDS or name in self.jobs]:
                del self._seen[name]
            followed = {name: seen.job for name, seen in self._seen.items()}
            self._changed |= {job.id for job in self.jobs.values() if self._told.get(job.id) != _standing(job)}
        if self._left_files:
            self._take_files()
        self._write_all()
        answer = self._ask("look_at_jobs", seen={name: len(job.rows) for name, job in followed.items()})
        parts = iter(answer.parts)
        for about, new in zip(answer.head["jobs"], answer.head["new"], strict=True):
            before = followed[about["id"]]
            rows = [*before.rows, *(next(parts) for _ in range(new))]
            with self._lock:
                seen = self._seen.get(about["id"])
                if seen is not None and seen.job is before:
                    seen.job, seen.read = self._job_of(about, spec=before.spec, rows=rows), time.monotonic()
            self._on_news(about["id"])
        for name in answer.head["stopping"]:
            self._on_stop(name)

    def _write_all(self) -> None:
        """Write all that has changed; what cannot be written now is with the next look."""
        with self._lock:
            changed, self._changed = [self.jobs[name] for name in self._changed if name in self.jobs], set()
        for job in changed:
            try:
                self._write(job)
            except StoreError:
                with self._lock:
                    job.kept = False
                    self._changed.add(job.id)

    def _write(self, job: Job) -> None:
        with self._lock:
            since, rows, standing, size = self._written.get(job.id), list(job.rows), _standing(job), job.bytes
        whole = {"whole": {**job.head(), "spec": json.dumps(job.spec), "asked": job.asked}} if since is None else {}
        since, said = since or 0, dict(standing)
        given = {"state": said.pop("state"), "said": said, "rows": [row.decode() for row in rows[since:]], "bytes": size, **whole}
        done = self._ask("put_job", id=job.id, since=since, **given).head["done"]
        with self._lock:
            if not done:
                self._forget(job)
                self._seen[job.id] = _Seen(replace(job, rows=rows[:since]), 0.0)
            else:
                job.kept = True
                self._written[job.id], self._told[job.id] = len(rows), standing
                if not job.under_way and job.id not in self._changed:
                    if job.id in self.jobs:
                        self._see(job)
                    self._forget(job)
        if not done:
            self._on_lost(job)

    def _see(self, job: Job) -> None:
        """Follow a job for a while, in the place of the one that was looked at longest ago where there are many."""
        self._seen[job.id] = _Seen(job, time.monotonic())
        while len(self._seen) > IN_MEMORY:
            del self._seen[min(self._seen, key=lambda name: self._seen[name].looked)]

    def _forget(self, job: Job) -> None:
        for held in (self.jobs, self._written, self._told):
            held.pop(job.id, None)

    def _job_of(self, about: dict, **more) -> Job:
        """Return a job as the table has it; one whose server is gone, or let go of it, has stopped."""
        said, names = about["said"], ("id", "kind", "owner", "asked", "created", "state")
        job = Job(**{name: about[name] for name in names}, **{"spec": None, "rows": None, **more}, **said)
        if job.under_way and (about["gone"] or (about["mine"] and job.id not in self.jobs)):
            job.state, job.reason = "stopped", SERVER_GONE
        return job

    def _asked(self, word: str, **given):
        """Return the store's answer; raises `EngineError`."""
        try:
            return self._ask(word, **given)
        except StoreError:
            raise EngineError(UNREACHED, 503) from None

    def _submit(self, work: Callable[[], object]) -> None:
        def done() -> None:
            with suppress(StoreError):  # the next look does it
                work()

        self._disk.submit(done)


def _standing(job: Job) -> dict:
    """Return how a job stands, as it is written."""
    return {**job.said(), "ahead": job.ahead}
