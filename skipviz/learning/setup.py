"""How a process is made ready for training; called by workers and command lines, never at import."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""glibc's numbers of these settings (malloc.h)."""
KEPT_BYTES, MAPPED_BYTES = 256 << 20, 32 << 20
"""Freed memory is kept up to the first; blocks from the second on are mapped one by one (glibc takes no more)."""


def prepare(threads: int = 1, cuda: bool = False) -> None:
    """Set this process's thread count, flush denormals to zero and, for a run on CUDA, have it repeat itself exactly.

    Vanishing gradients end as denormals, on which a CPU is ten times slower; one thread is the fastest for small
    networks and keeps several runs on one machine from taking each other's cores.
    """
    if torch.get_num_threads() != threads:  # setting it empties caches of kernels, whose memory a forked process shares until then
        torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    keep_freed_memory()
    if cuda:
        _set_kernels(*EXACT)


@contextmanager
def as_in_a_run(cuda: bool = False) -> Iterator[None]:
    """Compute with a run's threads, denormals and, if `cuda`, its exact kernels; give the caller's back afterwards.

    All of them decide on the last bits of a result.
    """
    threads, flushed, kernels = torch.get_num_threads(), flushes_denormals(), _kernels()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    if cuda:
        _set_kernels(*EXACT)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.set_flush_denormal(flushed)
        if cuda:
            _set_kernels(*kernels)


EXACT = False, False, True, False
"""What `_set_kernels` takes for a run. Convolutions would else be computed in TF32, which keeps 10 bits behind the point
(measured on an H200: gradients of ResNet-20 off by 1.4 %), and some would add in another order each time."""


def _kernels() -> tuple[bool, bool, bool, bool]:
    """Return what `_set_kernels` takes, as it is now."""
    convolution, product = torch.backends.cudnn, torch.backends.cuda.matmul
    return convolution.allow_tf32, product.allow_tf32, convolution.deterministic, convolution.benchmark


def _set_kernels(tf32: bool, tf32_products: bool, deterministic: bool, benchmark: bool) -> None:
    """Set on CUDA whether convolutions and products may take TF32, and whether convolutions repeat or try out their kernels.

    torch's own deterministic mode is left alone: it makes a product three times slower, and the tests' networks repeat without.
    """
    convolution, product = torch.backends.cudnn, torch.backends.cuda.matmul
    convolution.allow_tf32, product.allow_tf32 = tf32, tf32_products
    convolution.deterministic, convolution.benchmark = deterministic, benchmark


def flushes_denormals() -> bool:
    """Return whether this thread flushes denormals to zero; torch does not say."""
    smallest = torch.tensor(torch.finfo(torch.float32).tiny)
    return (smallest / 2).item() == 0


def keep_freed_memory() -> None:
    """Have glibc keep what a step frees for the next step; elsewhere do nothing.

    Otherwise every step hands its activations back to the system and pays page faults to get them again: measured at
    15 % of a recorded step of 100 layers.
    """
    mallopt = _of_glibc("mallopt")
    if mallopt:
        mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)
        mallopt(M_MMAP_THRESHOLD, MAPPED_BYTES)


def give_freed_memory_back() -> None:
    """Have glibc hand back what is free now: for where the next steps need less than the last."""
    trim = _of_glibc("malloc_trim")
    if trim:
        trim(0)


def _of_glibc(name: str) -> Callable[..., int] | None:
    try:
        return getattr(ctypes.CDLL(None), name)
    except (AttributeError, OSError, TypeError):
        return None
