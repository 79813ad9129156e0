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
