"""FCN-8s against a reference written out here: with the same weights the same outputs and gradients (Long et al. 2015)."""

import pytest
import torch
from reference import assert_same_function, stirred, weights_copied
from torch import Tensor, nn
from torch.nn import functional as F

from skipviz import families
from skipviz.learning.build import build

STAGES = ((2, 1), (3, 2), (4, 1), (3, 1), (4, 2))


class Reference(nn.Module):
    """FCN-8s with the borders, crops and edges of the published one, or padded so that no crop is needed."""

    def __init__(self, published: bool, classes: int) -> None:
        super().__init__()
        self.published = published
        self.stages, inputs = nn.ModuleList(), 1
        for width, count in STAGES:
            stage = nn.ModuleList()
            for _ in range(count):
                border = 100 if published and not self.stages and not stage else 1
                stage.append(nn.Conv2d(inputs, width, 3, padding=border))
                inputs = width
            self.stages.append(stage)
        self.wide, self.deep = nn.Conv2d(inputs, 5, 7, padding=0 if published else 3), nn.Conv2d(5, 5, 1)
        self.score = nn.Conv2d(5, classes, 1)
        self.score4, self.score3 = nn.Conv2d(STAGES[3][0], classes, 1), nn.Conv2d(STAGES[2][0], classes, 1)
        padding = 0 if published else 1
        self.twofold = nn.ConvTranspose2d(classes, classes, 4, 2, padding, bias=False)
        self.twofold_again = nn.ConvTranspose2d(classes, classes, 4, 2, padding, bias=False)
        self.eightfold = nn.ConvTranspose2d(classes, classes, 16, 8, 0 if published else 4, bias=False)

    def cut(self, scores: Tensor, like: Tensor, offset: int) -> Tensor:
        if not self.published:
            return scores
        return scores[:, :, offset : offset + like.shape[2], offset : offset + like.shape[3]]

    def forward(self, x: Tensor) -> Tensor:
        pools, y = [], x
        for stage in self.stages:
            for convolution in stage:
                y = F.relu(convolution(y))
            y = F.max_pool2d(y, 2, 2, ceil_mode=self.published)
            pools.append(y)
        y = self.twofold(self.score(F.relu(self.deep(F.relu(self.wide(y))))))
        y = y + self.cut(self.score4(pools[3]), y, 5)
        y = self.twofold_again(y)
        y = y + self.cut(self.score3(pools[2]), y, 9)
        return self.cut(self.eightfold(y), x, 31)

    def trunk(self) -> list[nn.Module]:
        convolutions = [convolution for stage in self.stages for convolution in stage]
        return [*convolutions, self.wide, self.deep, self.score, self.twofold, self.twofold_again, self.eightfold]


@pytest.mark.parametrize(("published", "size"), [(True, (36, 45)), (True, (33, 64)), (False, (32, 64))])
def test_fcn_8s_is_the_written_out_network(published, size):
    network = families.fcn("8s", STAGES, 5, padded=not published, input=(1, *size), head=3)
    model = stirred(build(network))
    reference = Reference(published, 3)
    layers = [layer for layer in model.layers if list(layer.parameters())]
    pairs = [*zip(layers, reference.trunk(), strict=True), *zip(model.skips, (reference.score4, reference.score3), strict=True)]
    x = torch.randn(2, 1, *size, generator=torch.Generator().manual_seed(1))
    assert reference(x).shape == (2, 3, *size)
    assert_same_function(model, reference, weights_copied(pairs), x)
