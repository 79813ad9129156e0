"""The gaps in a warm process's Python heap, filled before it forks, so that its children allocate in pages wholly their own.

What a child lays into a gap of a page that it shares copies the page: a few bytes take 4096. Imports no torch.
"""

from __future__ import annotations

EMPTY = b"".__sizeof__()
POOL, SIZES = 2**14, range(48, 513, 16)
"""Bytes in which Python lays objects of one size side by side, and the sizes, of those that `bytes` may have."""
POOLS = 3
"""Pools in which as many objects as one holds lie where there are no gaps: the rest of one, a new one, and one for what came by."""
MOST = 2**24
"""Bytes of one size at most: where an allocator has other habits, none lie side by side."""


_fillings: list = []
"""Objects that stay where they are."""


def fill_gaps() -> None:
    """Fill the gaps in Python's heap for good."""
    for size in SIZES:
        _fillings.extend(_filled(size))


def _filled(size: int) -> list:
    """Return objects of a size, as many as it takes until further ones lie together."""
    taken: list = []
    while len(taken) * size < MOST:
        batch = [bytes(size - EMPTY) for _ in range(POOL // size)]
        if len({id(one) // POOL for one in batch}) <= POOLS:
            break
        taken += batch
    return taken
