"""Models as torchvision and timm write them, in-place activations and functional calls included, watched."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from passes import captured, loss_of, same, trained, worst_sum
from small_models import MODELS

import skipviz
from skipviz.drawing.diagram import draw

EVERY = pytest.mark.parametrize("name", MODELS)


def made(name: str, dtype=torch.float32):
    torch.manual_seed(0)
    return MODELS[name][0]().to(dtype), torch.randn(2, 3, 16, 16, dtype=dtype)


@EVERY
def test_training_is_the_bare_ones_to_the_bit(name):
    model, x = made(name)
    bare = trained(model, lambda: model(x))
    skipviz.watch(model, every=1, live=False)
    watched = trained(model, lambda: model(x))

    assert watched[0] == bare[0]
    assert same(watched[1], bare[1])


@EVERY
def test_merges_are_those_of_the_paper_and_all_weights_are_counted(name):
    model, x = made(name)
    layout = captured(model, (x,)).layout
    network = layout.network
    joined = Counter()
    for edge, kind in layout.merges.items():
        joined[kind, layout.targets[edge]] += 1
    found = Counter()
    for (kind, _), edges in joined.items():
        found[kind] += edges - 1

    assert {kind: count for kind, count in found.items() if kind} == MODELS[name][1]
    assert network.parameter_count() == sum(one.numel() for one in model.parameters())
    assert draw(network).svg.startswith("<svg")


@EVERY
def test_parts_sum_to_the_states_gradient_in_double_precision(name):
    model, x = made(name, torch.float64)
    one = captured(model, (x,))
    one.output.square().mean().backward()
    worst, count = worst_sum(one.capture)

    assert count > 5
    assert worst < 1e-12
    assert loss_of(one.output) > 0
