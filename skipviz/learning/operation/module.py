"""What the operations' modules share."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...network.base import Shape, axes
from ...network.kind import Operation, fans_of
from ..initialise import fill

Function = Callable[[Tensor], Tensor]


class Module(nn.Module):
    """Holds the parameters of an operation on inputs of one shape, where torch has one for which scripts write torch's module."""

    function: Callable[[], Function]
    """Returns the plain function of one tensor that a plan calls, with those parameters bound, so that a step pays for no
    module machinery; each operation has its own."""

    def __init__(self, op: Operation, shape: Shape) -> None:
        super().__init__()
        self.op, self.shape = op, tuple(shape)
        for name, size in op.parameters(self.shape).items():
            self.register_parameter(name, None if size is None else nn.Parameter(torch.empty(size)))

    def initialise(self, scheme: str, source: torch.Generator) -> None:
        """Fill the first weights; torch's own scheme takes its fans from the weight's shape alone, as torch's modules do."""
        if "weight" in self._parameters:
            fans = fans_of(self.weight.shape) if scheme == "torch" else self.op.fans(self.shape)
            fill(self.weight, self._parameters.get("bias"), scheme, *fans, source)

    def forward(self, x: Tensor) -> Tensor:
        return self.function()(x)


def rimmed(function: Function, op: Operation, shape: Shape) -> Function:
    """Return the function with what an up-scaling `op` adds around what it makes of an image or volume of `shape`."""
    around = op.around(axes(shape))
    return (lambda x: F.pad(function(x), around)) if any(around) else function
