"""Jobs that the servers of a database share, in its tables. Only the store writer's process uses it.

A job is written by the server that computes it. One whose server is gone is as one that was stopped.
"""

from __future__ import annotations

import json
import time

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from .database import Database
from .retention import Retention
from .schema import JOB_ROWS, JOBS
from .servers import is_free

_LIVE = JOBS.c.state.in_(("queued", "running"))
_GONE = is_free("jobs.server")
_ABOUT = [JOBS.c[name] for name in ("id", "kind", "owner", "asked", "created", "state", "said", "server")]


class JobRows:
    """Reads and writes them for the server with the key `own`; every method may raise `DatabaseProblemError`."""

    database: Database
    """To be set before it is used."""

    def __init__(self, own: int) -> None:
        self._own = own

    @property
    def answers(self) -> dict:
        """What answers which of the server's asks."""
        return {
            "job": self._read, "put_job": self._put, "claim_job": self._claim, "stop_job": self._stop, "look_at_jobs": self._look,
            "jobs_of": self._of, "newest_job": self._newest, "count_jobs": self._count, "tidy_jobs": self._tidy,
        }  # fmt: skip

    def _put(self, head: dict) -> tuple[dict, list[bytes]]:
        """Write how a job stands and its rows from number `since` on; answer whether it is this server's still.

        The first time it comes whole.
        """
        known = (JOBS.c.id == head["id"]) & (JOBS.c.server == self._own)
        values = {"state": head["state"], "said": json.dumps(head["said"]), "bytes": head["bytes"], "touched": time.time()}
        rows = [{"job": head["id"], "place": head["since"] + place, "data": row.encode()} for place, row in enumerate(head["rows"])]
        with self.database.transaction() as connection:
            if "whole" in head:
                whole = {**head["whole"], "spec": head["whole"]["spec"].encode(), **values, "id": head["id"], "server": self._own}
                connection.execute(insert(JOBS).values(whole).on_conflict_do_nothing())
            done = connection.execute(JOBS.update().where(known).values(values).returning(JOBS.c.id)).first() is not None
            if done and rows:
                connection.execute(insert(JOB_ROWS).values(rows).on_conflict_do_nothing())
        return {"done": done}, []

    def _read(self, head: dict) -> tuple[dict, list[bytes]]:
        """Answer with a job, null where there is none; the parts are what it asks for and its rows."""
        with self.database.snapshot():
            found = self._about(JOBS.c.id == head["id"])
            return {"job": found[0] if found else None}, self._parts(head["id"], 0) if found else []

    def _look(self, head: dict) -> tuple[dict, list[bytes]]:
        """Answer with the jobs that are `seen`, of which so many rows are known, and which of this server's are to be stopped.

        The parts are the rows that are new, by job as often as `new` says.
        """
        with self.database.snapshot():
            found, new, parts = self._about(JOBS.c.id.in_(list(head["seen"]))), [], []
            for job in found:
                rows = self._parts(job["id"], head["seen"][job["id"]])[1:]
                new.append(len(rows))
                parts += rows
            with self.database.reading() as connection:
                mine = (JOBS.c.server == self._own) & _LIVE & (JOBS.c.stopping == 1)
                stopping = list(connection.execute(select(JOBS.c.id).where(mine)).scalars())
        return {"jobs": found, "new": new, "stopping": stopping}, parts

    def _claim(self, head: dict) -> tuple[dict, list[bytes]]:
        """Make a job this server's own unless it goes on at another; answer whether it is."""
        free = (JOBS.c.id == head["id"]) & (~_LIVE | (JOBS.c.server == self._own) | _GONE)
        change = JOBS.update().where(free).values(server=self._own, state="queued", stopping=0, touched=time.time())
        with self.database.transaction() as connection:
            return {"done": connection.execute(change.returning(JOBS.c.id)).first() is not None}, []

    def _stop(self, head: dict) -> tuple[dict, list[bytes]]:
        """Have whichever server computes a job stop it."""
        with self.database.transaction() as connection:
            connection.execute(JOBS.update().where(JOBS.c.id == head["id"]).values(stopping=1))
        return {}, []

    def _of(self, head: dict) -> tuple[dict, list[bytes]]:
        return {"jobs": self._about(JOBS.c.owner == head["owner"])}, []

    def _newest(self, head: dict) -> tuple[dict, list[bytes]]:
        """Answer with the id of the newest job that has finished computing just this."""
        query = select(JOBS.c.id).where(JOBS.c.asked == head["asked"], JOBS.c.state == "finished").order_by(JOBS.c.created.desc())
        with self.database.reading() as connection:
            return {"id": connection.execute(query.limit(1)).scalar()}, []

    def _count(self, head: dict) -> tuple[dict, list[bytes]]:
        """Answer with how many jobs of an owner wait or compute at other servers."""
        theirs = (JOBS.c.owner == head["owner"]) & _LIVE & (JOBS.c.server != self._own) & ~_GONE
        with self.database.reading() as connection:
            return {"count": connection.execute(select(func.count()).where(theirs)).scalar()}, []

    def _tidy(self, head: dict) -> tuple[dict, list[bytes]]:
        """Remove what is over the retention."""
        with self.database.transaction() as connection:
            columns = JOBS.c.id, JOBS.c.touched, JOBS.c.bytes, (_LIVE & ~_GONE).label("live")
            files = connection.execute(select(*columns).order_by(JOBS.c.touched)).all()
            ended = [(name, touched, size) for name, touched, size, live in files if not live]
            kept = sum(size for *_, size, live in files if live)
            gone = Retention(head["days"], head["megabytes"]).overdue(ended, time.time(), kept)
            connection.execute(JOBS.delete().where(JOBS.c.id.in_(gone)))
            connection.execute(JOB_ROWS.delete().where(JOB_ROWS.c.job.in_(gone)))
        return {}, []

    def _about(self, which) -> list[dict]:
        """Return what is known of jobs but for what they ask for and their rows, the newest first."""
        query = select(*_ABOUT, _GONE.label("gone")).where(which).order_by(JOBS.c.created.desc(), JOBS.c.id)
        with self.database.reading() as connection:
            found = [dict(row) for row in connection.execute(query).mappings()]
        for row in found:
            row |= {"said": json.loads(row["said"]), "mine": row.pop("server") == self._own}
        return found

    def _parts(self, job_id: str, since: int) -> list[bytes]:
        """Return what a job asks for, and its rows from number `since` on."""
        rows = select(JOB_ROWS.c.data).where(JOB_ROWS.c.job == job_id, JOB_ROWS.c.place >= since).order_by(JOB_ROWS.c.place)
        with self.database.reading() as connection:
            spec = connection.execute(select(JOBS.c.spec).where(JOBS.c.id == job_id)).scalar()
            return [spec, *connection.execute(rows).scalars()]
