"""What inference finds: the shape of every state, and of what every layer, skip, node and edge takes and gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .base import NetworkError, Shape, axes, channels, elements
from .layer import Layer
from .merge import MERGES
from .skip import Adapter, Skip

MAX_ELEMENTS = 120_000_000
"""Elements of one state of one sample; the largest of U-Net has about 21,000,000, of the 3-D U-Net 117,440,512."""
UNCHANGED = Adapter(spatial="none", channels="none")


@dataclass(frozen=True)
class NodeShape:
    """What inference knows of a layer or a merge: what its ports bring (with concats), its output, its own parameters."""

    inputs: tuple[Shape, ...]
    output: Shape
    parameters: int

    @property
    def input(self) -> Shape:
        return self.inputs[0]


@dataclass(frozen=True)
class SkipShape:
    """What inference knows of one skip or edge: its resolved adapter, the carried shape, parameters."""

    adapter: Adapter
    carried: Shape
    parameters: int

    def label(self) -> str:
        """Return the adapter as its edge label says it."""
        return self.adapter.label(max(1, axes(self.carried)))


@dataclass(frozen=True)
class Shapes:
    """Inference's result: `states[k]` is the shape of h_k; lists follow the network's own order."""

    states: tuple[Shape, ...]
    layers: tuple[NodeShape, ...]
    skips: tuple[SkipShape, ...]
    head_input: Shape
    output: Shape
    head_parameters: int
    branches: tuple[NodeShape, ...] = ()
    edges: tuple[SkipShape, ...] = ()
    read: Mapping[str, Shape] = field(default_factory=dict, compare=False)
    """Of each input and of each state of trunk and branches, by the name that edges have for it."""

    @property
    def parameters(self) -> int:
        parts = (*self.layers, *self.skips, *self.branches, *self.edges)
        return sum(part.parameters for part in parts) + self.head_parameters


def layer_shape(layer: Layer, read: Shape) -> NodeShape:
    """Return what a layer makes of a state of the shape `read`; raises `NetworkError`."""
    output = layer.output_shape(read)
    count = 0 if layer.shares else layer.parameter_count(read)
    if elements(output) > MAX_ELEMENTS:
        raise NetworkError(f"{elements(output):,} elements a sample are over the limit of {MAX_ELEMENTS:,}")
    return NodeShape((read,), output, count)


def landing_shape(skip: Skip, source: Shape, target: Shape, beside: bool) -> SkipShape:
    """Return what a skip makes of a state of `source` where it joins one of `target`; raises `NetworkError`.

    What comes from or lands `beside` the trunk may be one number for a whole of `target`; a state of the trunk is adapted.
    """
    if MERGES[skip.merge].any_shape:
        return SkipShape(UNCHANGED, source, int(skip.learned))
    beside = beside or len(source) != len(target) or skip.adapter.channels == "none"
    if beside and MERGES[skip.merge].spreads and spreads(source, target):
        return SkipShape(UNCHANGED, source, int(skip.learned))
    adapter = skip.resolved_adapter(source, target)
    carried = skip.carried_shape(adapter, source, target)
    return SkipShape(adapter, carried, skip.parameter_count(adapter, source, carried, target))


def spreads(shape: Shape, target: Shape) -> bool:
    """Return whether a state of `shape` is one for a whole of `target`: for all channels, all positions, or all of both."""
    if len(shape) == 1 and len(target) > 1:
        return shape[0] in (1, channels(target))
    return len(shape) == len(target) and all(a in (1, b) for a, b in zip(shape, target, strict=True))
