"""Published effects, each measured by a function that returns a DataFrame: `skipviz.evidence.backward_bug(blocks=24)`.

Which there are, `skipviz.evidence.claims.CLAIMS` says. Importing this package imports no torch.
"""

from __future__ import annotations

from collections.abc import Callable


def __getattr__(name: str) -> Callable:
    from .claims import CLAIMS

    if name not in CLAIMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return CLAIMS[name].function


def __dir__() -> list[str]:
    from .claims import CLAIMS

    return [*globals(), *CLAIMS]
