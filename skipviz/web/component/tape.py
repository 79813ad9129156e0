"""The last messages of some runs for one page that reads them from time to time. Imports no streamlit.

A page may miss a reading: each message says from where it goes on, and the last few are offered again and again. A page
that finds a gap has the tape rewound, which then begins with the whole run.
"""

from __future__ import annotations

import json

KEPT = 4
"""Messages offered at a time."""


class Tape:
    """What one page is offered of its runs; `batches` is a list of {n, run, from, text}, oldest first."""

    def __init__(self) -> None:
        self.batches: list[dict] = []
        self._places: dict[str, tuple] = {}
        self._count = 0

    def rewind(self) -> None:
        """Begin every run anew with its snapshot."""
        self.batches.clear()
        self._places.clear()

    def take(self, engine, runs: list[str]) -> None:
        """Add what `runs` have to tell since the last time; what others had to tell is forgotten."""
        self._places = {run_id: place for run_id, place in self._places.items() if run_id in runs}
        self.batches = [batch for batch in self.batches if batch["run"] in runs]
        for run_id in runs:
            self._take(engine.run(run_id), run_id)
        del self.batches[:-KEPT]

    def _take(self, run, run_id: str) -> None:
        before = self._places.get(run_id)
        if run is None:
            if before != (-1, -1):
                self._places[run_id] = (-1, -1)
                self._add(run_id, None, json.dumps({"run": run_id, "gone": True}))
            return
        now = (run.sequence, run.beside)
        if before == now:
            return
        behind = before is not None and run.base <= before[0] <= now[0]
        sequence, body = run.update(before[0]) if behind else run.snapshot()
        self._places[run_id] = (sequence, now[1])
        self._add(run_id, before[0] if behind else None, body.decode())

    def _add(self, run_id: str, begin: int | None, text: str) -> None:
        self._count += 1
        self.batches.append({"n": self._count, "run": run_id, "from": begin, "text": text})
