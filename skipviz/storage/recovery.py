"""What becomes of runs whose server is gone."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable

from .database import Database, written
from .kept import Kept
from .run import ENDED, GAP, GUEST, STATES

CUT_OFF = "the server was stopped before this run had ended"


class Recovery:
    """Brings the rows of such runs into order; `kept(run_id)` is what is kept of a run beside its row."""

    def __init__(self, database: Database, kept: Callable[[str], Kept]) -> None:
        self._database, self._kept = database, kept

    def interrupt(self) -> list[str]:
        """Mark every live run as interrupted, and return those that are to go on by themselves: an orderly stop ended them."""
        with self._database.transaction():
            for row in self._database.with_states(state for state in STATES if state not in ENDED):
                self._cut_off(self._database.row(row["id"]))
        return [row["id"] for row in self._database.with_states(["interrupted"]) if row["restart"]]

    def take_over(self, rows: Iterable[dict], server: int) -> list[str]:
        """Make the runs of a server that is gone those of another, and return which go on there by themselves, from a mark on."""
        taken = []
        for row in rows:
            goes_on = row["owner"] not in ("", GUEST)  # whose script is gone, or nobody's own, does not
            if row["state"] == "interrupted":
                self._database.write([{"id": row["id"], "server": server}])
            else:
                self._cut_off(row, goes_on, server=server, restart=int(goes_on))
            taken += [row["id"]] * goes_on
        return taken

    def _cut_off(self, row: dict, moves: bool = False, **more) -> None:
        """Mark a live run as interrupted; viewers of what was lost begin anew."""
        kept, facts = self._kept(row["id"]), json.loads(row["facts"])
        kept.keep_only(row, live=False)
        facts["base"] += max(facts["frames"], kept.frames.last_place(row["edition"]) + 1) + len(facts["marks"]) + GAP
        facts["marks"] = []
        if moves and row["header"] is not None:
            facts["moved"] = [*facts.get("moved", []), row["checkpoint"] or 0]
        ended = {"state": "interrupted", "reason": CUT_OFF, "ended": time.time(), "bytes": kept.bytes()}
        self._database.write([{"id": row["id"], "facts": written(facts), **ended, **more}])
