"""What a person has set at the edges of their own module: strengths and gains, applied where a reader takes its tensor."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..learning.gain import with_gain
from .trace import Operation, Read


@dataclass(frozen=True)
class Setting:
    """Of one edge: a factor on what it carries (0: it is off), and one on the gradient that goes back."""

    strength: float = 1.0
    gain: float = 1.0
    multiplies: bool = False
    """Whether its merge is a product, to which 1 stands for nothing."""


class Switches:
    """By operation's key and slot, what is set there."""

    def __init__(self) -> None:
        self.settings: dict[tuple[str, int], Setting] = {}

    def __bool__(self) -> bool:
        return bool(self.settings)

    def applied(self, operation: Operation, read: Read, tensor: Tensor) -> Tensor:
        """Return what an operation is to read in place of `tensor`."""
        setting = self.settings.get((operation.key, read.slot)) if self.settings else None
        if setting is None:
            return tensor
        with torch._C.DisableTorchFunction():
            if setting.strength == 0:
                return torch.ones_like(tensor) if setting.multiplies else torch.zeros_like(tensor)
            if setting.gain != 1:
                tensor = with_gain(tensor, setting.gain)
            if setting.multiplies:
                return tensor if setting.strength == 1 else 1 + setting.strength * (tensor - 1)
            return tensor if setting.strength == 1 else tensor * setting.strength
