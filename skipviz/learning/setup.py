"""How a process is made ready for training; called by workers and command lines, never at import."""

from __future__ import annotations

import ctypes

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
