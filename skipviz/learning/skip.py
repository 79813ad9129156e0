"""A skip as a torch module: its adapter A, its gate T or what it learns of both states, and what it carries to its target."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..network import Skip
from ..network.base import channel_axis, channels, is_image
from ..network.merge import MERGES
from ..network.operation import Convolution, Linear
from ..network.placement import PLACEMENTS
from ..network.way import Way
from .gain import with_gain
from .layer import called_or_bound, composed, normalising
from .merge import LEARNED
from .norm import Norm
from .operation import Function, made
from .placement import placed
from .seeding import generator


class SkipModule(nn.Module):
    """Parameters of a skip, or of an edge of a branch."""

    def __init__(self, way: Way, seed: int) -> None:
        super().__init__()
        plain = {"skip": way.skip, "source": way.carries, "target": way.target, "carried": way.shape.carried}
        vars(self).update(plain, adapter=way.shape.adapter, project=None, norm=None, gate=None, strength=None)  # see LayerModule
        between = self.adapter.between(self.source, self.target)
        self.placed = placed(self.adapter.placement, between)
        self.placed_to_gate = placed(PLACEMENTS.get(self.adapter.spatial), between) if way.gates else None
        if way.skip.learned:
            self.strength = nn.Parameter(torch.tensor(way.skip.strength))
        if way.projects:
            projection = self.adapter.projection(self.source, self.carried)
            read = self.adapter.projected(self.source, self.carried)
            self.project = made(projection, read, self.adapter.init, generator(seed, "skip", way.skip.id))
            if self.adapter.norm == "batch":
                self.norm = Norm("batch", self.carried)
        if way.gates:
            width = channels(self.target)
            mapped = Convolution(width=width, kernel=1) if is_image(self.source) else Linear(width=width)
            self.gate = made(mapped, self.source, "torch", generator(seed, "gate", way.skip.id))
            nn.init.constant_(self.gate.bias, way.skip.gate_bias)
        if way.learns:
            self.add_module(way.learns, LEARNED[way.skip.merge](**MERGES[way.skip.merge].arguments(way.skip, self.target)))
            if hasattr(self.both, "initialise"):
                self.both.initialise("torch", generator(seed, "attend", way.skip.id))

    @property
    def both(self) -> nn.Module:
        """The module of f_target and A, of a kind that learns one."""
        return self._modules[MERGES[self.skip.merge].learns]

    def set_skip(self, skip: Skip) -> None:
        """Take the gradient gain; switch and strength act where the skip joins, and a learned strength is the parameter."""
        self.skip = skip

    def forward(self, h: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """Return A(h), without the skip's strength; of a gate (A(h), T(h))."""
        carry = self.carry(self.skip, None)
        carried = h if carry is None else carry(h)
        return (carried, self.transform_gate(self.skip, None)(h)) if self.gate is not None else carried

    def carry(self, skip: Skip, training: bool | None) -> Function | None:
        """Return h_source ↦ A(h_source) with the skip's gradient gain, or None where A changes nothing.

        With None for `training` it calls the modules below, each in a mode of its own.
        """
        stages = [self.placed, self._channels(training)]
        if skip.gain != 1:
            stages.append(lambda y: with_gain(y, skip.gain))
        stages = [stage for stage in stages if stage is not None]
        return composed(stages) if stages else None

    def transform_gate(self, skip: Skip, training: bool | None) -> Function:
        """Return h_source ↦ T = σ(W h_source + b) (Srivastava et al. 2015), with the skip's gradient gain."""
        stages = [self.placed_to_gate, called_or_bound(self.gate, training), torch.sigmoid]
        if skip.gain != 1:
            stages.append(lambda y: with_gain(y, skip.gain))
        return composed([stage for stage in stages if stage is not None])

    def joined(self, training: bool | None) -> Callable[[Tensor, Tensor], Tensor]:
        """Return (f_target, A(h_source)) ↦ what the module of both makes of them."""
        return called_or_bound(self.both, training)

    def _channels(self, training: bool | None) -> Function | None:
        if self.project is not None:
            stages = [called_or_bound(self.project, training)]
            if self.norm is not None:
                stages.append(normalising(self.norm, training))
            return composed(stages)
        missing = channels(self.carried) - channels(self.source)
        if self.adapter.channels != "pad" or not missing:
            return None
        before_channels = 2 * (len(self.source) - 1 - channel_axis(self.source))
        return lambda h: F.pad(h, (0,) * before_channels + (0, missing))
