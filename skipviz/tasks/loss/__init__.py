"""The losses: one file is one of them, and all that names it."""

from typing import Literal

from ...network.kind import kinds
from ..objective_kind import Loss

LOSSES: dict[str, Loss] = kinds(__name__)

CHOSEN = {"auto": "the task's own", **{name: kind.words for name, kind in LOSSES.items() if kind.replaces}}
"""What `Training.loss` takes, and its words."""

LossName = Literal[*CHOSEN]
