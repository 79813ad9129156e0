"""An operation that does nothing."""

from __future__ import annotations

from typing import ClassVar, Literal

from ..base import Shape
from ..kind import Operation, Weights


class Identity(Operation):
    """Passes its input on: the box of a norm or an activation that stands alone."""

    number: ClassVar = 5
    saves_input: ClassVar = False
    view: ClassVar = True
    kind: Literal["identity"] = "identity"

    def written(self, shape: Shape, weights: Weights) -> list[str]:
        return []


KIND = Identity
