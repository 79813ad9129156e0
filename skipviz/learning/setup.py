"""How a process is made ready for training; called by workers and command lines, never at import."""

from __future__ import annotations

import torch


def prepare(threads: int = 1) -> None:
    """Set this process's thread count and flush denormals to zero.

    Vanishing gradients end as denormals, on which a CPU is ten times slower; one thread is the fastest for small
    networks and keeps several runs on one machine from taking each other's cores.
    """
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
