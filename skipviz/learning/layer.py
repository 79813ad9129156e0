"""A layer f_k as a torch module: operation, norm, activation, dropout, branch scale, switch and gradient gain."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..network import Layer
from ..network.network import LayerShape
from .dropout import Masks
from .gain import with_gain
from .norm import Norm
from .operation import MODULES, Function
from .seeding import generator

ACTIVATIONS: dict[str, Function] = {
    "relu": torch.relu,
    "leaky_relu": F.leaky_relu,
    "gelu": F.gelu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
}


class LayerModule(nn.Module):
    """Parameters of f_k; `function` gives what f_k computes under the present switches."""

    def __init__(self, layer: Layer, shape: LayerShape, seed: int, masks: Masks) -> None:
        super().__init__()
        self.shape, self.masks = shape, masks
        self.operation = MODULES[type(layer.op)](layer.op, shape.input)
        self.operation.initialise(layer.init, generator(seed, "layer", layer.id))
        if layer.init_factor != 1:
            for weight in (parameter for parameter in self.operation.parameters() if parameter.dim() > 1):
                weight.mul_(layer.init_factor)
        normed = shape.input if layer.order == "norm-act-op" else shape.output
        self.norm = None if layer.norm == "none" else Norm(layer.norm, normed)
        self.scale = nn.Parameter(torch.tensor(float(layer.scale))) if layer.scale_learned else None

    def function(self, layer: Layer, training: bool, frozen: tuple[slice, ...] = ()) -> Function:
        """Return f_k with its dropout, scale and gain; `frozen` are input channels that come from a switched-off concat."""
        operation = self.operation.function()
        activation = ACTIVATIONS.get(layer.activation)
        if layer.order == "norm-act-op":
            norm = self.norm and self.norm.function(training, frozen)
            stages = [norm, activation, operation]
        else:
            stages = [operation, self.norm and self.norm.function(training), activation]
        if training and layer.dropout:
            stages.append(lambda y: self.masks.dropped(y, layer.dropout, layer.id))
        scale = self.scale if layer.scale_learned else layer.scale
        if scale is not None and (layer.scale_learned or scale != 1):
            stages.append(lambda y: y * scale)
        if layer.gain != 1:
            stages.append(lambda y: with_gain(y, layer.gain))
        return composed([stage for stage in stages if stage is not None])

    def resting(self, passes_on: bool) -> Function:
        """Return what stands in for f_k while it is off: the identity where it passes on what it reads, else zeros."""
        if passes_on:
            return lambda x: x.view_as(x)
        output = self.shape.output
        kind = next((parameter.dtype for parameter in self.parameters()), None)  # not that of tokens
        return lambda x: x.new_zeros((x.shape[0], *output), dtype=kind)


def composed(stages: list[Function]) -> Function:
    """Return one function that applies `stages` in order."""
    if len(stages) == 1:
        return stages[0]
    first, *rest = stages
    if len(rest) == 1:
        second = rest[0]
        return lambda x: second(first(x))

    def chain(x: Tensor) -> Tensor:
        for stage in stages:
            x = stage(x)
        return x

    return chain
