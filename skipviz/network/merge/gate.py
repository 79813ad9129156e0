"""A highway's gate (Srivastava et al. 2015): where T is 0 the skip takes the layer's place, where it is 1 the layer stays."""

from ..kind import Merge

SOURCE = '''
def gate(f, h, transform, adapt=None, strength=1.0):
    """Return f + s·(1 − T)⊙(A(h) − f), T = σ(W h + b): a highway gate (Srivastava et al. 2015)."""
    h = h.view_as(h)  # one node for A and T: the gradients that come back through both sum here first
    carried = h if adapt is None else adapt(h)
    share = 1 - transform(h)
    return f + (share if strength == 1 else share * strength) * (carried - f)
'''

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
    helper=SOURCE,
)
