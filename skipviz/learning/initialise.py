"""Initial weights by scheme."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..network.init import INITS


def fill_weight(weight: Tensor, bias: Tensor | None, scheme: str, fans: tuple[float, float], generator: torch.Generator) -> None:
    """Fill `weight` and `bias` in place for `fans` = (inputs, outputs) of one unit."""
    kind = INITS[scheme]
    with torch.no_grad():
        kind.fill(weight, *fans, generator, nn)
        if bias is not None:
            kind.fill(bias, *fans, generator, nn) if kind.biases else bias.zero_()


def fill_bilinear(weight: Tensor, bias: Tensor | None, factor: int) -> None:
    """Fill a transposed convolution's weight so that it interpolates each channel by itself (Long et al. 2015)."""
    side = weight.shape[-1]
    place = torch.arange(side, device=weight.device, dtype=weight.dtype)
    hat = (1 - (place - (side - 1) / 2).abs() / factor).clamp(min=0)
    with torch.no_grad():
        weight.zero_()
        for channel in range(min(weight.shape[:2])):
            weight[channel, channel] = hat[:, None] * hat
        if bias is not None:
            bias.zero_()
