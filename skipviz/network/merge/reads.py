"""A further state that a module of somebody's own reads beside its first: keys and values, a condition, what is broadcast."""

from ..kind import Merge

KIND = Merge(
    number=8,
    name="reads",
    equation="x_(j+1) = (h_j, A(h_i), …), of which a module of somebody's own makes what it does",
    residual=False,
    first=True,
    recorded_only=True,
    any_shape=True,
    sign="·",
)
