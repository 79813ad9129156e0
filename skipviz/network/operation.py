"""Operations a layer can apply: their fields, shape rules and parameter counts.

The torch module of each stands under the same name in `skipviz.learning.operation`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .base import NetworkError, Shape, Tagged, elements, is_image, written

Width = Annotated[int, Field(ge=1, le=4096)]


class Linear(Tagged):
    """`y = W x + b`; an image is flattened first, a sequence is mapped position by position."""

    kind: Literal["linear"] = "linear"
    width: Width = Field(description="features out")
    bias: bool = True

    def output_shape(self, shape: Shape) -> Shape:
        return (shape[0], self.width) if len(shape) == 2 else (self.width,)

    def parameter_count(self, shape: Shape) -> int:
        features = shape[1] if len(shape) == 2 else elements(shape)
        return features * self.width + (self.width if self.bias else 0)

    def label(self) -> str:
        return f"linear {self.width}"


class Convolution(Tagged):
    """A square 2-D convolution; `padding=None` keeps the size at stride 1.

    In `groups` the channels are mapped apart, depthwise in as many groups as channels (Xie et al. 2017, Howard et al. 2017).
    """

    kind: Literal["conv"] = "conv"
    width: Width = Field(description="channels out")
    kernel: int = Field(3, ge=1, le=11, description="pixels a side")
    stride: int = Field(1, ge=1, le=8)
    padding: int | None = Field(None, ge=0, le=100, description="pixels a side; None: dilation · (kernel − 1) / 2")
    groups: int = Field(1, ge=1, le=4096, description="of channels that are mapped apart; it divides channels in and out")
    dilation: int = Field(1, ge=1, le=64, description="pixels from one of the kernel's to the next (Yu & Koltun 2016)")
    bias: bool = True

    def pixels_padded(self) -> int:
        return self.dilation * (self.kernel - 1) // 2 if self.padding is None else self.padding

    def output_shape(self, shape: Shape) -> Shape:
        _need_image(self, shape)
        if shape[0] % self.groups or self.width % self.groups:
            raise NetworkError(f"{self.groups} groups need channels that they divide, not {shape[0]} in and {self.width} out")
        reach = self.dilation * (self.kernel - 1) + 1
        sides = tuple((side + 2 * self.pixels_padded() - reach) // self.stride + 1 for side in shape[1:])
        if min(sides) < 1:
            spread = f", dilated by {self.dilation}," if self.dilation > 1 else ""
            raise NetworkError(f"a {self.kernel}×{self.kernel} convolution{spread} does not fit into {written(shape[1:])} pixels")
        return (self.width, *sides)

    def parameter_count(self, shape: Shape) -> int:
        return shape[0] // self.groups * self.width * self.kernel**2 + (self.width if self.bias else 0)

    def label(self) -> str:
        parts = [f"conv {self.width}", f"÷{self.stride}" * (self.stride > 1), f"in {self.groups} groups" * (self.groups > 1)]
        return " ".join(part for part in (*parts, f"dilated {self.dilation}" * (self.dilation > 1)) if part)


class Upsampling(Tagged):
    """Up-scaling by `factor`: a transposed convolution, or resizing and then a convolution."""

    kind: Literal["up"] = "up"
    width: Width = Field(description="channels out")
    factor: int = Field(2, ge=2, le=32)
    mode: Literal["transposed", "nearest", "bilinear"] = "nearest"
    kernel: int = Field(3, ge=1, le=64, description="pixels a side; a transposed one has its stride = factor")
    padding: int | None = Field(
        None, ge=0, le=32, description="pixels a side; None: output side = factor × input side, or the nearest"
    )
    bias: bool = True

    def pixels_padded(self) -> int:
        if self.padding is not None:
            return self.padding
        return (self.kernel - self.factor) // 2 if self.mode == "transposed" else (self.kernel - 1) // 2

    def output_shape(self, shape: Shape) -> Shape:
        _need_image(self, shape)
        if self.mode == "transposed":
            if self.kernel < self.factor:
                raise NetworkError(f"a transposed convolution by {self.factor} needs a kernel of at least {self.factor}")
            sides = tuple((side - 1) * self.factor + self.kernel - 2 * self.pixels_padded() for side in shape[1:])
        else:
            sides = tuple(side * self.factor + 2 * self.pixels_padded() - self.kernel + 1 for side in shape[1:])
        if min(sides) < 1:
            raise NetworkError(f"up-scaling leaves nothing of {written(shape[1:])} pixels")
        return (self.width, *sides)

    def parameter_count(self, shape: Shape) -> int:
        return shape[0] * self.width * self.kernel**2 + (self.width if self.bias else 0)

    def label(self) -> str:
        return f"up {self.width} ×{self.factor}"


class Pool(Tagged):
    """Max or mean pooling, by which a stem or a transition shrinks an image."""

    kind: Literal["pool"] = "pool"
    reduce: Literal["max", "mean"] = "max"
    kernel: int = Field(2, ge=1, le=16, description="pixels a side")
    stride: int = Field(2, ge=1, le=16)
    padding: int = Field(0, ge=0, le=8)
    ceil: bool = Field(False, description="a last window may reach over the edge, as in Caffe")

    def output_shape(self, shape: Shape) -> Shape:
        _need_image(self, shape)
        if self.padding > self.kernel // 2:
            raise NetworkError("a pool's padding is at most half its kernel")
        sides = tuple(map(self._side, shape[1:]))
        if min(sides) < 1:
            raise NetworkError(f"a {self.kernel}×{self.kernel} pool does not fit into {written(shape[1:])} pixels")
        return (shape[0], *sides)

    def _side(self, side: int) -> int:
        room = side + 2 * self.padding - self.kernel
        if not self.ceil or room < 0:
            return room // self.stride + 1
        windows = -(-room // self.stride) + 1
        return windows - ((windows - 1) * self.stride >= side + self.padding)  # a window starts inside the image

    def parameter_count(self, shape: Shape) -> int:
        return 0

    def label(self) -> str:
        return f"{self.reduce} pool"


class Identity(Tagged):
    """Passes its input on: the box of a norm or an activation that stands alone."""

    kind: Literal["identity"] = "identity"

    def output_shape(self, shape: Shape) -> Shape:
        return shape

    def parameter_count(self, shape: Shape) -> int:
        return 0

    def label(self) -> str:
        return "identity"


class Crop(Tagged):
    """Cuts a window out of an image, by default from its centre."""

    kind: Literal["crop"] = "crop"
    size: tuple[Annotated[int, Field(ge=1, le=65536)], Annotated[int, Field(ge=1, le=65536)]] = Field(
        description="height and width out, pixels"
    )
    offset: int | None = Field(None, ge=0, le=65536, description="pixels left out above and on the left; None: centred")

    def window(self, shape: Shape) -> tuple[slice, slice]:
        """Return the rows and columns that stay of an image of `shape`."""
        firsts = [
            (side - kept) // 2 if self.offset is None else self.offset for side, kept in zip(shape[1:], self.size, strict=True)
        ]
        rows, columns = (slice(first, first + kept) for first, kept in zip(firsts, self.size, strict=True))
        return rows, columns

    def output_shape(self, shape: Shape) -> Shape:
        _need_image(self, shape)
        if any(part.start < 0 or part.stop > side for part, side in zip(self.window(shape), shape[1:], strict=True)):
            raise NetworkError(f"{written(self.size)} pixels cannot be cut out of {written(shape[1:])}")
        return (shape[0], *self.size)

    def parameter_count(self, shape: Shape) -> int:
        return 0

    def label(self) -> str:
        return f"crop {written(self.size)}"


class Embedding(Tagged):
    """Gives each token of a sequence, a number below `vocabulary`, a vector of its own; only a first layer reads tokens."""

    kind: Literal["embedding"] = "embedding"
    vocabulary: int = Field(ge=1, le=65536, description="different tokens")
    width: Width = Field(description="features out")
    scaled: bool = Field(False, description="vectors times √width (Vaswani et al. 2017)")

    def output_shape(self, shape: Shape) -> Shape:
        if len(shape) != 1:
            raise NetworkError(f"an embedding reads a sequence of tokens, not {written(shape)}")
        return (shape[0], self.width)

    def parameter_count(self, shape: Shape) -> int:
        return self.vocabulary * self.width

    def label(self) -> str:
        return f"embed {self.width}"


class Position(Tagged):
    """Adds to each position of a sequence a vector that says where it is (Vaswani et al. 2017), fixed or learned."""

    kind: Literal["position"] = "position"
    mode: Literal["sinusoidal", "learned"] = "sinusoidal"

    def output_shape(self, shape: Shape) -> Shape:
        _need_sequence(self, shape)
        return shape

    def parameter_count(self, shape: Shape) -> int:
        return elements(shape) if self.mode == "learned" else 0

    def label(self) -> str:
        return "position"


class Attention(Tagged):
    """Multi-head self-attention over the positions of a sequence (Vaswani et al. 2017)."""

    kind: Literal["attention"] = "attention"
    heads: int = Field(4, ge=1, le=64)
    causal: bool = Field(False, description="a position sees itself and those before it only")
    bias: bool = True

    def output_shape(self, shape: Shape) -> Shape:
        _need_sequence(self, shape)
        if shape[1] % self.heads:
            raise NetworkError(f"{self.heads} heads need a width that they divide, not {shape[1]}")
        if shape[0] > MAX_ATTENDED:
            raise NetworkError(f"attention reaches over at most {MAX_ATTENDED:,} positions, not {shape[0]:,}")
        return shape

    def parameter_count(self, shape: Shape) -> int:
        return 4 * shape[1] * (shape[1] + (1 if self.bias else 0))

    def label(self) -> str:
        return f"attention ×{self.heads}"


MAX_ATTENDED = 4096
"""Positions; attention keeps their square in memory for every head."""

Operation = Annotated[
    Linear | Convolution | Upsampling | Pool | Crop | Identity | Embedding | Position | Attention, Field(discriminator="kind")
]


def _need_sequence(operation, shape: Shape) -> None:
    if len(shape) != 2:
        raise NetworkError(f"{operation.kind} needs a sequence, length × width, not {written(shape)}")


def _need_image(operation, shape: Shape) -> None:
    if not is_image(shape):
        raise NetworkError(f"a {operation.kind} layer needs an image, not {written(shape)} features")
