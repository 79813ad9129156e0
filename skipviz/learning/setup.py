"""How a process is made ready for training; called by workers and command lines, never at import."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

import torch

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""glibc's numbers of these settings (malloc.h)."""
KEPT_BYTES, MAPPED_BYTES = 256 << 20, 32 << 20
"""Freed memory is kept up to the first; blocks from the second on are mapped one by one (glibc takes no more)."""


def prepare(threads: int = 1) -> None:
    """Set this process's thread count and flush denormals to zero.

    Vanishing gradients end as denormals, on which a CPU is ten times slower; one thread is the fastest for small
    networks and keeps several runs on one machine from taking each other's cores.
    """
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    keep_freed_memory()


@contextmanager
def as_in_a_run() -> Iterator[None]:
    """Compute with a run's threads and denormals, and give the caller's back: both decide on the last bits of a result."""
    threads, flushed = torch.get_num_threads(), flushes_denormals()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.set_flush_denormal(flushed)


def flushes_denormals() -> bool:
    """Return whether this thread flushes denormals to zero; torch does not say."""
    smallest = torch.tensor(torch.finfo(torch.float32).tiny)
    return (smallest / 2).item() == 0


def keep_freed_memory() -> None:
    """Have glibc keep what a step frees for the next step; elsewhere do nothing.

    Otherwise every step hands its activations back to the system and pays page faults to get them again: measured at
    15 % of a recorded step of 100 layers.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)
    mallopt(M_MMAP_THRESHOLD, MAPPED_BYTES)
