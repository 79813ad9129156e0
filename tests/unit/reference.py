"""Holds a built network to another torch module: with the same weights, the same outputs and the same gradients."""

from __future__ import annotations

import torch
from torch import Tensor, nn

ACCURACY = 2e-5
"""Largest error over the largest value: float32 sums in another order."""


def weights_copied(pairs: list[tuple[nn.Module, nn.Module]]) -> list[tuple[nn.Parameter, nn.Parameter]]:
    """Give each right module its left one's parameters, in order; return the pairs of parameters."""
    both = []
    with torch.no_grad():
        for mine, theirs in pairs:
            for left, right in zip(mine.parameters(), theirs.parameters(), strict=True):
                right.copy_(left)
                both.append((left, right))
    return both


def stirred(module: nn.Module, seed: int = 0) -> nn.Module:
    """Move every parameter away from where it starts, so that no zero or one hides an error."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.1)
    return module


def assert_close(mine: Tensor, theirs: Tensor) -> None:
    assert mine.shape == theirs.shape
    assert (mine - theirs).abs().max() <= ACCURACY * max(1e-3, theirs.abs().max().item())


def assert_same_function(model, reference, parameters: list[tuple[Tensor, Tensor]], x: Tensor) -> None:
    """Compare outputs, and the gradients of a random functional by input and parameters; `parameters` must be all of them."""
    assert {id(p) for p in model.parameters()} == {id(left) for left, _ in parameters}
    assert {id(p) for p in reference.parameters()} == {id(right) for _, right in parameters}
    inputs = x.is_floating_point()
    results = []
    for module in (model, reference):
        given = x.clone().requires_grad_() if inputs else x
        outputs = module(given)
        weights = torch.randn(outputs.shape, generator=torch.Generator().manual_seed(1))
        wanted = [pair[len(results) > 0] for pair in parameters] + ([given] if inputs else [])
        results.append((outputs, torch.autograd.grad((outputs * weights).sum(), wanted)))
    (mine, my_gradients), (theirs, their_gradients) = results
    assert theirs.abs().max() > 0
    assert_close(mine, theirs)
    for left, right in zip(my_gradients, their_gradients, strict=True):
        assert_close(left, right)


def parameter_count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())
