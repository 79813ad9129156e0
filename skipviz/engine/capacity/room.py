"""The memory that is free on this machine now, and the refusal of a run that would not fit in it. Imports no torch."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import psutil

from .limits import written

CGROUP = Path("/sys/fs/cgroup")


def free_mb() -> float:
    """Return the MB that processes may still take: the machine's, or what is left of its container's share."""
    free = psutil.virtual_memory().available
    with suppress(OSError, ValueError, KeyError):
        limit, used = (int((CGROUP / name).read_text()) for name in ("memory.max", "memory.current"))
        figures = dict(line.split() for line in (CGROUP / "memory.stat").read_text().splitlines())
        free = min(free, limit - used + int(figures["inactive_file"]))  # pages of files are given up when memory is short
    return max(free, 0) / 2**20


def refusal(needed_mb: float, node_mb: float | None = None) -> str | None:
    """Return one sentence that says why a run that needs so much cannot start now, or None.

    `node_mb` is what the largest node of a cluster has, where runs compute on one.
    """
    free = free_mb() if node_mb is None else node_mb
    if needed_mb <= free:
        return None
    whose = "this machine has" if node_mb is None else "no node of the cluster has more than"
    return (
        f"this experiment needs about {written(needed_mb)} of memory and {whose} {written(free)} free now:"
        " make it narrower, shallower, or its batches smaller, or try again later"
    )
