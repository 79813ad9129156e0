"""Dense blocks and highway layers against references written out here: with the same weights the same outputs and gradients."""

import pytest
import torch
from reference import assert_same_function, stirred, weights_copied
from torch import Tensor, nn
from torch.nn import functional as F

from skipviz import families
from skipviz.learning.build import build


class DenseBlock(nn.Module):
    """x_l = H([x_0, …, x_{l−1}]), H of norm, ReLU, 1×1, norm, ReLU, 3×3 (Huang et al. 2017); gives all of them.

    The newest state stands first in a concat, as in skipviz; the order of channels names them, no more.
    """

    def __init__(self, inputs: int, layers: int, growth: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList()
        for index in range(layers):
            width = inputs + index * growth
            narrow = nn.Conv2d(width, 4 * growth, 1, bias=False)
            wide = nn.Conv2d(4 * growth, growth, 3, padding=1, bias=False)
            self.layers.append(nn.Sequential(nn.BatchNorm2d(width), nn.ReLU(), narrow, nn.BatchNorm2d(4 * growth), nn.ReLU(), wide))

    def forward(self, x: Tensor) -> Tensor:
        found = [x]
        for layer in self.layers:
            found.append(layer(newest_first(found)))
        return newest_first(found)


def newest_first(found: list[Tensor]) -> Tensor:
    return torch.cat([found[-1], *found[:-1]], 1)


def test_dense_blocks_and_a_transition_are_the_written_out_ones():
    network = families.densenet(blocks=(3, 2), growth=3, input=(2, 8, 8))
    model = stirred(build(network))
    reference = nn.Sequential(
        nn.Conv2d(2, 6, 3, padding=1, bias=False),
        DenseBlock(6, 3, 3),
        nn.Sequential(nn.BatchNorm2d(15), nn.ReLU(), nn.Conv2d(15, 7, 1, bias=False), nn.AvgPool2d(2)),
        DenseBlock(7, 2, 3),
        nn.Sequential(nn.BatchNorm2d(13), nn.ReLU()),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(13, 10),
    )
    mine = [
        part for layer in model.layers for part in (layer.norm, layer.operation) if part is not None and list(part.parameters())
    ]
    theirs = [part for part in reference.modules() if isinstance(part, nn.Conv2d | nn.BatchNorm2d)]
    parameters = weights_copied([*zip(mine, theirs, strict=True), (model.head, reference[-1])])
    x = torch.randn(5, 2, 8, 8, generator=torch.Generator().manual_seed(1))
    assert_same_function(model, reference, parameters, x)
    assert_same_function(model.eval(), reference.eval(), parameters, x)


class HighwayLayer(nn.Module):
    """y = H(x)·T(x) + x·(1 − T(x)), T = σ(W x + b) (Srivastava et al. 2015, equation 3)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.transform, self.gate = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        share = torch.sigmoid(self.gate(x))
        return F.relu(self.transform(x)) * share + x * (1 - share)


@pytest.mark.parametrize("depth", [2, 6])
def test_highway_layers_are_the_written_out_ones(depth):
    model = stirred(build(families.highway(depth, 7, input=(5,))))
    reference = nn.Sequential(nn.Linear(5, 7), nn.ReLU(), *[HighwayLayer(7) for _ in range(depth - 1)], nn.Linear(7, 10))
    pairs = [(model.layers[0], reference[0]), (model.head, reference[-1])]
    for layer, skip, written_out in zip(list(model.layers)[1:], model.skips, reference[2:-1], strict=True):
        pairs += [(layer, written_out.transform), (skip, written_out.gate)]
    x = torch.randn(8, 5, generator=torch.Generator().manual_seed(1))
    assert_same_function(model, reference, weights_copied(pairs), x)


@pytest.mark.parametrize(("depth", "width"), [(10, 50), (50, 50), (100, 50), (50, 71)])
def test_a_highway_network_has_the_parameters_of_the_paper_and_torch_builds_as_many(depth, width):
    """Srivastava et al. 2015, section 3: 784 pixels to `width`, layers of W_H, b_H, W_T and b_T, ten classes."""
    highway, plain = (families.highway(depth, width, plain=plain, input=(784,)) for plain in (False, True))
    layer, ends = width * width + width, (784 + 1) * width + (width + 1) * 10
    assert highway.parameter_count() == ends + 2 * (depth - 1) * layer
    assert plain.parameter_count() == ends + (depth - 1) * layer
    with torch.device("meta"):
        counts = [sum(parameter.numel() for parameter in build(network).parameters()) for network in (highway, plain)]
    assert counts == [highway.parameter_count(), plain.parameter_count()]
