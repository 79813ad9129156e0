"""Initial weights by scheme."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..network.init import INITS


@torch.no_grad()
def fill(weight: Tensor, bias: Tensor | None, scheme: str, fan_in: float, fan_out: float, source: torch.Generator) -> None:
    """Fill first weights in place by `scheme`, for fans of one unit, from the generator `source`; on meta there is nothing to."""
    if weight.is_meta:
        return
    kind = INITS[scheme]
    kind.fill(weight, fan_in, fan_out, source, nn)
    if bias is not None:
        kind.fill(bias, fan_in, fan_out, source, nn) if kind.biases else bias.zero_()
