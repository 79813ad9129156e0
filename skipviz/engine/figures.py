"""The engine in figures, for whoever watches a server: counters kept as things happen, memory sampled when asked."""

from __future__ import annotations

import statistics
import threading
import time
from bisect import bisect_left
from collections import deque
from collections.abc import Iterable
from typing import Any

import psutil

SAMPLE_SECONDS = 5.0
"""Age up to which a sample of the workers' memory is given again: reading it costs milliseconds a process."""
RECENT_SECONDS = 600.0
"""How far back waits in line are remembered."""
RATE_SECONDS = 5.0
"""Shortest time over which steps a second are reckoned."""
WAIT_BOUNDS = (0.1, 1.0, 5.0, 15.0, 60.0, 300.0, 1800.0)
"""Seconds in line up to which waits are counted together, from unnoticed to given up; longer ones count beside them."""


class Figures:
    """Counts frames, steps and waits. Any thread may count; nothing here takes the engine's lock."""

    def __init__(self) -> None:
        self.frames_received = 0
        """Frames that workers sent, on the engine's thread only."""
        self._frames_sent = 0
        self._steps = 0
        self._waits: deque[tuple[float, float]] = deque(maxlen=1000)
        self._wait_counts = [0] * (len(WAIT_BOUNDS) + 1)
        self._wait_sum = 0.0
        self._rate = (time.monotonic(), 0, 0.0)
        self._memory = (0.0, 0.0)
        self._lock = threading.Lock()

    def sent(self, frames: int) -> None:
        """Count frames that went to a viewer."""
        with self._lock:
            self._frames_sent += frames

    def stepped(self, steps: int) -> None:
        """Count steps that a worker took."""
        self._steps += steps

    def waited(self, seconds: float) -> None:
        """Note how long a run that begins now was in line."""
        self._waits.append((time.monotonic(), seconds))
        self._wait_counts[bisect_left(WAIT_BOUNDS, seconds)] += 1
        self._wait_sum += seconds

    def queue_wait_seconds(self) -> float:
        """Return the median wait of the runs that began lately; 0 where none did."""
        since = time.monotonic() - RECENT_SECONDS
        recent = [seconds for at, seconds in list(self._waits) if at >= since]
        return statistics.median(recent) if recent else 0.0

    def steps_a_second(self) -> float:
        """Return the steps a second of all runs together since the last time it was asked, at least some seconds ago."""
        with self._lock:
            at, steps, rate = self._rate
            now = time.monotonic()
            if now - at >= RATE_SECONDS:
                rate = (self._steps - steps) / (now - at)
                self._rate = (now, self._steps, rate)
            return rate

    def worker_memory_mb(self, pids: Iterable[int]) -> float:
        """Return the MB that the processes hold for themselves, a few seconds old at most."""
        with self._lock:
            at, megabytes = self._memory
            if time.monotonic() - at >= SAMPLE_SECONDS:
                megabytes = sum(map(own_memory_mb, pids))
                self._memory = (time.monotonic(), megabytes)
            return megabytes

    def to_data(self) -> dict[str, Any]:
        """Return what is only counted here."""
        return {
            "frames_received": self.frames_received,
            "frames_sent": self._frames_sent,
            "queue_wait_seconds": self.queue_wait_seconds(),
            "queue_wait_counts": tuple(self._wait_counts),
            "queue_wait_sum": self._wait_sum,
            "steps": self._steps,
            "steps_a_second": self.steps_a_second(),
        }


def own_memory_mb(pid: int) -> float:
    """Return the MB that only this process holds (what ending it would free); 0 for one that is gone."""
    try:
        return psutil.Process(pid).memory_full_info().uss / 2**20
    except psutil.Error:
        return 0.0
