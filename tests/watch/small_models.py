"""Small models in the style of torchvision and timm, which do not import beside the pinned torch: written as those write them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def conv(before: int, after: int, size: int = 3, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(before, after, size, stride, size // 2, bias=False)


class Block(nn.Module):
    """Two linear layers past which a skip goes."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.outer = nn.Linear(8, 8), nn.Linear(8, 8)

    def forward(self, x):
        return x + self.outer(torch.relu(self.inner(x)))


class BasicBlock(nn.Module):
    """He et al. 2016, with the in-place activations of torchvision."""

    def __init__(self, before: int, after: int, stride: int = 1, squeeze: nn.Module | None = None) -> None:
        super().__init__()
        self.conv1, self.bn1 = conv(before, after, stride=stride), nn.BatchNorm2d(after)
        self.conv2, self.bn2 = conv(after, after), nn.BatchNorm2d(after)
        self.relu, self.squeeze = nn.ReLU(inplace=True), squeeze
        same = before == after and stride == 1
        self.downsample = None if same else nn.Sequential(conv(before, after, 1, stride), nn.BatchNorm2d(after))

    def forward(self, x: Tensor) -> Tensor:
        identity = x
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        if self.squeeze is not None:
            out = self.squeeze(out)
        if self.downsample is not None:
            identity = self.downsample(x)
        out += identity
        return self.relu(out)


class SqueezeExcite(nn.Module):
    """Hu et al. 2018."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Conv2d(channels, 2, 1), nn.Conv2d(2, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.fc2(F.relu(self.fc1(x.mean((2, 3), keepdim=True)))).sigmoid()


class ResNet(nn.Module):
    def __init__(self, squeezed: bool = False) -> None:
        super().__init__()
        self.conv1, self.bn1, self.relu = conv(3, 8, 7, 2), nn.BatchNorm2d(8), nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)

        def block(before: int, after: int, stride: int) -> BasicBlock:
            return BasicBlock(before, after, stride, SqueezeExcite(after) if squeezed else None)

        self.layer1 = nn.Sequential(block(8, 8, 1), block(8, 8, 1))
        self.layer2 = nn.Sequential(block(8, 16, 2), block(16, 16, 1))
        self.avgpool, self.fc = nn.AdaptiveAvgPool2d((1, 1)), nn.Linear(16, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer2(self.layer1(x))
        return self.fc(torch.flatten(self.avgpool(x), 1))


class DenseNet(nn.Module):
    """Huang et al. 2017, each layer concatenating all before it, as torchvision does."""

    class Layer(nn.Module):
        def __init__(self, before: int, growth: int) -> None:
            super().__init__()
            self.norm, self.relu, self.conv = nn.BatchNorm2d(before), nn.ReLU(inplace=True), conv(before, growth)

        def forward(self, features: list[Tensor]) -> Tensor:
            return self.conv(self.relu(self.norm(torch.cat(features, 1))))

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.fc = conv(3, 4), nn.Linear(4 + 3 * 4, 5)
        self.layers = nn.ModuleList(self.Layer(4 + 4 * place, 4) for place in range(3))

    def forward(self, x: Tensor) -> Tensor:
        features = [self.stem(x)]
        for layer in self.layers:
            features.append(layer(features))
        return self.fc(torch.cat(features, 1).mean((2, 3)))


class Inception(nn.Module):
    """Szegedy et al. 2015: four arms, concatenated."""

    class Block(nn.Module):
        def __init__(self, before: int) -> None:
            super().__init__()
            self.one = conv(before, 4, 1)
            self.three = nn.Sequential(conv(before, 2, 1), nn.ReLU(), conv(2, 4))
            self.five = nn.Sequential(conv(before, 2, 1), nn.ReLU(), conv(2, 4, 5))
            self.pooled = nn.Sequential(nn.MaxPool2d(3, 1, 1), conv(before, 4, 1))

        def forward(self, x: Tensor) -> Tensor:
            return torch.cat([F.relu(arm(x)) for arm in (self.one, self.three, self.five, self.pooled)], 1)

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.block, self.fc = conv(3, 6), self.Block(6), nn.Linear(16, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.block(F.relu(self.stem(x))).mean((2, 3)))


class UNet(nn.Module):
    """Ronneberger et al. 2015, with functional pooling and resizing."""

    def __init__(self) -> None:
        super().__init__()
        self.down1, self.down2, self.bottom = conv(3, 4), conv(4, 8), conv(8, 8)
        self.up2, self.up1, self.out = conv(16, 4), conv(8, 4), nn.Conv2d(4, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        one = F.relu(self.down1(x))
        two = F.relu(self.down2(F.max_pool2d(one, 2)))
        low = F.relu(self.bottom(F.max_pool2d(two, 2)))
        up = F.relu(self.up2(torch.cat([two, F.interpolate(low, scale_factor=2)], 1)))
        return self.out(F.relu(self.up1(torch.cat([one, F.interpolate(up, scale_factor=2)], 1))))


class HRNet(nn.Module):
    """Wang et al. 2020: two resolutions that are fused into each other, summed in place as timm does."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.low = conv(3, 4), conv(4, 8, 3, 2)
        self.high_branch, self.low_branch = conv(4, 4), conv(8, 8)
        self.down, self.up, self.fc = conv(4, 8, 3, 2), conv(8, 4, 1), nn.Linear(12, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        high, low = F.relu(self.high_branch(x)), F.relu(self.low_branch(self.low(x)))
        fused = F.relu(high + F.interpolate(self.up(low), scale_factor=2))
        below = self.down(high)
        below += low
        return self.fc(torch.cat([fused.mean((2, 3)), F.relu(below).mean((2, 3))], 1))


MODELS = {
    "ResNet": (ResNet, {"add": 4}),
    "SE-ResNet": (lambda: ResNet(squeezed=True), {"add": 4, "multiply": 4}),
    "DenseNet": (DenseNet, {"concat": 1 + 2 + 3}),
    "Inception": (Inception, {"concat": 3}),
    "U-Net": (UNet, {"concat": 2}),
    "HRNet": (HRNet, {"add": 2, "concat": 1}),
}
"""By name, how it is made, and the merges of its graph: with how many further states each joins."""
