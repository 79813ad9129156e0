"""Zeros around."""

from ..kind import Placement

KIND = Placement(
    number=6,
    name="pad",
    words="pad sides",
    offset=True,
    copies=True,
    misfit=lambda between: None if min(between.around) >= 0 else "padding only adds positions",
    written=lambda state, between: f"F.pad({state}, {between.around})",
)
