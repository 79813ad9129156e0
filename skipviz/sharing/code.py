"""An address as a QR code: the matrix of its modules, which the page draws. Imports no drawing library but segno."""

from __future__ import annotations

from functools import lru_cache

import segno

MOST_BYTES = 2_331
"""Of an address: what a QR code holds at the error correction of level M."""


@lru_cache(maxsize=64)
def matrix(address: str) -> tuple[str, ...] | None:
    """Return the code's rows, "1" for dark, without the quiet zone; None for what is no address or too long for a code."""
    if not address.startswith(("http://", "https://")) or len(address.encode("utf-8", "replace")) > MOST_BYTES:
        return None
    code = segno.make(address, error="m", micro=False, boost_error=False)
    return tuple("".join("1" if module else "0" for module in row) for row in code.matrix)
