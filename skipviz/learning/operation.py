"""The torch module of each operation, under the name its description has in `skipviz.network.operation`.

A module holds the parameters; `function()` returns the plain function of one tensor that a plan calls, with those
parameters bound, so that a step pays for no module machinery.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..network import operation as described
from ..network.base import Shape, elements
from .initialise import fill_bilinear, fill_weight

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
        kernel, read = description.kernel, shape[0] // description.groups
        super().__init__((description.width, read, kernel, kernel), description.width, description.bias)
        self.stride, self.padding = description.stride, description.pixels_padded()
        self.dilation, self.groups = description.dilation, description.groups

    def fans(self) -> tuple[float, float]:
        read, fed = super().fans()
        return read, fed / self.groups

    def function(self) -> Function:
        weight, bias, stride, padding, convolve = self.weight, self.bias, self.stride, self.padding, torch.conv2d
        if (self.dilation, self.groups) == (1, 1):
            return lambda x: convolve(x, weight, bias, stride, padding)
        more = self.dilation, self.groups
        return lambda x: convolve(x, weight, bias, stride, padding, *more)


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
        if scheme == "bilinear":
            fill_bilinear(self.weight, self.bias, self.factor)
            return
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
        ceil = self.description.ceil
        if self.description.reduce == "max":
            return lambda x: F.max_pool2d(x, kernel, stride, padding, ceil_mode=ceil)
        return lambda x: F.avg_pool2d(x, kernel, stride, padding, ceil_mode=ceil)

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


class Crop(nn.Module):
    """Cuts a window out of an image."""

    def __init__(self, description: described.Crop, shape: Shape) -> None:
        super().__init__()
        self.window = description.window(shape)

    def initialise(self, scheme: str, generator: torch.Generator) -> None:
        """Do nothing: there are no parameters."""

    def function(self) -> Function:
        rows, columns = self.window
        return lambda x: x[..., rows, columns]

    def forward(self, x: Tensor) -> Tensor:
        return self.function()(x)


class Embedding(nn.Module):
    """Looks up a vector for each token of `(batch, length)`."""

    def __init__(self, description: described.Embedding, shape: Shape) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(description.vocabulary, description.width))
        self.factor = math.sqrt(description.width) if description.scaled else None

    def initialise(self, scheme: str, generator: torch.Generator) -> None:
        if scheme == "torch":
            with torch.no_grad():
                self.weight.normal_(generator=generator)
        else:
            fill_weight(self.weight, None, scheme, (self.weight.shape[1], self.weight.shape[0]), generator)

    def function(self) -> Function:
        weight, factor, embed = self.weight, self.factor, F.embedding
        return (lambda x: embed(x, weight)) if factor is None else (lambda x: embed(x, weight) * factor)

    def forward(self, x: Tensor) -> Tensor:
        return self.function()(x)


class Position(nn.Module):
    """Adds a vector to each position of `(batch, length, width)`."""

    def __init__(self, description: described.Position, shape: Shape) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(shape)) if description.mode == "learned" else None
        self.table = sinusoids(*shape) if self.weight is None else None

    def initialise(self, scheme: str, generator: torch.Generator) -> None:
        """Fill learned vectors with N(0, 0.02²), as BERT does (Devlin et al. 2019), or zero."""
        if self.weight is not None:
            with torch.no_grad():
                self.weight.normal_(0.0, 0.0 if scheme == "zero" else 0.02, generator=generator)

    def function(self) -> Function:
        if self.weight is not None:
            weight = self.weight
            return lambda x: x + weight
        table = self.table
        return lambda x: x + table.to(x)

    def forward(self, x: Tensor) -> Tensor:
        return self.function()(x)


def sinusoids(length: int, width: int) -> Tensor:
    """Return sin and cos of position / 10000^(2i/width) in turns, `(length, width)` (Vaswani et al. 2017)."""
    column = torch.arange(width)
    angle = torch.arange(length)[:, None] / 10000 ** ((column - column % 2) / width)
    return torch.where(column % 2 == 0, angle.sin(), angle.cos())


class Attention(nn.Module):
    """softmax(Q Kᵀ/√d) V of every head, then one map of all heads; `(batch, length, width)` → the same.

    Parameters stand as in `nn.MultiheadAttention`: Q, K and V one below the other, then the map out.
    """

    def __init__(self, description: described.Attention, shape: Shape) -> None:
        super().__init__()
        self.length, self.width = shape
        self.heads, self.causal = description.heads, description.causal
        self.weight = nn.Parameter(torch.empty(3 * self.width, self.width))
        self.bias = nn.Parameter(torch.empty(3 * self.width)) if description.bias else None
        self.out_weight = nn.Parameter(torch.empty(self.width, self.width))
        self.out_bias = nn.Parameter(torch.empty(self.width)) if description.bias else None

    def initialise(self, scheme: str, generator: torch.Generator) -> None:
        """Fill each of the four maps; torch: what `nn.MultiheadAttention` takes, Glorot within and biases of zero."""
        width = self.width
        joint = (width, 3 * width) if scheme == "torch" else (width, width)
        for part in self.weight.split(width):
            fill_weight(part, None, "glorot" if scheme == "torch" else scheme, joint, generator)
        fill_weight(self.out_weight, None, scheme, (width, width), generator)
        with torch.no_grad():
            for bias in (self.bias, self.out_bias):
                if bias is not None:
                    bias.zero_()

    def function(self) -> Function:
        weight, bias, linear = self.out_weight, self.out_bias, F.linear
        attend = self._attention()

        def mixed(x: Tensor) -> Tensor:
            weights, values = attend(x)
            return linear((weights @ values).transpose(1, 2).flatten(2), weight, bias)

        return mixed

    def weights(self, x: Tensor) -> Tensor:
        """Return how much each position (row) looks at each other, `(batch, heads, length, length)`; rows sum to 1."""
        return self._attention()(x)[0]

    def _attention(self) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
        weight, bias, linear, heads = self.weight, self.bias, F.linear, self.heads
        size = self.width // heads
        factor = 1 / math.sqrt(size)
        hidden = None
        if self.causal:
            hidden = torch.ones(self.length, self.length, dtype=torch.bool, device=weight.device).triu(1)

        def attend(x: Tensor) -> tuple[Tensor, Tensor]:
            parts = linear(x, weight, bias).view(*x.shape[:2], 3, heads, size)
            queries, keys, values = parts.permute(2, 0, 3, 1, 4).unbind()
            scores = (queries * factor) @ keys.transpose(2, 3)
            if hidden is not None:
                scores = scores.masked_fill(hidden, -math.inf)
            return scores.softmax(3), values

        return attend

    def forward(self, x: Tensor) -> Tensor:
        return self.function()(x)


MODULES = {
    described.Linear: Linear,
    described.Convolution: Convolution,
    described.Upsampling: Upsampling,
    described.Pool: Pool,
    described.Crop: Crop,
    described.Identity: Identity,
    described.Embedding: Embedding,
    described.Position: Position,
    described.Attention: Attention,
}
"""Description → module; each is constructed with the description and the shape of its input."""
