"""A product, element by element: what a skip carries scales the layer, as a squeeze-and-excitation or a GLU does.

The strength s leads from no factor (0, which is what a skip that is off is) to the whole one (1): f ⊙ (1 + s·(A − 1)).
"""

from ..kind import Merge


def _written(f: str, carried: str, strength: str) -> str:
    return f"multiply({f}, {carried}{'' if strength == '1.0' else f', {strength}'})"


KIND = Merge(
    number=4,
    name="multiply",
    equation="h_j = f_j ⊙ (1 + s·(A(h_i) − 1)), before what is added",
    residual=False,
    first=True,
    spreads=True,
    neutral=1,
    strokes=((-0.75, -0.75, 0.75, 0.75), (-0.75, 0.75, 0.75, -0.75)),
    saves=lambda strength, adapted: 2 if strength != 1 else 1 + adapted,
    written=_written,
    function="multiply",
)
