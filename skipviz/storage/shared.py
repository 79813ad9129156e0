"""A store whose database other servers share: it shows their runs as they write them. Imports no torch and no streamlit."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Callable
from pathlib import Path

from ..tasks.experiment import Experiment
from .memory import StoreError, StoreTimeoutError
from .message import Message
from .mirror import Mirror, shown
from .record import Record, run_from
from .recorded import RecordedStore
from .retention import Retention
from .run import Run
from .store_client import SILENT

COMMAND_SECONDS = 10.0
"""How long another server's answer is waited for: longer than it takes to relieve one that is gone."""

LAB_SECONDS = 3.0
"""How long a lab's document is waited for; then a lab goes on with what is known of it here."""

LOOKING_SECONDS = 1.0
"""How long who starts a run waits for what other servers have of its browser's."""

SETTLING_SECONDS = 5.0
"""How long who starts a run or a job, or does something to one, waits at most for that to be in the database."""

AWAY_SECONDS = 1.0
"""For which no lab's document is asked for after one could not be had: else every page waited for each that it shows."""


class SharedStore(RecordedStore):
    """Keeps runs in the database at a URL; of other servers' runs it follows those that are in memory.

    All from a thread of the store's, and none may ask it: `on_away(problem)` is told again and again why nothing new of other
    servers' runs comes, or None: it does, `on_news(message)` is told what `take_news` takes, `on_changed(ids)` that
    runs may be another server's by now, have another name, or are gone, `on_seen(ids)` that somebody looks at runs elsewhere,
    `on_command(run_id, body, answer)` what another server wants done to a run, which `answer(data)` answers, `on_labs(pairs)` which
    versions of labs' documents are new, and `on_others(waiting, under_way)` what other servers have in line and under way.
    """

    def __init__(
        self, folder: Path, total_bytes: int, run_bytes: int, retention: Retention, database_url: str, blobs: str = ""
    ) -> None:
        super().__init__(folder, total_bytes, run_bytes, retention, database_url, blobs)
        self._mirrors: dict[str, Mirror] = {}
        self._ask_again = 0.0
        self.on_away: Callable[[str | None], None] = lambda problem: None
        self.on_news: Callable[[Message], None] = lambda came: None
        self.on_changed: Callable[[list[str]], None] = lambda run_ids: None
        self.on_seen: Callable[[list[str]], None] = lambda run_ids: None
        self.on_others: Callable[[list, list], None] = lambda waiting, under_way: None
        self.on_labs: Callable[[list], None] = lambda versions: None
        self.on_command: Callable[[str, dict, Callable[[dict], None]], None] = lambda run_id, body, answer: None

    def runs(self) -> list[Run]:
        """Return this server's own runs in memory, oldest first."""
        return [run for run in super().runs() if run.id not in self._foreign]

    def mirrored(self) -> list[Run]:
        """Return the runs in memory that are other servers'."""
        return [mirror.run for mirror in list(self._mirrors.values())]

    def look(self) -> None:
        with contextlib.suppress(StoreError):  # else what was known last counts
            if self.trouble is None:
                self._store_client.ask({"word": "look"}, LOOKING_SECONDS)

    def hand_on(self, run: Run) -> None:
        self.note(run)
        self.settle()

    def settle(self) -> None:
        """Wait until all that was noted of runs is in the database, where every server finds it, or nothing is written."""
        with contextlib.suppress(StoreError):
            if self.trouble is None:
                self._store_client.ask({"word": "settle"}, SETTLING_SECONDS)

    def is_elsewhere(self, run_id: str) -> bool:
        """Return whether a run in memory is another server's."""
        return run_id in self._foreign

    def tell_seen(self, run_id: str) -> None:
        """Let the server of a run hear that somebody looks at it here."""
        self._store_client.tell({"word": "seen", "id": run_id})

    def command(self, run_id: str, body: dict) -> dict:
        """Have a run's server do something, and return its answer; may wait. Raises `StoreError`."""
        command = secrets.token_urlsafe(12)
        try:
            head = {"word": "command", "command": command, "run": run_id, "body": body}
            return self._store_client.ask(head, COMMAND_SECONDS).head["answer"]
        except StoreTimeoutError:
            self._store_client.tell({"word": "withdraw", "command": command})
            raise StoreError("the server that trains this run does not answer: try again in a while") from None

    def read_lab(self, identifier: str, version: int) -> tuple[dict, bytes | None] | None:
        """Return a lab's row and its document, or None for that where it is of the version that is known; None: there is none.

        May wait. Raises `StoreError`.
        """
        row, parts = self._ask({"word": "lab", "id": identifier, "version": version})
        return None if row["row"] is None else (row["row"], parts[0] if parts else None)

    def put_lab(self, row: dict, data: str, before: int) -> bool:
        """Put a lab's document in the place of the version `before`; False where it is another. May wait. Raises `StoreError`."""
        return self._ask({"word": "put_lab", "row": row, "data": data, "before": before}).head["done"]

    def find_lab(self, owner: str, **where: str) -> str | None:
        """Return the id of the newest lab of `owner` that shows a `run`, or stands at a `place`. May wait. Raises `StoreError`."""
        return self._ask({"word": "find_lab", "owner": owner, **where}).head["id"]

    def place_lab(self, identifier: str, place: str) -> None:
        """Note the address at which a lab stands."""
        self._store_client.tell({"word": "place", "id": identifier, "place": place})

    def ask_of_jobs(self, word: str, **given) -> Message:
        """Ask what `storage.job_rows` answers of the jobs that servers share. May wait. Raises `StoreError`."""
        if self.trouble is not None:
            raise StoreError(self.trouble)
        return self._store_client.ask({"word": word, **given}, SETTLING_SECONDS)

    def _ask(self, head: dict) -> Message:
        if time.monotonic() < self._ask_again:
            raise StoreError("the documents of labs could not be had just now")
        try:
            return self._store_client.ask(head, LAB_SECONDS)
        except StoreError:
            self._ask_again = time.monotonic() + AWAY_SECONDS
            raise

    def posted(self, run_id: str, experiment: Experiment, edits: int) -> None:
        """Show the experiment that a run's server has, with all that was done to it up to a version of its `edits`."""
        mirror = self._mirrors.get(run_id)
        if mirror is not None:
            mirror.posted(experiment, edits)

    def let_go(self, run_id: str) -> None:
        """Forget a run of another server here."""
        super(RecordedStore, self).delete(run_id)
        self._forget(run_id)

    def take_news(self, came: Message) -> bool:
        """Bring a run of another server to where that one has written it; False where it is not shown here any more.

        For one thread at a time, under the lock that guards changes to runs.
        """
        head, (experiment, header, *payloads) = came.head, came.parts
        mirror, run_id = self._mirrors.get(head["id"]), head["id"]
        if mirror is None:
            return False
        frames = [(place, keep, payload) for (place, keep), payload in zip(head["rows"], payloads, strict=True)]
        if head["whole"]:
            self._mirrors[run_id] = mirror = Mirror(run_from(head["row"], frames, experiment, header))
            super().add(mirror.run)
        with self._lock:
            before = mirror.run.bytes
            mirror.bring_up(head["row"], [] if head["whole"] else frames, header)
            self._bytes += mirror.run.bytes - before
            self._evict(mirror.run)
        return True

    def reread(self, run_id: str) -> bool:
        """Take a run in memory as it is written by now, unless it goes on here; False where it is in memory no more. May wait.

        Raises `StoreError`.
        """
        with self._loading:
            run = self.get(run_id)
            if run is None or (not run.ended and run_id not in self._foreign):
                return run is not None
            if self._load(run_id) is None:
                self.let_go(run_id)
                return False
        return True

    def claim(self, run_id: str) -> bool:
        claimed = super().claim(run_id)
        if claimed:
            self._unfollow(run_id)
        return claimed

    def _told(self, came: Message) -> None:
        word = came.head["word"]
        if word == "ready":
            for mirror in list(self._mirrors.values()):
                self._follow(mirror)
        elif word == "looked":
            self.on_away(came.head["problem"])
        elif word == "news":
            self.on_news(came)
        elif word == "gone":
            self.on_changed([came.head["id"]])
        elif word == "changed":
            self.on_changed(came.head["runs"])
        elif word == "seen":
            self.on_seen(came.head["runs"])
        elif word == "others":
            self.on_others(came.head["waiting"], came.head["under_way"])
        elif word == "labs":
            self.on_labs(came.head["labs"])
        elif word == "command":
            command, tell = came.head["command"], self._store_client.tell
            answered = {"word": "answered", "command": command}
            self.on_command(came.head["run"], came.head["body"], lambda answer: tell({**answered, "answer": answer}))

    def _troubled(self, sentence: str | None) -> None:
        super()._troubled(sentence)
        if sentence == SILENT:
            self.on_away(sentence)

    def _load(self, run_id: str) -> Run | None:
        run = super()._load(run_id)
        if run is not None and run_id in self._foreign:
            self._mirrors[run_id] = mirror = Mirror(run)
            self._follow(mirror)
        return run

    def _follow(self, mirror: Mirror) -> None:
        run, counts = mirror.run, mirror.run.count_facts()
        known = {"edition": run.edition, "base": counts["base"], "place": counts["frames"], "headed": run.header_json is not None}
        self._store_client.tell({"word": "follow", "id": run.id, **known})

    def _unfollow(self, run_id: str) -> None:
        if self._mirrors.pop(run_id, None) is not None:
            self._store_client.tell({"word": "unfollow", "id": run_id})

    def _forget(self, run_id: str) -> None:
        super()._forget(run_id)
        self._unfollow(run_id)

    def _record(self, run_id: str, place: int, edition: int) -> Record | None:
        record = super()._record(run_id, place, edition)
        if record is not None:
            record.row["facts"].update(shown(self._recorders[run_id].run))
        return record
