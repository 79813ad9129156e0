"""Watching a module that trains on a GPU, also in half precision: the same bits as without, and autograd's own gradients."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import nn

import skipviz

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA here")]


class Residual(nn.Module):
    """Two blocks with a skip each."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(nn.Sequential(nn.Linear(8, 8), nn.LayerNorm(8), nn.GELU()) for _ in range(2))
        self.head = nn.Linear(8, 2)

    def forward(self, x):
        for block in self.blocks:
            x = x + block(x)
        return self.head(x)


def _training(model, watch: bool, half: bool):
    """Train it for a few steps; return its losses, its state, and the last frame with autograd's own gradients of that step."""
    watched = skipviz.watch(model, every=1, live=False) if watch else None
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cuda", enabled=half)
    losses, frame, norms = [], None, []
    for step in range(6):
        data = torch.randn(16, 8, generator=torch.Generator().manual_seed(step)).cuda()
        with torch.autocast("cuda", torch.float16, enabled=half):
            loss = model(data).square().mean()
        scaler.scale(loss).backward()
        losses.append(loss.item())
        if watched:
            frame = watched.step(loss, gradient_scale=scaler.get_scale())
            norms = [p.grad.double().norm().item() / scaler.get_scale() for p in model.parameters()]
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad()
    return losses, model.state_dict(), frame, norms


@pytest.mark.parametrize("half", [False, True], ids=["float32", "float16"])
def test_on_a_gpu_watching_changes_no_bit_and_measures_autograds_gradients(half):
    torch.manual_seed(0)
    model = Residual().cuda()
    other = copy.deepcopy(model)
    losses, state, _, _ = _training(model, watch=False, half=half)
    watched_losses, watched_state, frame, norms = _training(other, watch=True, half=half)

    assert watched_losses == losses
    assert all(torch.equal(watched_state[name], tensor) for name, tensor in state.items())
    sizes = [size for size in [*frame.weight_grad, frame.head_grad] if size is not None]
    assert math.hypot(*sizes) == pytest.approx(math.hypot(*norms), rel=1e-3)
