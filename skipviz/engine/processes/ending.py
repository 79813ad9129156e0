"""How a worker's process ended, in a sentence that says no more than is known. Imports no torch."""

from __future__ import annotations

import signal
from collections import deque
from contextlib import suppress
from pathlib import Path

from ..capacity.limits import written

EVENTS = (Path("/sys/fs/cgroup/memory.events"), Path("/proc/vmstat"))
"""Where the system counts the processes that it ended for want of memory: of this container, else of the machine."""
RECENT_SECONDS = 5.0
"""How long before a worker is missed the system may have ended it."""


class MemoryKills:
    """Knows whether the system has just ended a process for want of memory."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def look(self, now: float) -> None:
        """Count now, to be asked later what is new; done again and again."""
        self._seen.append((now, _count()))
        while len(self._seen) > 1 and self._seen[1][0] <= now - RECENT_SECONDS:
            self._seen.popleft()

    def any(self) -> bool:
        """Return whether there was one within the last seconds."""
        return bool(self._seen) and _count() > self._seen[0][1]


def _count() -> int:
    for path in EVENTS:
        with suppress(OSError, ValueError):
            for line in path.read_text().splitlines():
                name, _, count = line.partition(" ")
                if name == "oom_kill":
                    return int(count)
    return 0


def sentence(status: int | None, memory_ran_out: bool, held_mb: float | None, whose: str = "run") -> str:
    """Return why a run, or a job, failed whose worker's process ended.

    `status` is its exit status (negative: a signal; None: nobody knows); `memory_ran_out` whether the system has ended a process
    for want of memory just then; `held_mb` what the worker held of its own when that was last measured.
    """
    if status is None:
        return f"the {whose}'s worker is gone"
    if status >= 0:
        return f"the {whose}'s worker ended on its own (exit status {status})"
    if status != -signal.SIGKILL:
        return f"the {whose}'s worker was ended by signal {-status} ({signal.strsignal(-status) or 'unknown'})"
    held = "" if held_mb is None else f"; it held {written(held_mb)} of memory"
    if memory_ran_out:
        return f"the system ended the {whose}'s worker because memory ran out{held}"
    return f"the {whose}'s worker was ended by signal 9 (killed){held}"
