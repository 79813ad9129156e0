"""A highway's gate (Srivastava et al. 2015): where T is 0 the skip takes the layer's place, where it is 1 the layer stays."""

from ..kind import Merge


def _written(f: str, carried: str, strength: str) -> str:
    return f"gate({f}, {carried}{'' if strength == '1.0' else f', {strength}'})"


KIND = Merge(
    number=3,
    name="gate",
    equation="h_j = f_j + s·(1 − T)⊙(A(h_i) − f_j), T = σ(W h_i + b)",
    alone=True,
    maps=True,
    fields=("gate_bias",),
    neutral=1,
    sign="T",
    saves=lambda strength, adapted: 3 if strength == 1 else 4,
    function="gate",
    written=_written,
)
