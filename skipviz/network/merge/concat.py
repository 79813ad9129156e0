"""Channels of its own in what the next layer reads (Huang et al. 2017, Ronneberger et al. 2015)."""

from ..kind import Merge


def _written(f: str, carried: str, strength: str) -> str:
    return carried if strength == "1.0" else f"{carried} * {strength}"


KIND = Merge(
    number=2,
    name="concat",
    equation="x_(j+1) = [h_j, s·A(h_i), …]",
    joins=True,
    residual=False,
    hands_on=True,
    written=_written,
)
