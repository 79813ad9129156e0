"""The gaps in a warm process's heaps, filled before it forks, so that its children allocate in pages that are wholly their own.

What a child lays into a gap of a page that it shares copies the page: a few bytes take 4096. Imports no torch.
"""

from __future__ import annotations

import ctypes
from itertools import pairwise

EMPTY = b"".__sizeof__()
POOL, SIZES = 2**14, range(48, 513, 16)
"""Bytes in which Python lays objects of one size side by side, and the sizes, of those that `bytes` may have."""
POOLS = 3
"""Pools in which as many objects as one holds lie where there are no gaps: the rest of one, a new one, and one for what came by."""
RUN = 2**16
"""Bytes of a gap from which on it needs no filling: what lies in it shares its pages with little else."""
CHUNKS = (4096, 2048, 1024, 512, 256, 128, 64, 32, 24)
"""Bytes asked of glibc: the small ones fill what the large ones leave."""
SIDE_BY_SIDE = 0.8
"""Of the chunks in such a gap, how many do: a few come from lists of those that were freed last."""
MOST = 2**24
"""Bytes of one size at most: where an allocator has other habits, none lie side by side."""


_fillings: list = []
"""Objects that stay where they are."""


def fill_gaps() -> None:
    """Fill the gaps in Python's heap and in glibc's, for good."""
    for size in SIZES:
        _fillings.extend(_filled(size))
    try:
        library = ctypes.CDLL(None)
        malloc, free = library.malloc, library.free
    except (AttributeError, OSError, TypeError):
        return
    malloc.restype, malloc.argtypes, free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
    for size in CHUNKS:
        _fill(malloc, free, size)


def _filled(size: int) -> list:
    """Return objects of a size, as many as it takes until further ones lie together."""
    taken: list = []
    while len(taken) * size < MOST:
        batch = [bytes(size - EMPTY) for _ in range(POOL // size)]
        if len({id(one) // POOL for one in batch}) <= POOLS:
            break
        taken += batch
    return taken


def _fill(malloc, free, size: int) -> None:
    """Take chunks of a size, as many as it takes until nearly all further ones lie side by side."""
    count, taken = RUN // size, 0
    while taken < MOST:
        batch = [malloc(size) for _ in range(count)]
        taken += RUN
        if sum(after - before <= size + 32 for before, after in pairwise(sorted(batch))) > SIDE_BY_SIDE * count:
            for chunk in reversed(batch):
                free(chunk)
            return
