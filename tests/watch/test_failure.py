"""What is left of a forward pass that fails: the error itself, the part that ran, the place, and what would mend it."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import skipviz
from skipviz.drawing.diagram import draw


class Net(nn.Module):
    """A stem, and a block that is given by a function."""

    def __init__(self, stem, block, forward) -> None:
        super().__init__()
        self.stem, self.block = stem, block
        self.ran = forward

    def forward(self, x):
        x = torch.relu(self.stem(x))
        return self.ran(self.block, x)


def failed(model, x, error=RuntimeError):
    watched = skipviz.watch(model, every=1, live=False)
    with pytest.raises(error) as raised:
        model(x)
    return watched, raised


def test_a_linear_layer_of_another_width_is_named_with_the_one_that_fits():
    model = Net(nn.Linear(4, 6), nn.Sequential(nn.Linear(6, 6), nn.Linear(8, 3)), lambda block, x: block(x))
    watched, raised = failed(model, torch.randn(2, 4))
    failure = watched.failure

    assert "shapes cannot be multiplied" in str(raised.value)
    assert failure.path == "block.1"
    assert str(failure) == (
        "block.1 (Linear) failed in linear, given 2×6 and 3×8 and 3: "
        "its weight takes 8 features and 6 came: Linear(6, 3) would take them"
    )
    assert [layer.id for layer in failure.network.layers] == ["stem", "block.0", "block.1"]
    assert failure.network.layers[-1].id == failure.node
    assert failure.network.layers[-1].op.title.startswith("fails here: ")
    assert "✗" in draw(failure.network).svg


def test_a_sum_of_unlike_states_says_which_axes_and_what_the_skip_needs():
    block = nn.Conv2d(4, 8, 3, stride=2, padding=1)
    watched, _ = failed(Net(nn.Conv2d(3, 4, 1), block, lambda block, x: x + block(x)), torch.randn(2, 3, 8, 8))
    failure = watched.failure

    assert failure.path == ""
    assert "given 2×4×8×8 and 2×8×4×4" in str(failure)
    assert "axes 1 and 2 and 3 differ" in str(failure)
    assert "1×1 convolution from 8 to 4 channels" in str(failure)
    assert {node.id for node in (*failure.network.layers, *failure.network.branches)} >= {"stem", "block"}
    assert failure.node is not None


@pytest.mark.parametrize(
    ("block", "forward", "said"),
    [
        (nn.Conv2d(5, 4, 1), lambda block, x: block(x), "in_channels=4 would take them"),
        (nn.Identity(), lambda block, x: torch.matmul(x.flatten(2), x.flatten(2)), "last two axes would do"),
        (nn.MaxPool2d(2), lambda block, x: torch.cat([x, block(x)], 1), "axes 2 and 3 differ"),
        (nn.Identity(), lambda block, x: x.view(7, 7), "invalid for input of size"),
    ],
)
def test_what_would_mend_it_is_said(block, forward, said):
    watched, _ = failed(Net(nn.Conv2d(3, 4, 1), block, forward), torch.randn(2, 3, 4, 6))

    assert said in str(watched.failure)


def test_an_error_of_the_modules_own_names_the_innermost_module():
    class Refuses(nn.Module):
        def forward(self, x):
            raise ValueError("only squares")

    watched, _ = failed(Net(nn.Linear(4, 6), Refuses(), lambda block, x: block(x)), torch.randn(2, 4), ValueError)

    assert watched.failure.path == "block"
    assert str(watched.failure) == "block (Refuses) failed in ValueError: only squares"
    assert [layer.id for layer in watched.failure.network.layers] == ["stem"]


def test_an_error_that_the_module_deals_with_is_no_failure_and_the_next_pass_is_recorded():
    def tried(block, x):
        try:
            return block(x)
        except RuntimeError:
            return x * 2

    model = Net(nn.Linear(4, 6), nn.Linear(5, 6), tried)
    watched = skipviz.watch(model, every=1, live=False)
    model(torch.randn(2, 4)).mean().backward()

    assert watched.failure is None
    assert watched.step(1.0) is not None
    assert not any("✗" in layer.op.letters for layer in watched.network.layers)


def test_a_failure_is_gone_when_a_pass_succeeds():
    model = Net(nn.Linear(4, 6), nn.Linear(8, 6), lambda block, x: block(x))
    watched, _ = failed(model, torch.randn(2, 4))
    model.block = nn.Linear(6, 6)
    model(torch.randn(2, 4)).mean().backward()

    assert watched.failure is None
    assert watched.step(1.0) is not None
