"""What a network's outputs depend on is what autograd finds a gradient of."""

import torch
from chains import chains
from hypothesis import given, settings
from test_chains import samples

from skipviz.learning.build import build
from skipviz.network.paths import in_use


@settings(max_examples=120)
@given(chains())
def test_the_parts_in_use_of_any_chain_are_those_with_a_gradient(network):
    model = build(network).double()
    model.masks.step = 0
    outputs = model(samples(network, 3)).sum()
    parts = [list(part.parameters()) for part in (*model.layers, *model.skips)]
    flat = [parameter for part in parts for parameter in part]
    found = torch.autograd.grad(outputs, flat, allow_unused=True) if outputs.requires_grad and flat else [None] * len(flat)
    reached = iter(gradient is not None for gradient in found)
    use = in_use(network)
    for part, used in zip(parts, [*use.layers, *use.skips], strict=True):
        assert [next(reached) for _ in part] == [used] * len(part)
