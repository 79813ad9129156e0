"""U-Net against a reference written out here: with the same weights the same outputs and gradients (Ronneberger et al. 2015)."""

import pytest
import torch
from reference import assert_same_function, stirred, weights_copied
from torch import Tensor, nn
from torch.nn import functional as F

from skipviz import families
from skipviz.learning.build import build


class Level(nn.Module):
    """One scale and all below it: two valid convolutions, down, the next level, up, the crop beside it, two more."""

    def __init__(self, inputs: int, width: int, below: int) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(inputs, width, 3), nn.Conv2d(width, width, 3)
        self.below = Level(width, 2 * width, below - 1) if below else None
        if below:
            self.up = nn.ConvTranspose2d(2 * width, width, 2, 2)
            self.third, self.fourth = nn.Conv2d(2 * width, width, 3), nn.Conv2d(width, width, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.second(F.relu(self.first(x))))
        if self.below is None:
            return x
        y = self.up(self.below(F.max_pool2d(x, 2)))
        top, left = (x.shape[2] - y.shape[2]) // 2, (x.shape[3] - y.shape[3]) // 2
        window = x[:, :, top : top + y.shape[2], left : left + y.shape[3]]
        return F.relu(self.fourth(F.relu(self.third(torch.cat([y, window], 1)))))

    def in_order(self) -> list[nn.Module]:
        own = [self.first, self.second]
        return own if self.below is None else [*own, *self.below.in_order(), self.up, self.third, self.fourth]


@pytest.mark.parametrize(("depth", "side", "out"), [(1, 20, 4), (2, 44, 4), (2, 48, 8)])
def test_the_valid_network_is_the_written_out_one(depth, side, out):
    model = stirred(build(families.unet(depth=depth, width=3, input=(1, side, side))))
    levels = Level(1, 3, depth)
    reference = nn.Sequential(levels, nn.Conv2d(3, 2, 1))
    layers = [layer for layer in model.layers if list(layer.parameters())]
    parameters = weights_copied([*zip(layers, levels.in_order(), strict=True), (model.head, reference[1])])
    x = torch.randn(2, 1, side, side, generator=torch.Generator().manual_seed(2))
    assert reference(x).shape == (2, 2, out, out)
    assert_same_function(model, reference, parameters, x)
