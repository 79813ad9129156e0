"""Parameters that a pass uses and that are none of the module's: its blocks stand in a Python list, and no optimizer has them."""

from __future__ import annotations

from collections.abc import Iterator

from ..checked_pass import CheckedPass
from ..finding import Finding
from ..summary import unregistered


def find(checked: CheckedPass) -> Iterator[Finding]:
    """Yield, by the module that uses them, what parameters are not registered."""
    for path, sentence in unregistered(checked.trace).items():
        yield Finding("unregistered", path, sentence)
