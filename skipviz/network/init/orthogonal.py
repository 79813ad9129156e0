"""A matrix that keeps lengths (Saxe et al. 2014)."""

from ..kind import Init


def fill(weight, fan_in, fan_out, source, nn):
    nn.init.orthogonal_(weight, generator=source)


KIND = Init(number=5, name="orthogonal", words="orthogonal", fill=fill, paper="Saxe et al. 2014")
