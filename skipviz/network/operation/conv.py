"""A convolution of images and volumes."""

from __future__ import annotations

from fractions import Fraction
from math import prod
from typing import ClassVar, Literal

from pydantic import Field

from ..base import Bias, NetworkError, Shape, Width, axes, kernel_words, written
from ..kind import Operation, Weights


class Convolution(Operation):
    """A convolution of images by squares, of volumes by cubes; `padding=None` keeps the size at stride 1.

    In `groups` the channels are mapped apart, depthwise in as many groups as channels (Xie et al. 2017, Howard et al. 2017).
    """

    number: ClassVar = 2
    calls: ClassVar = 40
    keys: ClassVar = {
        "w": "width",
        "n": "kernel",
        "s": "stride",
        "p": "padding",
        "g": "groups",
        "d": "dilation",
        "b": "bias",
        "e": "edges",
    }
    kind: Literal["conv"] = "conv"
    width: Width = Field(description="channels out")
    kernel: int = Field(3, ge=1, le=32, description="pixels a side")
    stride: int = Field(1, ge=1, le=32, description="pixels from one place of the kernel to the next")
    padding: int | None = Field(None, ge=0, le=100, description="pixels a side; None: dilation · (kernel − 1) / 2")
    groups: int = Field(1, ge=1, le=4096, description="of channels that are mapped apart; it divides channels in and out")
    dilation: int = Field(1, ge=1, le=64, description="pixels from one of the kernel's to the next (Yu & Koltun 2016)")
    bias: Bias = True
    edges: Literal["zeros", "reflect", "replicate", "circular"] = Field(
        "zeros", description="what is padded: zeros, or the image mirrored, its rim again, or the image from its other side"
    )

    def pixels_padded(self) -> int:
        return self.dilation * (self.kernel - 1) // 2 if self.padding is None else self.padding

    @property
    def coarsens(self) -> Fraction:
        return Fraction(self.stride)

    def output_shape(self, shape: Shape) -> Shape:
        self._need_image(shape)
        if shape[0] % self.groups or self.width % self.groups:
            raise NetworkError(f"{self.groups} groups need channels that they divide, not {shape[0]} in and {self.width} out")
        around, least = self.pixels_padded(), min(shape[1:])
        room = {"reflect": least - 1, "circular": least}.get(self.edges, around)
        if around > room:
            raise NetworkError(f"{self.edges} edges of {written(shape[1:])} pixels are at most {room} wide, not {around}")
        reach = self.dilation * (self.kernel - 1) + 1
        sides = tuple((side + 2 * around - reach) // self.stride + 1 for side in shape[1:])
        if min(sides) < 1:
            spread = f", dilated by {self.dilation}," if self.dilation > 1 else ""
            cube = kernel_words(self.kernel, shape)
            raise NetworkError(f"a {cube} convolution{spread} does not fit into {written(shape[1:])} pixels")
        return (self.width, *sides)

    def parameters(self, shape: Shape) -> dict[str, Shape | None]:
        weight = self.width, shape[0] // self.groups, *(self.kernel,) * axes(shape)
        return {"weight": weight, "bias": (self.width,) if self.bias else None}

    def fans(self, shape: Shape) -> tuple[float, float]:
        read, fed = super().fans(shape)
        return read, fed // self.groups

    @property
    def saves_input(self) -> bool:
        return self.edges != "circular"

    def saves_more(self, shape: Shape) -> int:
        sides = [side + 2 * self.pixels_padded() for side in shape[1:]]
        return 0 if self.edges == "zeros" else shape[0] * prod(sides)

    def written(self, shape: Shape, weights: Weights) -> list[str]:
        given = {"stride": (self.stride, 1), "padding": (self.pixels_padded(), 0), "dilation": (self.dilation, 1)}
        given |= {"groups": (self.groups, 1), "bias": (self.bias, True), "padding_mode": (self.edges, "zeros")}
        more = "".join(f", {name}={value!r}" for name, (value, usual) in given.items() if value != usual)
        return [weights.drawn(f"nn.Conv{axes(shape)}d({shape[0]}, {self.width}, {self.kernel}{more})")]

    def label(self) -> str:
        parts = [f"conv {self.width}", f"÷{self.stride}" * (self.stride > 1), f"in {self.groups} groups" * (self.groups > 1)]
        return " ".join(part for part in (*parts, f"dilated {self.dilation}" * (self.dilation > 1)) if part)

    def short(self, axes: int = 2) -> str:
        return f"{f'{self.kernel}³' if axes == 3 else f'{self.kernel}×{self.kernel}'}·{self.width}"


KIND = Convolution
