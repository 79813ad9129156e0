"""What a store writer has to do with the other servers of its database: it follows their runs, and tells of its own.

From the server, heads with a `word`:

    follow    a run of another server, of which it has an `edition` with a `base`, and the frames before `place`
    unfollow  a run
    seen      that somebody looks at a run of another server
    place     the address at which a lab stands
To the server:

    news      of a run that is followed: its row and the frames that are new, or, where `whole`, all of it
    gone      a run that was followed is kept no longer
    changed   runs that another server took, renamed or removed
    seen      that somebody looks at a run at another server
    looked    that the database answers, or the `problem` why nothing new of others comes
    others    of the runs in line at other servers their turn, when they were created and whose they are; and how many each browser
              has `under_way` there
    labs      versions that other servers have written of labs' documents
"""

from __future__ import annotations

import contextlib
import json
import queue
from collections.abc import Callable
from dataclasses import dataclass

from pyarrow import ArrowException
from sqlalchemy import JSON, cast, func, select

from .chunks import Frames
from .commands import Commands
from .database import Database, DatabaseProblemError
from .documents import Documents
from .job_rows import JobRows
from .notices import Listener, notify
from .schema import RUNS


@dataclass
class _Followed:
    """How far the server has a run of another one."""

    edition: int
    base: int
    place: int
    headed: bool


class Exchange:
    """The others as the server with the key `own` deals with them. What reads or writes may raise `DatabaseProblemError`."""

    WORDS = ("notice", "follow", "unfollow", "seen", "place", *Commands.WORDS)

    def __init__(self, own: int, frames: Callable[[str], Frames], tell: Callable[..., None]) -> None:
        self._own, self._frames, self._tell = own, frames, tell
        self._database: Database | None = None
        self._commands, self._documents, self._jobs = Commands(own, tell), Documents(own), JobRows(own)
        self.left: set[int] = set()
        """Keys of servers that said that they are gone."""
        self._others: dict[str, list] = {}
        self._places: dict[str, dict] = {}
        self._followed: dict[str, _Followed] = {}
        self._due: set[str] = set()
        self._sees: set[str] = set()

    def open(self, database: Database, url: str, inbox: queue.SimpleQueue) -> None:
        """Begin to hear the others."""
        self._database = self._commands.database = self._documents.database = self._jobs.database = database
        Listener(url, self._own, inbox)

    @property
    def answers(self) -> dict:
        """What answers which of the server's asks."""
        return {**self._documents.answers, **self._jobs.answers, "look": self._answer_look, "settle": lambda head: ({}, [])}

    def _answer_look(self, head: dict) -> tuple[dict, list[bytes]]:
        self.look()
        return {}, []

    def take(self, head: dict) -> None:
        """Take a message with one of `WORDS`."""
        word = head["word"]
        if word == "notice":
            self._hear(head)
        elif word == "follow":
            self._followed[head["id"]] = _Followed(head["edition"], head["base"], head["place"], head["headed"])
            self._due.add(head["id"])
        elif word == "unfollow":
            self._followed.pop(head["id"], None)
            self._due.discard(head["id"])
        elif word == "place":
            self._places[head["id"]] = head
        elif word == "seen":
            self._sees.add(head["id"])
        else:
            self._commands.take(head)

    def wrote(self, run_ids: list[str]) -> None:
        """Tell those who follow runs of what the transaction that is under way has written of them."""
        with self._database.transaction() as connection:
            notify(connection, self._own, runs=run_ids)

    def changed(self, run_ids: list[str]) -> None:
        """Tell all servers, with the transaction that is under way, that runs are another's now, have another name, or are gone."""
        self._commands.look()
        with self._database.transaction() as connection:
            notify(connection, self._own, changed=run_ids)

    def leave(self) -> None:
        """Tell the others that this server is gone and has written all that it had, so that they need not make sure."""
        with contextlib.suppress(DatabaseProblemError), self._database.transaction() as connection:
            notify(connection, self._own, left=self._own)

    def work(self) -> None:
        """Do what is due; what the database does not take now stays due."""
        with contextlib.suppress(DatabaseProblemError):
            self._work()

    def _work(self) -> None:
        if self._sees:
            with self._database.transaction() as connection:
                notify(connection, self._own, seen=[*self._sees])
            self._sees.clear()
        self._commands.work()
        while self._places:
            identifier = next(iter(self._places))
            self._documents.place(self._places[identifier])
            del self._places[identifier]
        while self._due:
            run_id = next(iter(self._due))
            with contextlib.suppress(ArrowException):  # what cannot be read is asked for again with the run's next news
                self._fetch(run_id, self._followed[run_id])
            self._due.discard(run_id)

    def look(self) -> None:
        """Tell the server whether the database answers, and what others have in line and under way."""
        try:
            self._look()
        except DatabaseProblemError as problem:
            self._tell({"word": "looked", "problem": str(problem)})
            raise
        self._tell({"word": "looked", "problem": None})

    def _look(self) -> None:
        theirs, (turn, since) = RUNS.c.server != self._own, (cast(RUNS.c.facts, JSON)["turn"][place].as_float() for place in (0, 1))
        waiting = select(func.coalesce(turn, 0.0), func.coalesce(since, RUNS.c.created), RUNS.c.created, RUNS.c.owner)
        under_way = select(RUNS.c.owner, func.count()).where(theirs, RUNS.c.state.in_(("running", "paused"))).group_by(RUNS.c.owner)
        with self._database.reading() as connection:
            waiting = connection.execute(waiting.where(theirs, RUNS.c.state == "queued").order_by(RUNS.c.id)).all()
            under_way = connection.execute(under_way.order_by(RUNS.c.owner)).all()
        others = {"waiting": [list(row) for row in waiting], "under_way": [list(row) for row in under_way]}
        if others != self._others:
            self._others = others
            self._tell({"word": "others", **others})

    def tidy(self, days: float) -> None:
        """Remove what nobody waits for any more, and labs that nobody has changed for so many days."""
        self._commands.tidy()
        self._documents.tidy(days)

    def _hear(self, told: dict) -> None:
        self._commands.hear(told)
        if "left" in told:
            self.left.add(told["left"])
        if told.get("missed"):
            self._due |= self._followed.keys()
        self._due |= self._followed.keys() & {*told.get("runs", ()), *told.get("changed", ())}
        if others := [run_id for run_id in told.get("changed", ()) if run_id not in self._followed]:
            self._tell({"word": "changed", "runs": others})
        if "labs" in told:
            self._tell({"word": "labs", "labs": told["labs"]})
        if "seen" in told:
            self._tell({"word": "seen", "runs": told["seen"]})

    def _fetch(self, run_id: str, known: _Followed) -> None:
        """Tell the server what it lacks of a run: row and frames as they were at one moment."""
        with self._database.snapshot():
            row = self._database.row(run_id)
            if row is None:
                self._followed.pop(run_id)
                self._tell({"word": "gone", "id": run_id})
                return
            facts = json.loads(row["facts"])
            whole = (row["edition"], facts["base"]) != (known.edition, known.base)
            rows = self._frames(run_id).rows(row["edition"], -1 if whole else known.place - 1)
        experiment, header = row.pop("experiment"), row.pop("header") or b""
        head = {"word": "news", "id": run_id, "row": row, "whole": whole, "rows": [[found.place, found.keep] for found in rows]}
        first = [experiment if whole else b"", header if whole or not known.headed else b""]
        self._tell(head, [*first, *(found.payload for found in rows)])
        self._followed[run_id] = _Followed(row["edition"], facts["base"], facts["frames"], known.headed or bool(header))
