"""What a kind says of itself is what torch does."""

from pkgutil import resolve_name

import pytest
import torch
from torch import nn

from skipviz.network.activation import ACTIVATIONS
from skipviz.web.content import bundle

MODULES = {name: eval(kind.module, {"nn": nn}) for name, kind in ACTIVATIONS.items()}
KINDS = pytest.mark.parametrize("kind", ACTIVATIONS.values(), ids=ACTIVATIONS)


@KINDS
def test_an_activations_function_and_the_module_of_its_script_are_one(kind):
    x = torch.linspace(-8, 8, 1001, requires_grad=True)
    results = []
    for function in (resolve_name(kind.function), MODULES[kind.name]):
        y = function(x)
        results.append((y, *torch.autograd.grad(y.sum(), x)))
    assert all(torch.equal(*pair) for pair in zip(*results, strict=True))


@KINDS
def test_what_autograd_keeps_of_an_activation_is_what_its_kind_says(kind):
    x, kept = torch.randn(50, requires_grad=True), []
    with torch.autograd.graph.saved_tensors_hooks(lambda tensor: kept.append(tensor.clone()) or tensor, lambda tensor: tensor):
        y = resolve_name(kind.function)(x)
    held = {"input": x, "output": y}[kind.saves]
    assert any(torch.equal(tensor, held) for tensor in kept)
    assert sum(tensor.shape == x.shape for tensor in kept) == 1


@KINDS
def test_whether_a_gradient_passes_at_zero_is_what_the_kind_says(kind):
    x = torch.zeros(1, requires_grad=True)
    (slope,) = torch.autograd.grad(resolve_name(kind.function)(x), x)
    assert (slope.item() != 0) == kind.passes_at_zero


def test_numbers_of_activations_stay_and_the_browser_has_their_words():
    first = ["relu", "leaky_relu", "gelu", "tanh", "sigmoid"]
    assert [kind.name for kind in ACTIVATIONS.values() if kind.number <= 5] == first
    assert [list(pair) for pair in bundle.kinds()["activation"]] == [[kind.name, kind.words] for kind in ACTIVATIONS.values()]
    assert 'const KINDS = {"activation"' in bundle.script()
    assert 'const KINDS = {"activation"' in bundle.script("replay.js")
