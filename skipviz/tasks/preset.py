"""What a preset is: an experiment by name, with words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .experiment import Experiment


@dataclass(frozen=True)
class Preset:
    """A named experiment: `make()` builds it; the sentences say what to do and what will be seen."""

    name: str
    title: str
    do: str
    see: str
    source: str
    make: Callable[[], Experiment]
