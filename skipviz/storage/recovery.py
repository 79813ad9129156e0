"""What becomes of a run whose server is gone."""

from __future__ import annotations

import json
import time

from .chunks import Frames
from .database import written
from .run import GAP, GUEST

CUT_OFF = "the server was stopped before this run had ended"


def cut_off(row: dict, frames: Frames, moves: bool = False) -> dict:
    """Return the columns that mark a live run as interrupted; viewers of what was lost begin anew.

    One that `moves` to another server has a mark where it goes on.
    """
    facts = json.loads(row["facts"])
    if moves and row["header"] is not None:
        facts["moved"] = [*facts.get("moved", []), row["checkpoint"] or 0]
    facts["base"] += max(facts["frames"], frames.last_place(row["edition"]) + 1) + len(facts["marks"]) + GAP
    facts["marks"] = []
    return {"id": row["id"], "facts": written(facts), "state": "interrupted", "reason": CUT_OFF, "ended": time.time()}


def goes_on(row: dict) -> bool:
    """Return whether a run goes on by itself at the server that takes it over: whose script is gone, or nobody's own, does not."""
    return row["owner"] not in ("", GUEST)
