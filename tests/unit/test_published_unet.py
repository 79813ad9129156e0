"""U-Net against a reference written out here: with the same weights the same outputs and gradients (Ronneberger et al. 2015)."""

import pytest
import torch
from reference import assert_same_function, stirred, weights_copied
from torch import Tensor, nn
from torch.nn import functional as F

from skipviz import families
from skipviz.learning.build import build


class Level(nn.Module):
    """One scale and all below it: two valid convolutions, down, the next level, up, the crop beside it, two more.

    `adds` takes the crop as a summand, `bilinear` up-samples by resizing and a 3×3 convolution, `short` lays a residual skip
    over the two convolutions, by a 1×1 one where widths differ (Drozdzal et al. 2016).
    """

    def __init__(
        self, inputs: int, width: int, below: int, adds: bool = False, bilinear: bool = False, short: bool = False
    ) -> None:
        super().__init__()
        self.adds, self.short = adds, short
        self.first, self.second = nn.Conv2d(inputs, width, 3), nn.Conv2d(width, width, 3)
        self.across = nn.Conv2d(inputs, width, 1) if short else None
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
    "short skips": {"short": True},
    "all three": {"adds": True, "bilinear": True, "short": True},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("depth", "side", "out"), [(1, 20, 4), (2, 44, 4), (2, 48, 8)])
def test_the_valid_network_is_the_written_out_one(depth, side, out, kind):
    chosen = KINDS[kind]
    options = {"merge": "add" if chosen.get("adds") else "concat", "up": "bilinear" if chosen.get("bilinear") else "transposed"}
    short = 2 if chosen.get("short") else 0
    model = stirred(build(families.unet(depth=depth, width=3, short_every=short, input=(1, side, side), **options)))
    levels = Level(1, 3, depth, **chosen)
    reference = nn.Sequential(levels, nn.Conv2d(3, 2, 1))
    layers, skips = ([part for part in parts if list(part.parameters())] for parts in (model.layers, model.skips))
    pairs = [*zip(layers, levels.in_order(), strict=True), *zip(skips, levels.across_in_order(), strict=True)]
    parameters = weights_copied([*pairs, (model.head, reference[1])])
    x = torch.randn(2, 1, side, side, generator=torch.Generator().manual_seed(2))
    assert reference(x).shape == (2, 2, out, out)
    assert_same_function(model, reference, parameters, x)
