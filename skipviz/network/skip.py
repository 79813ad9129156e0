"""A skip connection: where it leaves, where it joins, how, and through which adapter."""

from __future__ import annotations

from math import prod
from typing import Literal

from pydantic import Field

from .base import Frozen, NetworkError, Shape, channels, is_image, spatial, with_channels, written
from .kind import Placement
from .layer import Init
from .merge import MERGES
from .operation import Convolution, Linear, Operation, SequenceConvolution
from .placement import PLACEMENTS
from .positions import Between, stride_between
from .streams import Mixing, Streams

Merge = Literal[*MERGES]


class Adapter(Frozen):
    """Makes a carried state agree with the state it joins; `auto` is resolved from the shapes."""

    spatial: Literal["auto", "none", *PLACEMENTS] = Field("auto", description="how its positions become those of its target")
    channels: Literal["auto", "none", "pad", "project"] = "auto"
    width: int | None = Field(None, ge=1, le=4096, description="channels a projection before a concat gives")
    kernel: Literal[1, 3, 5, 7] = Field(1, description="positions a side that a projection reads; above 1 it strides by itself")
    bias: bool = Field(True, description="the projection has a bias")
    norm: Literal["none", "batch"] = Field("none", description="norm after the projection")
    init: Init = Field("torch", description="of the projection's weights")
    offset: int | None = Field(None, ge=0, le=65536, description="positions cropped or padded at the start; None: centred")

    def between(self, source: Shape, target: Shape) -> Between:
        """Return the positions that it takes a state of shape `source` from and to."""
        return Between.of(source, target, self.offset)

    @property
    def placement(self) -> Placement | None:
        """The spatial part that comes before a projection, or alone; of a larger kernel the stride is the projection's own."""
        return None if self.channels == "project" and self.kernel > 1 and self.spatial == "stride" else PLACEMENTS.get(self.spatial)

    def projection(self, source: Shape, carried: Shape) -> Operation:
        """Return the map of a projecting adapter from a state of shape `source` to what it carries, as an operation."""
        if is_image(source):
            strides = self.spatial == "stride" and self.placement is None
            stride = self.between(source, carried).step if strides else 1
            return Convolution(width=channels(carried), kernel=self.kernel, stride=stride, bias=self.bias)
        if self.kernel > 1:
            return SequenceConvolution(width=channels(carried), kernel=self.kernel, bias=self.bias)
        return Linear(width=channels(carried), bias=self.bias)

    def projected(self, source: Shape, target: Shape) -> Shape:
        """Return the shape that its projection reads, of a state of shape `source` that joins one of shape `target`."""
        return source if self.placement is None else with_channels(target, channels(source))

    def label(self, axes: int = 2) -> str:
        """Return the resolved adapter as a label says it of states of so many axes: '' for none, else e.g. 'stride · 1×1'."""
        place, kernel = PLACEMENTS.get(self.spatial), written((self.kernel,) * max(2, axes))
        kernel = f"conv {self.kernel}" if axes == 1 and self.kernel > 1 else kernel
        return " · ".join(filter(None, (place and place.words, {"pad": "pad", "project": kernel}.get(self.channels))))


class Skip(Frozen):
    """Carries h_source past the layers between and joins it at h_target, in one of the ways of `skipviz.network.merge`."""

    id: str = Field("", pattern=r"^[A-Za-z0-9._-]{0,32}$", description="stable; parameters and events go by it")
    source: int = Field(ge=0, description="state it leaves from")
    target: int = Field(ge=1, description="state it joins")
    merge: Merge = "add"
    on: bool = Field(True, description="the switch; whether anything is carried is `in_force`")
    strength: float = Field(1.0, ge=-4, le=4, description="factor s on what is carried; of a learned one, at the start")
    gain: float = Field(1.0, ge=0, le=1, description="factor on the gradient that goes back through the skip")
    adapter: Adapter = Adapter()
    gate_bias: float = Field(-2.0, ge=-10, le=10, description="b of a gate at the start")
    heads: int = Field(4, ge=1, le=64, description="of an attention, each at a share of the target's width")
    causal: bool = Field(False, description="of an attention: a position sees itself and those before it only")
    via: str = Field("", max_length=32, description="id of the branch's node whose output it carries, which is made of h_source")
    before: bool = Field(False, description="of a concat: its channels stand before those of the state it joins")
    learned: bool = Field(False, description="s is a parameter that starts at `strength`")
    rate: float = Field(1.0, ge=0.01, le=100, description="of a learned s: its learning rate, as a multiple of the run's")
    softmax: bool = Field(False, description="of learned s of sums: each is the logit of its share in the state, whose own is 0")
    streams: Streams = 4
    mixing: Mixing = "free"
    dynamic: bool = Field(False, description="of streams: how they mix depends on what they hold, position by position")

    @property
    def joins(self) -> bool:
        """Whether it widens what the next layer reads; else it lands on its target."""
        return MERGES[self.merge].joins

    @property
    def in_force(self) -> bool:
        """Whether it carries anything: on, and of another strength than 0 or a learned one. One that is not has no path, no
        gradient and no part in learning; a switch that is off and a fixed strength of 0 are the same network."""
        return self.on and (self.learned or self.strength != 0)

    def resolved_adapter(self, source: Shape, target: Shape) -> Adapter:
        """Return the adapter with every `auto` decided for these shapes; raises `NetworkError`."""
        if len(source) != len(target):
            raise NetworkError(
                f"h({self.source}) has shape {written(source)} and h({self.target}) {written(target)}: no adapter joins them"
            )
        chosen = self.adapter
        place = chosen.spatial
        for shape in (target, with_channels(source, channels(target))):
            MERGES[self.merge].checks(self, shape)
        if MERGES[self.merge].own_positions:
            place = "none"
        elif place == "auto" or spatial(source) == spatial(target):
            place = _spatial_for(spatial(source), spatial(target))
        width = chosen.channels if chosen.channels != "auto" else self._channels_for(source, target)
        alike = place == chosen.spatial and width == chosen.channels
        return chosen if alike else chosen.model_copy(update={"spatial": place, "channels": width})

    def _channels_for(self, source: Shape, target: Shape) -> str:
        if self.joins:
            return "project" if self.adapter.width not in (None, channels(source)) else "none"
        return "none" if channels(source) == channels(target) else "project"

    def carried_shape(self, adapter: Adapter, source: Shape, target: Shape) -> Shape:
        """Return the shape of A(h_source), A being resolved, and check that it joins h_target; raises `NetworkError`."""
        if not MERGES[self.merge].own_positions:
            _check_spatial(self, adapter, source, target)
        if adapter.channels == "project":
            wanted = adapter.width or channels(source) if self.joins else channels(target)
        elif adapter.channels == "pad":
            if channels(source) > channels(target):
                raise NetworkError(
                    f"padding only adds channels: h({self.source}) has {channels(source)}, h({self.target}) {channels(target)}"
                )
            wanted = channels(target)
        else:
            wanted = channels(source)
        if not self.joins and wanted != channels(target):
            raise NetworkError(
                f"{self.merge} needs equal channels: h({self.source}) has {channels(source)}, h({self.target}) "
                f"{channels(target)}; choose pad or project"
            )
        return with_channels(source if MERGES[self.merge].own_positions else target, wanted)

    def parameter_count(self, adapter: Adapter, source: Shape, carried: Shape, target: Shape) -> int:
        """Return the parameters of the resolved adapter, of the gate and of a learned strength."""
        count = int(self.learned)
        if adapter.channels == "project":
            width = channels(carried)
            count += adapter.projection(source, carried).parameter_count(source)
            count += 2 * width if adapter.norm == "batch" else 0
        if MERGES[self.merge].maps:
            count += channels(source) * channels(target) + channels(target)
        return count + sum(prod(size) for size in MERGES[self.merge].parameters(self, channels(target)).values())


def _spatial_for(source: Shape, target: Shape) -> str:
    if source == target:
        return "none"
    if len(source) >= 2 and stride_between(source, target):
        return "stride"
    return "crop" if all(a >= b for a, b in zip(source, target, strict=True)) else "resize"


def _check_spatial(skip: Skip, adapter: Adapter, source: Shape, target: Shape) -> None:
    a, b = spatial(source), spatial(target)
    unplaced = adapter.spatial == "none"
    problem = a != b if unplaced else PLACEMENTS[adapter.spatial].problem(adapter.between(source, target))
    if problem:
        both = f"h({skip.source}) has {written(a)} and h({skip.target}) {written(b)} positions"
        raise NetworkError(f"{both}: choose stride, crop, pad, a pool or resize" if unplaced else f"{problem}: {both}")
    if adapter.channels == "project" and adapter.kernel > 1 and not a:
        raise NetworkError(f"a projection of {adapter.kernel} positions a side is for images and sequences, not features")
