"""Every so-manieth position."""

from ..kind import Placement

KIND = Placement(
    number=1,
    name="stride",
    words="stride",
    images=True,
    misfit=lambda between: None if between.step else "no stride takes one to the other",
    written=lambda state, between: f"{state}[..., {', '.join([f'::{between.step}'] * len(between.there))}]",
)
