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


class Gated(torch.nn.Module):
    """A gated linear unit (Dauphin et al. 2017), which is one box, and an attention of three views of one state."""

    def __init__(self) -> None:
        super().__init__()
        self.both, self.qkv, self.out = torch.nn.Linear(4, 8), torch.nn.Linear(4, 12), torch.nn.Linear(4, 2)

    def forward(self, x):
        value, gate = self.both(x).chunk(2, -1)
        self.gated = value * gate.sigmoid()
        self.three = self.qkv(self.gated)
        self.gated.retain_grad(), self.three.retain_grad()
        query, key, value = self.three.chunk(3, -1)
        return self.out((query @ key.transpose(1, 2)).softmax(-1) @ value)


def test_what_comes_back_through_views_of_a_state_is_one_edge():
    torch.manual_seed(0)
    model, x = Gated().double(), torch.randn(2, 5, 4, dtype=torch.float64)
    watched = skipviz.watch(model, every=1, live=False)
    loss = model(x).square().mean()
    loss.backward()
    frame = watched.step(loss)
    states = dict(zip(["x", *(layer.id for layer in watched.network.layers)], frame.state_grad, strict=True))

    for name, whole in (("both", model.gated.grad), ("qkv", model.three.grad)):
        assert states[name] == pytest.approx(whole.norm().item(), rel=1e-12)
        assert frame.trunk_grad[[*states].index(name)] == pytest.approx(whole.norm().item(), rel=1e-12)


def test_a_long_recurrence_behind_a_view_is_folded_at_once():
    class Scan(torch.nn.Module):
        def forward(self, x):
            whole = x.relu()
            state = view = whole.view(x.shape[0], 1, 4)
            for _ in range(60):
                state = state.sin() * state.cos()
            return whole, view, state

    class Net(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.scan, self.last = torch.nn.Linear(4, 4), Scan(), torch.nn.Linear(4, 4)

        def forward(self, x):
            whole, view, state = self.scan(self.first(x))
            return self.last(state.squeeze(1) + view[:, 0]), whole

    torch.manual_seed(0)
    watched = skipviz.watch(model := Net(), every=1, live=False)
    model(torch.randn(2, 4))[0].square().mean().backward()

    assert watched.step(1.0).total_grad > 0
    assert not watched.remarks


def test_a_state_that_is_added_twice_has_two_skips():
    class Twice(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second, self.last = torch.nn.Linear(4, 4), torch.nn.Linear(4, 4), torch.nn.Linear(4, 2)

        def forward(self, x):
            x = self.first(x)
            return self.last(self.second(x) + x + x)

    torch.manual_seed(0)
    watched = skipviz.watch(model := Twice(), every=1, live=False)
    loss = model(torch.randn(3, 4)).square().mean()
    loss.backward()
    frame = watched.step(loss)
    skips = [skip for skip in watched.network.skips if skip.merge == "add"]

    assert not watched.remarks
    assert len(skips) == 2
    assert frame.skip_grad[0] == pytest.approx(frame.skip_grad[1], rel=1e-6)
    assert draw(watched.network).svg.startswith("<svg")
