"""Published effects of initialisation, norm and skips on the gradient, measured through the probe.

Norms are those of the gradient of a random linear functional of the last state.
"""

import math
from statistics import mean

import pytest
import torch

from skipviz import families
from skipviz.learning.build import build
from skipviz.learning.probe import gradients, record

BRANCH = "norm-act-op"
"""ReLU before W, so that a branch adds nothing of non-zero mean: what the theory of residual growth assumes (De & Smith 2020)."""


@pytest.fixture(autouse=True)
def no_denormals():
    torch.set_flush_denormal(True)
    yield
    torch.set_flush_denormal(False)


def norms(depth: int, width: int, seed: int, batch: int = 64, **fields) -> tuple[list[float], list[float]]:
    """Return the norms of all states' gradients and of all states, input first."""
    network = families.mlp(depth=depth, width=width, input=(width,), **fields)
    generator = torch.Generator().manual_seed(seed)
    model = build(network, seed)
    _, recording = record(model, torch.randn(batch, width, generator=generator))
    functional = (recording.states[-1] * torch.randn(batch, width, generator=generator)).sum()
    found = gradients(functional, [], recording)
    return [g.norm().item() for g in found.states], [h.norm().item() for h in recording.states]


def factor_a_layer(depth: int, width: int, seeds: int, **fields) -> float:
    """Return the mean over seeds of the gradient's factor a layer, going back to h_1: the input is no ReLU's output."""
    logs = []
    for seed in range(seeds):
        back, _ = norms(depth, width, seed, **fields)
        logs.append(math.log(back[1] / back[-1]) / (depth - 1))
    return math.exp(mean(logs))


def test_torch_default_initialisation_shrinks_a_plain_gradient_by_the_root_of_a_sixth():
    assert factor_a_layer(20, 256, 3) == pytest.approx(math.sqrt(1 / 6), rel=0.05)


def test_torch_default_initialisation_with_skips_grows_it_by_the_root_of_seven_sixths():
    assert factor_a_layer(20, 256, 3, skip_every=1, order=BRANCH) == pytest.approx(math.sqrt(7 / 6), rel=0.02)


def test_sigmoids_shrink_the_gradient_about_fourfold_a_layer():
    assert 0.21 <= factor_a_layer(10, 256, 3, activation="sigmoid", init="normal") <= 0.25


def test_he_initialisation_keeps_the_gradient_through_fifty_layers():
    assert 0.5 <= factor_a_layer(50, 512, 2, init="he") ** 50 <= 2


def test_glorot_initialisation_halves_the_squared_gradient_a_relu_layer():
    assert math.log2(factor_a_layer(50, 512, 2, init="glorot")) == pytest.approx(-0.5, abs=0.03)


def test_residual_blocks_without_norm_double_the_squared_norm_both_ways():
    pairs = [norms(30, 256, seed, init="he", skip_every=1, order=BRANCH) for seed in range(3)]
    backward = mean(2 * math.log2(back[0] / back[-1]) / 30 for back, _ in pairs)
    forward = mean(2 * math.log2(states[-1] / states[0]) / 30 for _, states in pairs)
    assert backward == pytest.approx(1, abs=0.06)
    assert forward == pytest.approx(1, abs=0.06)


def test_plain_batch_norm_makes_the_squared_gradient_explode():
    assert 1.40 <= factor_a_layer(20, 256, 3, norm="batch", init="he", batch=256) ** 2 <= 1.50


@pytest.mark.parametrize("seed", range(3))
def test_a_he_block_sends_half_of_the_energy_through_its_skip(seed):
    network = families.mlp(depth=1, width=512, skip_every=1, init="he", input=(512,))
    model, generator = build(network, seed), torch.Generator().manual_seed(seed)
    _, recording = record(model.bound(network, True), torch.randn(64, 512, generator=generator))
    functional = (recording.states[1] * torch.randn(64, 512, generator=generator)).sum()
    found = gradients(functional, [], recording)
    skip, branch = found.skips[0][0], found.trunks[0]
    energy = [part.square().sum().item() for part in (skip, branch)]
    assert 0.47 <= energy[0] / sum(energy) <= 0.53
    assert abs((skip * branch).sum().item()) / math.sqrt(energy[0] * energy[1]) < 0.1
