"""Initial weights by scheme. Biases are zero except in torch's own scheme."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def fill_weight(weight: Tensor, bias: Tensor | None, scheme: str, fans: tuple[float, float], generator: torch.Generator) -> None:
    """Fill `weight` and `bias` in place for `fans` = (inputs, outputs) of one unit.

    torch: U(±1/√fan-in), which is kaiming_uniform(a=√5). he: N(0, 2/fan-in) (He et al. 2015). glorot:
    U(±√(6/(fan-in + fan-out))) (Glorot & Bengio 2010). normal: N(0, 1/fan-in). orthogonal: Saxe et al. 2014.
    """
    fan_in, fan_out = fans
    with torch.no_grad():
        if scheme == "torch":
            bound = 1 / math.sqrt(fan_in)
            weight.uniform_(-bound, bound, generator=generator)
            if bias is not None:
                bias.uniform_(-bound, bound, generator=generator)
            return
        if bias is not None:
            bias.zero_()
        if scheme == "he":
            weight.normal_(0.0, math.sqrt(2 / fan_in), generator=generator)
        elif scheme == "glorot":
            bound = math.sqrt(6 / (fan_in + fan_out))
            weight.uniform_(-bound, bound, generator=generator)
        elif scheme == "normal":
            weight.normal_(0.0, math.sqrt(1 / fan_in), generator=generator)
        elif scheme == "orthogonal":
            torch.nn.init.orthogonal_(weight, generator=generator)
        else:
            weight.zero_()


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
