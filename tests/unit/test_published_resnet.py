"""ResNets against references written out here: with the same weights the same outputs and gradients (He et al. 2015, 2016)."""

import pytest
import torch
from reference import assert_same_function, stirred, weights_copied
from torch import Tensor, nn
from torch.nn import functional as F

from skipviz import families
from skipviz.learning.build import build
from skipviz.learning.recording import Recording


class Block(nn.Module):
    """y = ReLU(F(x) + A(x)), F of two 3×3 convolutions or of 1×1, 3×3, 1×1, each with batch norm."""

    def __init__(
        self, inputs: int, width: int, stride: int, shortcut: str, bottleneck: bool, groups: int = 1, inner: int = 0
    ) -> None:
        super().__init__()
        output = 4 * width if bottleneck else width
        kernels = (1, 3, 1) if bottleneck else (3, 3)
        widths = (inputs, *([inner or width] * (len(kernels) - 1)), output)
        strided = 1 if groups > 1 else 0
        self.convolutions = nn.ModuleList(
            nn.Conv2d(
                widths[i], widths[i + 1], k, stride if i == strided else 1, k // 2, groups=groups if i == 1 else 1, bias=False
            )
            for i, k in enumerate(kernels)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for width in widths[1:])
        self.stride, self.missing = stride, output - inputs
        self.shortcut = None
        if shortcut == "pool" and stride > 1:  # He et al. 2018, figure 2c
            self.shortcut = nn.Sequential(nn.AvgPool2d(2, 2), nn.Conv2d(inputs, output, 1, bias=False), nn.BatchNorm2d(output))
        elif shortcut == "project-all" or (shortcut != "pad" and (stride > 1 or inputs != output)):
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, output, 1, stride, bias=False), nn.BatchNorm2d(output))

    def forward(self, x: Tensor) -> Tensor:
        y = x
        for place, (convolution, norm) in enumerate(zip(self.convolutions, self.norms, strict=True)):
            y = norm(convolution(y if place == 0 else F.relu(y)))
        if self.shortcut is not None:
            return F.relu(y + self.shortcut(x))
        if self.stride > 1 or self.missing:
            x = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.missing))
        return F.relu(y + x)


class Unit(nn.Module):
    """y = F(x) + A(x), F of norm, ReLU and convolution thrice; where A projects, both read the first ReLU."""

    def __init__(self, inputs: int, width: int, stride: int, first: bool) -> None:
        super().__init__()
        widths = (inputs, width, width, 4 * width)
        self.norms = nn.ModuleList(nn.Identity() if first and not i else nn.BatchNorm2d(widths[i]) for i in range(3))
        kernels = (1, 3, 1)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(widths[i], widths[i + 1], k, 1 if i else stride, k // 2, bias=False) for i, k in enumerate(kernels)
        )
        self.shortcut = nn.Conv2d(inputs, 4 * width, 1, stride, bias=False) if inputs != 4 * width else None
        self.first = first

    def forward(self, x: Tensor) -> Tensor:
        a = x if self.first else F.relu(self.norms[0](x))
        y = self.convolutions[0](a)
        y = self.convolutions[1](F.relu(self.norms[1](y)))
        y = self.convolutions[2](F.relu(self.norms[2](y)))
        return y + (x if self.shortcut is None else self.shortcut(a))


class Reference(nn.Module):
    def __init__(self, stem: nn.Module, blocks: list[nn.Module], tail: nn.Module, width: int) -> None:
        super().__init__()
        self.stem, self.blocks, self.tail, self.head = stem, nn.Sequential(*blocks), tail, nn.Linear(width, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.tail(self.blocks(self.stem(x))).mean((2, 3)))


def stem(width: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU())


def batch(side: int = 12) -> Tensor:
    return torch.randn(6, 3, side, side, generator=torch.Generator().manual_seed(3))


def with_shortcuts(model, blocks: list[Block]) -> list:
    """Pair the skips that have parameters with the shortcuts that have."""
    skips = [skip for skip in model.skips if list(skip.parameters())]
    return list(zip(skips, [block.shortcut for block in blocks if block.shortcut is not None], strict=True))


@pytest.mark.parametrize(("bottleneck", "groups"), [(False, 1), (True, 1), (True, 3)], ids=["basic", "bottleneck", "ResNeXt"])
@pytest.mark.parametrize("shortcut", ["pad", "project", "project-all", "pool"])
def test_version_1_is_the_written_out_network(shortcut, bottleneck, groups):
    widths, a_stage = (4, 8, 16) if groups > 1 else (4, 6, 8), 2
    depth = 2 + 3 * a_stage * (3 if bottleneck else 2)
    network = families.resnet(
        depth,
        shortcut,
        widths=widths,
        block="bottleneck" if bottleneck else "basic",
        groups=groups,
        group_width=2,
        input=(3, 12, 12),
    )
    blocks, inputs = [], widths[0]
    for stage, width in enumerate(widths):
        for index in range(a_stage):
            inner = groups * 2 * 2**stage if groups > 1 else width
            blocks.append(Block(inputs, width, 2 if stage and not index else 1, shortcut, bottleneck, groups, inner))
            inputs = 4 * width if bottleneck else width
    reference = Reference(stem(widths[0]), blocks, nn.Identity(), inputs)
    model = stirred(build(network))
    layers = iter([layer for layer in model.layers if list(layer.parameters())])
    pairs = [(next(layers), reference.stem)]
    for block in blocks:
        for convolution, norm in zip(block.convolutions, block.norms, strict=True):
            pairs.append((next(layers), nn.Sequential(convolution, norm)))
    pairs += [*with_shortcuts(model, blocks), (model.head, reference.head)]
    parameters = weights_copied(pairs)
    assert_same_function(model, reference, parameters, batch())
    assert_same_function(model.eval(), reference.eval(), parameters, batch())


def test_version_2_of_bottlenecks_is_the_written_out_network():
    widths = (4, 6, 8)
    network = families.resnet(20, version=2, widths=widths, block="bottleneck", input=(3, 12, 12))
    units, inputs = [], widths[0]
    for stage, width in enumerate(widths):
        for index in range(2):
            units.append(Unit(inputs, width, 2 if stage and not index else 1, not stage and not index))
            inputs = 4 * width
    reference = Reference(stem(widths[0]), units, nn.Sequential(nn.BatchNorm2d(inputs), nn.ReLU()), inputs)
    model = stirred(build(network))
    order = [reference.stem[0], reference.stem[1]]
    for unit in units:
        for norm, convolution in zip(unit.norms, unit.convolutions, strict=True):
            order += [norm, convolution]
    order += [reference.tail[0]]
    mine = [part for module, layer in zip(model.layers, network.layers, strict=True) for part in as_computed(module, layer)]
    theirs = [module for module in order if list(module.parameters())]
    parameters = weights_copied([*zip(mine, theirs, strict=True), *with_shortcuts(model, units), (model.head, reference.head)])
    assert_same_function(model, reference, parameters, batch())


def as_computed(module, layer) -> list[nn.Module]:
    """Return the parts of a layer that have parameters, in the order in which they act."""
    parts = [module.operation, module.norm] if layer.order == "op-norm-act" else [module.norm, module.operation]
    return [part for part in parts if part is not None and list(part.parameters())]


def test_a_learned_scale_multiplies_the_branch_and_starts_at_nothing():
    network = families.resnet(8, widths=(4, 4, 4), norm="none", scale="rezero", input=(3, 8, 8))
    model = build(network)
    x = batch(8)
    stem_output = F.relu(F.conv2d(x, model.layers[0].operation.weight, model.layers[0].operation.bias, padding=1))
    strided = stem_output[..., ::4, ::4]
    assert torch.allclose(model(x), F.linear(strided.mean((2, 3)), model.head.weight, model.head.bias), atol=1e-6)


@pytest.mark.parametrize("block", ["basic", "bottleneck"])
def test_fixup_starts_every_block_as_its_shortcut_and_the_outputs_at_zero(block):
    """Zhang et al. 2019: L branches of m convolutions, He's weights times L^(−1/(2m−2)), the last of each zero."""
    network = families.resnet(20, block=block, norm="none", init="fixup", widths=(8, 16, 32), input=(3, 8, 8))
    model, recording = build(network), Recording()
    assert torch.count_nonzero(model(batch(8), recording=recording)) == 0
    same = [skip for skip, shape in zip(network.skips, network.shapes.skips, strict=True) if not shape.adapter.label()]
    assert all(torch.equal(recording.states[skip.target], recording.states[skip.source]) for skip in same)
    branches, convolutions = (9, 2) if block == "basic" else (6, 3)
    first = model.layers[network.skips[-1].source].operation.weight
    expected = (2 / first[0].numel()) ** 0.5 * branches ** (-1 / (2 * convolutions - 2))
    assert first.std().item() == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize(("block", "branches", "convolutions"), [("basic", 9, 2), ("bottleneck", 6, 3)])
def test_fixups_biases_are_one_a_channel_where_the_paper_has_one_number(block, branches, convolutions):
    """Zhang et al. 2019: a multiplier a branch as there; a scalar before each convolution, linear layer and ReLU is not here."""
    network = families.resnet(20, block=block, norm="none", init="fixup")
    he = families.resnet(20, block=block, norm="none")
    assert network.parameter_count() - he.parameter_count() == branches
    inside = [layer for layer in network.layers if layer.op.kind == "conv"]
    assert len(inside) == 1 + branches * convolutions
    assert all(layer.op.bias for layer in inside)
    assert [layer.scale_learned for layer in inside].count(True) == branches
    model = build(network)
    assert all(not model.layers[k].operation.bias.any() for k, layer in enumerate(network.layers) if layer.op.kind == "conv")
