"""A layer f_k as a torch module: operation, norm, activation, dropout, branch scale, switch and gradient gain."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pkgutil import resolve_name

import torch
from torch import Tensor, nn

from ..network import Layer
from ..network.activation import ACTIVATIONS
from ..network.base import Shape, axes, channels, is_image
from ..network.shapes import NodeShape
from .dropout import Masks
from .gain import with_gain
from .norm import Norm
from .operation import Function, made
from .seeding import generator

FUNCTIONS: dict[str, Callable] = {name: resolve_name(kind.function) for name, kind in ACTIVATIONS.items()}


class LearnedActivation(nn.Module):
    """An activation with one parameter for all that a layer gives."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.weight = nn.Parameter(torch.full((1,), ACTIVATIONS[kind].starts_at))

    def function(self) -> Function:
        activation, weight = FUNCTIONS[self.kind], self.weight
        return lambda x: activation(x, weight)

    def forward(self, x: Tensor) -> Tensor:
        return self.function()(x)


class LayerModule(nn.Module):
    """Parameters of f_k; `function` gives what f_k computes under some switches, a call computes it under the present ones."""

    def __init__(self, layer: Layer, shape: NodeShape, seed: int, masks: Masks) -> None:
        super().__init__()
        # all at once: torch looks at each value that is set, which takes a third of the time that building a deep network takes
        vars(self).update(shape=shape, masks=masks, layer=layer, frozen=(), passes_on=False, norm=None, activation=None, scale=None)
        self.operation = made(layer.op, shape.input, layer.init, generator(seed, "layer", layer.id))
        if layer.init_factor != 1:
            for weight in (parameter for parameter in self.operation.parameters() if parameter.dim() > 1):
                weight.mul_(layer.init_factor)
        if layer.norm != "none":
            self.norm = Norm(layer.norm, layer.normed_shape(shape.input, shape.output))
        if layer.zero_gamma:
            self.norm.weight.zero_()
        kind = ACTIVATIONS.get(layer.activation)
        if kind and kind.parameters:
            self.activation = LearnedActivation(kind.name)
        if layer.scale_learned:
            self.scale = nn.Parameter(torch.full(_scales(layer, shape.output), layer.scale))

    def set_layer(self, layer: Layer, frozen: tuple[slice, ...], passes_on: bool) -> None:
        """Take switches and gain; `frozen` are input channels of a switched-off concat, `passes_on` is for `resting`."""
        self.layer, self.frozen, self.passes_on = layer, frozen, passes_on

    def forward(self, x: Tensor) -> Tensor:
        if not self.layer.on:
            return self.resting(self.passes_on)(x)
        return self.function(self.layer, None, self.frozen)(x)

    def function(self, layer: Layer, training: bool | None, frozen: tuple[slice, ...] = ()) -> Function:
        """Return f_k with its dropout, scale, drop-path and gain, for training or evaluation and with the present tensors bound.

        With None for `training` it calls the modules below instead, each in a mode of its own.
        """
        operation = called_or_bound(self.operation, training)
        activation = self.activating(training)
        if layer.order == "norm-act-op":
            stages = [self.norm and normalising(self.norm, training, frozen), activation, operation]
        else:
            stages = [operation, self.norm and normalising(self.norm, training), activation]
        if layer.dropout and (self.training if training is None else training):
            stages.append(lambda y: self.masks.dropped(y, layer.dropout, layer.id))
        scale = self.scale if layer.scale_learned else layer.scale
        if scale is not None and (layer.scale_learned or scale != 1):
            stages.append(lambda y: y * scale)
        if layer.drop_path and (self.training if training is None else training):
            stages.append(lambda y: self.masks.path_dropped(y, layer.drop_path, layer.id))
        if layer.gain != 1:
            stages.append(lambda y: with_gain(y, layer.gain))
        return composed([stage for stage in stages if stage is not None])

    def activating(self, training: bool | None) -> Function | None:
        """Return the activation as a function, None where there is none; one that learns is called where `training` is None."""
        if self.activation is None:
            return FUNCTIONS.get(self.layer.activation)
        return called_or_bound(self.activation, training)

    def resting(self, passes_on: bool) -> Function:
        """Return what stands in for f_k while it is off: the identity where it passes on what it reads, else zeros."""
        if passes_on:
            return lambda x: x.view_as(x)
        output = self.shape.output
        kind = next((parameter.dtype for parameter in self.parameters()), None)  # not that of tokens
        return lambda x: x.new_zeros((x.shape[0], *output), dtype=kind)


def _scales(layer: Layer, shape: Shape) -> Shape:
    """Return the shape of a learned α on an output of `shape`: `()`, or along the channels."""
    if layer.scale_per == "layer":
        return ()
    return (shape[0], *(1,) * axes(shape)) if is_image(shape) else (channels(shape),)


def called_or_bound(operation: nn.Module, training: bool | None) -> Function:
    """Return an operation as a function: itself, which is called, where `training` is None."""
    if training is None:
        return operation
    return operation.function() if hasattr(operation, "function") else operation.forward


def normalising(norm: Norm, training: bool | None, frozen: tuple[slice, ...] = ()) -> Function:
    """Return a norm as a function: itself, which is called, where `training` is None."""
    return partial(norm, frozen=frozen) if training is None else norm.function(training, frozen)


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
