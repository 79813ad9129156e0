"""The torch module of each operation, under the name its description has in `skipviz.network.operation`.

A module holds the parameters; `function()` returns the plain function of one tensor that a plan calls, with those
parameters bound, so that a step pays for no module machinery.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..network import operation as described
from ..network.base import Shape, elements
from .initialise import fill_weight

Function = Callable[[Tensor], Tensor]


class Weighted(nn.Module):
    """An operation with a weight and, if `bias`, one bias an output channel."""

    def __init__(self, weight_shape: Shape, outputs: int, bias: bool) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(weight_shape))
        self.bias = nn.Parameter(torch.empty(outputs)) if bias else None

    def fans(self) -> tuple[float, float]:
        """Return how many inputs an output unit reads and how many outputs an input unit feeds."""
        area = self.weight[0, 0].numel()
        return self.weight.shape[1] * area, self.weight.shape[0] * area

    def initialise(self, scheme: str, generator: torch.Generator) -> None:
        fill_weight(self.weight, self.bias, scheme, self.fans(), generator)

    def forward(self, x: Tensor) -> Tensor:
        return self.function()(x)


class Linear(Weighted):
    """`y = W x + b` for `(batch, features)` or `(batch, length, width)`; an image is flattened first."""

    def __init__(self, description: described.Linear, shape: Shape) -> None:
        features = shape[1] if len(shape) == 2 else elements(shape)
        super().__init__((description.width, features), description.width, description.bias)
        self.flattens = len(shape) == 3

    def function(self) -> Function:
        weight, bias, linear = self.weight, self.bias, F.linear
        if self.flattens:
            return lambda x: linear(x.flatten(1), weight, bias)
        return lambda x: linear(x, weight, bias)


class Convolution(Weighted):
    """A square convolution of `(batch, channels, height, width)`."""

    def __init__(self, description: described.Convolution, shape: Shape) -> None:
        kernel = description.kernel
        super().__init__((description.width, shape[0], kernel, kernel), description.width, description.bias)
        self.stride, self.padding = description.stride, description.pixels_padded()

    def function(self) -> Function:
        weight, bias, stride, padding, convolve = self.weight, self.bias, self.stride, self.padding, torch.conv2d
        return lambda x: convolve(x, weight, bias, stride, padding)


class Upsampling(Weighted):
    """Up-scaling of an image: a transposed convolution, or resizing and then a convolution."""

    def __init__(self, description: described.Upsampling, shape: Shape) -> None:
        kernel, width = description.kernel, description.width
        transposed = description.mode == "transposed"
        super().__init__(
            (shape[0], width, kernel, kernel) if transposed else (width, shape[0], kernel, kernel), width, description.bias
        )
        self.mode, self.factor, self.padding = description.mode, description.factor, description.pixels_padded()

    def fans(self) -> tuple[float, float]:
        if self.mode != "transposed":
            return super().fans()
        area = self.weight[0, 0].numel()
        return self.weight.shape[0] * area / self.factor**2, self.weight.shape[1] * area

    def initialise(self, scheme: str, generator: torch.Generator) -> None:
        fans = self.fans()
        if scheme == "torch" and self.mode == "transposed":
            fans = (self.weight.shape[1] * self.weight[0, 0].numel(), 1.0)  # what nn.ConvTranspose2d takes for its fan-in
        fill_weight(self.weight, self.bias, scheme, fans, generator)

    def function(self) -> Function:
        weight, bias, factor, padding = self.weight, self.bias, self.factor, self.padding
        if self.mode == "transposed":
            return lambda x: F.conv_transpose2d(x, weight, bias, factor, padding)
        if self.mode == "nearest":
            return lambda x: torch.conv2d(F.interpolate(x, scale_factor=factor), weight, bias, 1, padding)
        return lambda x: torch.conv2d(
            F.interpolate(x, scale_factor=factor, mode="bilinear", align_corners=False), weight, bias, 1, padding
        )


class Pool(nn.Module):
    """Max or mean pooling of an image."""

    def __init__(self, description: described.Pool, shape: Shape) -> None:
        super().__init__()
        self.description = description

    def initialise(self, scheme: str, generator: torch.Generator) -> None:
        """Do nothing: there are no parameters."""

    def function(self) -> Function:
        kernel, stride, padding = self.description.kernel, self.description.stride, self.description.padding
        if self.description.reduce == "max":
            return lambda x: F.max_pool2d(x, kernel, stride, padding)
        return lambda x: F.avg_pool2d(x, kernel, stride, padding)

    def forward(self, x: Tensor) -> Tensor:
        return self.function()(x)


class Identity(nn.Module):
    """Passes its input on, as a tensor of its own, so that a state and the next are never one node of the graph."""

    def __init__(self, description: described.Identity, shape: Shape) -> None:
        super().__init__()

    def initialise(self, scheme: str, generator: torch.Generator) -> None:
        """Do nothing: there are no parameters."""

    def function(self) -> Function:
        return lambda x: x.view_as(x)

    def forward(self, x: Tensor) -> Tensor:
        return self.function()(x)


MODULES = {
    described.Linear: Linear,
    described.Convolution: Convolution,
    described.Upsampling: Upsampling,
    described.Pool: Pool,
    described.Identity: Identity,
}
"""Description → module; each is constructed with the description and the shape of its input."""
