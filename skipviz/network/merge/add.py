"""The sum of a residual network (He et al. 2016)."""

from ..kind import Merge


def _written(f: str, carried: str, strength: str) -> str:
    if strength == "1.0":
        return f"{f} + {carried}"
    return f"torch.add({f}, {carried}, alpha={strength})"


KIND = Merge(
    number=1,
    name="add",
    equation="h_j = f_j + s·A(h_i)",
    sums=True,
    strokes=((-1, 0, 1, 0), (0, -1, 0, 1)),
    hands_on=True,
    written=_written,
)
