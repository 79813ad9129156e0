"""How long runs are kept, as a rule and as a sentence."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

DAY = 24 * 3600.0


class Retention(NamedTuple):
    """Ended runs go when they are older than `days`, and the oldest first when all together are larger than `megabytes`."""

    days: float
    megabytes: int

    def sentence(self) -> str:
        """Return the rule for a person."""
        days = "a day" if self.days == 1 else f"{self.days:g} days"
        size = f"{self.megabytes / 1024:g} GB" if self.megabytes >= 1024 and self.megabytes % 512 == 0 else f"{self.megabytes:,} MB"
        return f"Runs are kept for {days} after their end, and while all runs here take less than {size}; then the oldest go first."

    def overdue(self, ended: Iterable[tuple[str, float, int]], now: float, live_bytes: int = 0) -> list[str]:
        """Return which runs go, of (id, end, bytes) with the one that ended first first; runs that go on are not asked about."""
        runs = list(ended)
        total, gone = live_bytes + sum(size for _, _, size in runs), []
        for run_id, end, size in runs:
            if end < now - self.days * DAY or total > self.megabytes * 2**20:
                gone.append(run_id)
                total -= size
        return gone
