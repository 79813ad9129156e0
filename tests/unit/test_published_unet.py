"""U-Net against references written out here: with the same weights the same outputs and gradients (Ronneberger et al. 2015)."""

import pytest
import torch
from reference import assert_same_function, stirred, weights_copied
from torch import Tensor, nn
from torch.nn import functional as F

from skipviz import families
from skipviz.learning.build import build
from skipviz.sharing.script.experiment import network_source


class Level(nn.Module):
    """One scale and all below it: two valid convolutions, down, the next level, up, the crop beside it, two more.

    `adds` takes the crop as a summand, `bilinear` up-samples by resizing and a 3×3 convolution, `short` lays a residual skip
    over the two convolutions, by a convolution of so many pixels a side (1: Drozdzal et al. 2016; 3: a ResUNet's).
    """

    def __init__(self, inputs: int, width: int, below: int, adds: bool = False, bilinear: bool = False, short: int = 0) -> None:
        super().__init__()
        self.adds, self.short = adds, short
        self.first, self.second = nn.Conv2d(inputs, width, 3), nn.Conv2d(width, width, 3)
        self.across = nn.Conv2d(inputs, width, short, padding=short // 2) if short else None
        self.below = Level(width, 2 * width, below - 1, adds, bilinear, short) if below else None
        if below:
            resized = nn.Sequential(nn.Upsample(scale_factor=2, mode="bilinear"), nn.Conv2d(2 * width, width, 3, padding=1))
            self.up = resized if bilinear else nn.ConvTranspose2d(2 * width, width, 2, 2)
            self.third, self.fourth = nn.Conv2d(width if adds else 2 * width, width, 3), nn.Conv2d(width, width, 3)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.second(F.relu(self.first(x))))
        x = y + self.across(cropped(x, y)) if self.short else y
        if self.below is None:
            return x
        y = self.up(self.below(F.max_pool2d(x, 2)))
        window = cropped(x, y)
        y = y + window if self.adds else y
        z = F.relu(self.fourth(F.relu(self.third(y if self.adds else torch.cat([y, window], 1)))))
        return z + cropped(y, z) if self.short else z

    def in_order(self) -> list[nn.Module]:
        own = [self.first, self.second]
        return own if self.below is None else [*own, *self.below.in_order(), self.up, self.third, self.fourth]

    def across_in_order(self) -> list[nn.Module]:
        own = [self.across] if self.short else []
        return own if self.below is None else [*own, *self.below.across_in_order()]


def cropped(x: Tensor, to: Tensor) -> Tensor:
    """Return the centre of `x`, as large as `to`."""
    top, left = (x.shape[2] - to.shape[2]) // 2, (x.shape[3] - to.shape[3]) // 2
    return x[:, :, top : top + to.shape[2], left : left + to.shape[3]]


KINDS = {
    "as published": {},
    "adding": {"adds": True},
    "bilinear": {"bilinear": True},
    "short skips": {"short": 1},
    "short skips of 3×3": {"short": 3},
    "all three": {"adds": True, "bilinear": True, "short": 1},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("depth", "side", "out"), [(1, 20, 4), (2, 44, 4), (2, 48, 8)])
def test_the_valid_network_is_the_written_out_one(depth, side, out, kind):
    chosen = KINDS[kind]
    options = {"merge": "add" if chosen.get("adds") else "concat", "up": "bilinear" if chosen.get("bilinear") else "transposed"}
    short = 2 if chosen.get("short") else 0
    options |= {"short_every": short, "short_kernel": chosen.get("short") or 1}
    model = stirred(build(families.unet(depth=depth, width=3, input=(1, side, side), **options)))
    levels = Level(1, 3, depth, **chosen)
    reference = nn.Sequential(levels, nn.Conv2d(3, 2, 1))
    layers, skips = ([part for part in parts if list(part.parameters())] for parts in (model.layers, model.skips))
    pairs = [*zip(layers, levels.in_order(), strict=True), *zip(skips, levels.across_in_order(), strict=True)]
    parameters = weights_copied([*pairs, (model.head, reference[1])])
    x = torch.randn(2, 1, side, side, generator=torch.Generator().manual_seed(2))
    assert reference(x).shape == (2, 2, out, out)
    assert_same_function(model, reference, parameters, x)


class PaddedLevel(nn.Module):
    """One scale of a padded U-Net as many write it, and all below it: what is up-scaled is padded to the skip's size by `F.pad`."""

    def __init__(self, inputs: int, width: int, below: int, adds: bool, bilinear: bool) -> None:
        super().__init__()
        self.adds = adds
        self.down = _two(inputs, width)
        self.below = PaddedLevel(width, 2 * width, below - 1, adds, bilinear) if below else None
        if below:
            resized = nn.Sequential(nn.Upsample(scale_factor=2, mode="bilinear"), nn.Conv2d(2 * width, width, 3, padding=1))
            self.up = resized if bilinear else nn.ConvTranspose2d(2 * width, width, 2, 2)
            self.merged = _two(width if adds else 2 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        x = self.down(x)
        if self.below is None:
            return x
        y = self.up(self.below(F.max_pool2d(x, 2)))
        rows, columns = x.shape[2] - y.shape[2], x.shape[3] - y.shape[3]
        y = F.pad(y, [columns // 2, columns - columns // 2, rows // 2, rows - rows // 2])
        return self.merged(y + x if self.adds else torch.cat([y, x], 1))


def _two(inputs: int, width: int) -> nn.Sequential:
    """Return two padded convolutions, each with its norm."""
    return nn.Sequential(*(
        nn.Sequential(nn.Conv2d(reads, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU())
        for reads in (inputs, width)
    ))  # fmt: skip


@pytest.mark.parametrize("adds", [False, True], ids=["concat", "add"])
@pytest.mark.parametrize("bilinear", [False, True], ids=["transposed", "bilinear"])
@pytest.mark.parametrize("sides", [(37, 50), (15, 9), (22, 24), (16, 24)])
def test_the_padded_network_is_the_written_out_one_that_pads_what_it_up_scales(sides, bilinear, adds):
    network = families.unet(
        depth=3, width=3, padded=True, norm="batch", input=(2, *sides), head=2,
        merge="add" if adds else "concat", up="bilinear" if bilinear else "transposed",
    )  # fmt: skip
    model = stirred(build(network))
    levels = PaddedLevel(2, 3, 3, adds, bilinear)
    reference = nn.Sequential(levels, nn.Conv2d(3, 2, 1))
    layers = [layer for layer in model.layers if list(layer.parameters())]
    parameters = weights_copied([*zip(layers, _in_order(levels), strict=True), (model.head, reference[1])])
    x = torch.randn(2, 2, *sides, generator=torch.Generator().manual_seed(2))
    assert reference(x).shape == (2, 2, *sides)
    assert_same_function(model, reference, parameters, x)


def _in_order(level: PaddedLevel) -> list[nn.Module]:
    """Return a level's convolutions as its network lays them: down, below, up, merged."""
    if level.below is None:
        return [*level.down]
    return [*level.down, *_in_order(level.below), level.up, *level.merged]


@pytest.mark.parametrize(
    "more", [{}, {"up": "bilinear"}, {"gates": True}, {"nested": True}], ids=["", "bilinear", "gates", "nested"]
)
def test_a_network_padded_up_is_the_same_in_its_script(more):
    network = families.unet(depth=3, width=3, padded=True, norm="batch", input=(1, 37, 50), head=1, **more)
    space = {}
    exec(network_source(network), space)
    torch.manual_seed(0)
    x = torch.randn(2, 1, 37, 50)
    assert torch.equal(space["Network"]()(x), build(network)(x))
