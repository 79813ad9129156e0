"""A skip as a torch module: its adapter A, its gate T, and what it carries to its target."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..network import Skip
from ..network.base import Shape, channel_axis, channels, is_image, spatial
from ..network.network import SkipShape
from ..network.operation import Convolution, Linear
from ..network.skip import stride_between
from .gain import with_gain
from .layer import composed
from .norm import Norm
from .operation import MODULES, Function
from .seeding import generator


class SkipModule(nn.Module):
    """Parameters of one skip between states of the shapes `source` and `target`."""

    def __init__(self, skip: Skip, shape: SkipShape, source: Shape, target: Shape, seed: int) -> None:
        super().__init__()
        self.adapter, self.source, self.target, self.carried = shape.adapter, source, target, shape.carried
        self.projection = self.norm = self.gate = None
        if self.adapter.channels == "project":
            self.projection = _pointwise(source, channels(self.carried), self.adapter.bias)
            self.projection.initialise(self.adapter.init, generator(seed, "skip", skip.id))
            if self.adapter.norm == "batch":
                self.norm = Norm("batch", self.carried)
        if skip.merge == "gate":
            self.gate = _pointwise(source, channels(target), True)
            self.gate.initialise("torch", generator(seed, "gate", skip.id))
            nn.init.constant_(self.gate.bias, skip.gate_bias)

    def carry(self, skip: Skip, training: bool) -> Function | None:
        """Return h_source ↦ A(h_source) with the skip's gradient gain, or None where A changes nothing."""
        stages = [self._spatial(), self._channels(training)]
        if skip.gain != 1:
            stages.append(lambda y: with_gain(y, skip.gain))
        stages = [stage for stage in stages if stage is not None]
        return composed(stages) if stages else None

    def transform_gate(self, skip: Skip) -> Function:
        """Return h_source ↦ T = σ(W h_source + b) (Srivastava et al. 2015), with the skip's gradient gain."""
        stages = [self._spatial(), self.gate.function(), torch.sigmoid]
        if skip.gain != 1:
            stages.append(lambda y: with_gain(y, skip.gain))
        return composed([stage for stage in stages if stage is not None])

    def _spatial(self) -> Function | None:
        kind = self.adapter.spatial
        if kind == "none" or (spatial(self.source) == spatial(self.target) and kind != "stride"):
            return None
        sides = spatial(self.target)
        if kind == "stride":
            step = stride_between(spatial(self.source), sides)
            return None if step == 1 else lambda h: h[..., ::step, ::step]
        if kind == "resize":
            smooth = all(a <= b for a, b in zip(spatial(self.source), sides, strict=True))
            mode = {"mode": "bilinear", "align_corners": False} if smooth else {"mode": "nearest"}
            return lambda h: F.interpolate(h, size=sides, **mode)
        window = self.adapter.window(spatial(self.source), sides)
        return (lambda h: h[(..., *window)]) if is_image(self.source) else (lambda h: h[(..., *window, slice(None))])

    def _channels(self, training: bool) -> Function | None:
        if self.projection is not None:
            stages = [self.projection.function()]
            if self.norm is not None:
                stages.append(self.norm.function(training))
            return composed(stages)
        missing = channels(self.carried) - channels(self.source)
        if self.adapter.channels != "pad" or not missing:
            return None
        before_channels = 2 * (len(self.source) - 1 - channel_axis(self.source))
        return lambda h: F.pad(h, (0,) * before_channels + (0, missing))


def gated(f: Tensor, carried: Tensor, transform: Tensor, strength: float) -> Tensor:
    """Return h = f + s·(1 − T)⊙(A − f)."""
    share = 1 - transform
    return f + (share if strength == 1 else share * strength) * (carried - f)


def _pointwise(source: Shape, width: int, bias: bool):
    if is_image(source):
        return MODULES[Convolution](Convolution(width=width, kernel=1, bias=bias), source)
    return MODULES[Linear](Linear(width=width, bias=bias), source)
