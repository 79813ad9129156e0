"""What one server of a database wants done to another's run: a row that the run's server takes, does and answers.

Only the store writer's process uses it.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from .database import Database
from .notices import notify
from .schema import COMMANDS, RUNS
from .servers import is_free


class Commands:
    """The commands as the server with the key `own` deals with them; `tell(head)` tells that server.

    From the server come heads with the word `command` (with an `ask` number: the answer comes when it was done), `answered` (what
    this server did of another's) and `withdraw` (one that was waited for too long); `command` goes to it. `work` and `tidy` may
    raise `DatabaseProblemError`.
    """

    WORDS = ("command", "answered", "withdraw")
    database: Database
    """To be set before `work`."""

    def __init__(self, own: int, tell: Callable[[dict], None]) -> None:
        self._own, self._tell = own, tell
        self._said: list[dict] = []
        self._waiting: dict[str, int] = {}
        """The numbers of asks that wait for the answer to a command."""
        self._look, self._answered = True, False
        """Whether there may be commands for this server, and answers."""

    def take(self, head: dict) -> None:
        """Take a message with one of `WORDS`; a command that is withdrawn before it is in the table never comes there."""
        kept = [said for said in self._said if (head["word"], said["command"]) != ("withdraw", head["command"])]
        if len(kept) == len(self._said):
            self._said.append(head)
        else:
            self._said = kept

    def hear(self, told: dict) -> None:
        """Take a notice."""
        self._look |= not told.keys().isdisjoint(("command", "changed", "missed"))
        self._answered |= "missed" in told or told.get("answered") in self._waiting

    def look(self) -> None:
        """Look at the next `work` whether commands wait for this server, which has taken over runs."""
        self._look = True

    def work(self) -> None:
        """Do what is due, each in one transaction; what fails stays due."""
        done = {"command": self._leave, "answered": self._answer, "withdraw": self._withdraw}
        while self._said:
            done[self._said[0]["word"]](self._said[0])
            del self._said[0]
        if self._look:
            for found in self._taken():
                self._tell({"word": "command", **found})
            self._look = False
        if self._answered:
            for command, answer in self._answers():
                self._tell({"word": "answer", "ask": self._waiting.pop(command), "answer": json.loads(answer)})
                self._remove(command)
            self._answered = False

    def tidy(self) -> None:
        """Remove what was asked by servers that are gone."""
        with self.database.transaction() as connection:
            connection.execute(COMMANDS.delete().where(is_free("commands.asker")))

    def _leave(self, head: dict) -> None:
        """Leave a command for whichever server has a run, or will have it next; said twice it is left once."""
        self._waiting[head["command"]] = head["ask"]
        row = {"id": head["command"], "run": head["run"], "asker": self._own, "body": json.dumps(head["body"])}
        with self.database.transaction() as connection:
            connection.execute(insert(COMMANDS).values(row).on_conflict_do_nothing())
            notify(connection, self._own, command=head["run"])
        self._look = self._answered = True

    def _answer(self, head: dict) -> None:
        with self.database.transaction() as connection:
            answer = COMMANDS.update().where(COMMANDS.c.id == head["command"]).values(answer=json.dumps(head["answer"]))
            connection.execute(answer)
            notify(connection, self._own, answered=head["command"])
        self._answered |= head["command"] in self._waiting

    def _withdraw(self, head: dict) -> None:
        """Remove a command that nobody has taken, so that nobody does it later."""
        self._waiting.pop(head["command"], None)
        with self.database.transaction() as connection:
            connection.execute(COMMANDS.delete().where(COMMANDS.c.id == head["command"], COMMANDS.c.taken.is_(None)))

    def _taken(self) -> list[dict]:
        """Take the commands for this server's runs that nobody has taken yet."""
        mine = (RUNS.c.id == COMMANDS.c.run) & (RUNS.c.server == self._own) & COMMANDS.c.taken.is_(None)
        change = COMMANDS.update().where(mine).values(taken=self._own)
        with self.database.transaction() as connection:
            found = connection.execute(change.returning(COMMANDS.c.id, COMMANDS.c.run, COMMANDS.c.body)).all()
        return [{"command": command, "run": run, "body": json.loads(body)} for command, run, body in found]

    def _answers(self) -> list[tuple[str, str]]:
        """Return the answers that are there."""
        done = COMMANDS.c.id.in_([*self._waiting]) & COMMANDS.c.answer.is_not(None)
        with self.database.reading() as connection:
            return connection.execute(select(COMMANDS.c.id, COMMANDS.c.answer).where(done)).all()

    def _remove(self, command: str) -> None:
        """Remove a command whose answer was told: told first, so that it is never asked for twice."""
        with self.database.transaction() as connection:
            connection.execute(COMMANDS.delete().where(COMMANDS.c.id == command))
