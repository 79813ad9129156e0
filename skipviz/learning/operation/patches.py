"""An image's pixels as a sequence."""

from __future__ import annotations

import torch

from .module import Function, Module


class Patches(Module):
    """`(batch, channels, height, width)` → `(batch, height · width, channels)`, a class token before them if there is one."""

    def initialise(self, scheme: str, generator: torch.Generator) -> None:
        """Let the class token begin at zero, whatever the scheme."""
        if self.op.class_token:
            with torch.no_grad():
                self.weight.zero_()

    def function(self) -> Function:
        if not self.op.class_token:
            return lambda x: x.flatten(2).transpose(1, 2)
        token = self.weight
        return lambda x: torch.cat([token.expand(len(x), 1, -1), x.flatten(2).transpose(1, 2)], 1)
