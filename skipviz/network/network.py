"""A network: input, layers, skips and head, a chain with skips; shapes are inferred without torch."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, PrivateAttr, ValidationInfo, model_validator

from .base import AS_KEPT, Frozen, Identifier, NetworkError, Shape, channels, elements, is_image, with_channels
from .branch import INPUT, arriving_at, branch_shape, check_branches, check_shared, ready_at
from .edge import Edge
from .graph import GRAPH, named, parts_of
from .group import MAX_GROUPS, Group, check_groups, without
from .layer import Init, Layer
from .merge import MERGES
from .node import Node
from .origin import Made
from .rest import check_rests
from .shapes import NodeShape, Shapes, SkipShape, landing_shape, layer_shape
from .skip import Skip

MAX_LAYERS = 2500
MAX_SKIPS = 6000
MAX_PARAMETERS = 400_000_000


class Head(Frozen):
    """What reads the last state (and the concats that land there) and gives the outputs.

    classes: mean over pixels or positions if there are any, then linear. pixels: 1×1 convolution.
    positions: linear at every position. state: the last state is the output.
    """

    kind: Literal["classes", "pixels", "positions", "state"] = "classes"
    outputs: int = Field(2, ge=1, le=65536)
    bias: bool = True
    flatten: bool = Field(False, description="classes of an image: flatten it instead of taking its mean")
    init: Init = "torch"

    def output_shape(self, shape: Shape) -> Shape:
        if self.kind == "classes":
            return (self.outputs,)
        if self.kind == "pixels" and not is_image(shape):
            raise NetworkError("a head for pixels needs an image")
        if self.kind == "positions" and len(shape) != 2:
            raise NetworkError("a head for positions needs a sequence")
        if self.kind == "state" and channels(shape) != self.outputs:
            raise NetworkError(f"the last state has {channels(shape)} channels and {self.outputs} outputs are wanted")
        return with_channels(shape, self.outputs)

    def parameter_count(self, shape: Shape) -> int:
        if self.kind == "state":
            return 0
        features = elements(shape) if self.flatten and self.kind == "classes" else channels(shape)
        return features * self.outputs + (self.outputs if self.bias else 0)


class Network(Frozen):
    """A chain with skips, and branches beside it. Building one checks it: an impossible one raises with a sentence."""

    input: tuple[int, ...] = Field((2,), min_length=1, max_length=4, description="shape of one sample, no batch")
    layers: tuple[Layer, ...] = Field(min_length=1, max_length=MAX_LAYERS)
    skips: tuple[Skip, ...] = Field((), max_length=MAX_SKIPS)
    head: Head = Head()
    branches: tuple[Node, ...] = Field((), max_length=MAX_SKIPS, description="nodes beside the trunk, each behind what it reads")
    edges: tuple[Edge, ...] = Field((), max_length=2 * MAX_SKIPS, description="what leads into the nodes of branches")

    further: dict[Identifier, tuple[int, ...]] = Field({}, max_length=7, description="further inputs' shapes, for branches to read")
    groups: tuple[Group, ...] = Field((), max_length=MAX_GROUPS, description="named sets of layers and branches' nodes, nested")
    tied: str = Field("", max_length=32, description="id of the embedding or layer whose weight the head uses; '': its own")
    origin: Made = Field(None, description="what made it; networks that are equal but for it are equal")

    _shapes: Shapes = PrivateAttr()

    @model_validator(mode="before")
    @classmethod
    def _name_parts(cls, values):
        if isinstance(values, dict):
            values = _from_graph(values) if "nodes" in values else dict(values)
            for field, letter in (("layers", "f"), ("skips", "s"), ("branches", "b"), ("edges", "e")):
                if isinstance(values.get(field), list | tuple) and len(values[field]) <= MAX_SKIPS:
                    values[field] = _named(values[field], letter)
        return values

    @model_validator(mode="after")
    def _check(self, info: ValidationInfo):
        if "_shapes" in (self.__pydantic_private__ or ()):
            return self  # it was checked when it was made, and becomes part of something else
        if any(not 1 <= size <= 65536 for size in self.input):
            raise NetworkError("every input size is between 1 and 65,536")
        for kind, parts in (("layer", (*self.layers, *self.branches)), ("skip", (*self.skips, *self.edges))):
            ids = [part.id for part in parts]
            if any(len(identifier) > 32 for identifier in ids):
                raise NetworkError(f"a {kind}'s id has at most 32 characters")
            if len(set(ids)) != len(ids):
                raise NetworkError(f"two {kind}s have the same id")
        if self.branches or self.edges or any(skip.via for skip in self.skips):
            check_branches(self)
        if self.groups:
            check_groups(self)
        _check_skips(self)
        _check_tokens(self)
        self._shapes = infer(self)
        check_shared(self)
        if info.context is not AS_KEPT:
            check_rests(self)
        if self._shapes.parameters > MAX_PARAMETERS and not self.watched:
            raise NetworkError(f"{self._shapes.parameters:,} parameters are over the limit of {MAX_PARAMETERS:,}")
        return self

    def __eq__(self, other) -> bool:
        alike = isinstance(other, Network) and other.origin != self.origin
        return super().__eq__(other.model_copy(update={"origin": self.origin}) if alike else other)

    @property
    def depth(self) -> int:
        """Number of boxes, head excluded."""
        return len(self.layers)

    @property
    def weighted(self) -> tuple[Layer, ...]:
        """The layers whose operation has weights: a pool has none, nor has a norm or an activation after a sum."""
        shaped = zip(self.layers, self.shapes.layers, strict=True)
        return tuple(layer for layer, shape in shaped if layer.op.parameter_count(shape.input))

    @property
    def takes_tokens(self) -> bool:
        """Whether h_0 is a sequence of tokens, whole numbers that have no gradient."""
        return self.layers[0].op.reads_tokens

    @property
    def watched(self) -> bool:
        """Whether it is somebody's own module, which was captured and is never built here."""
        return any(layer.op.kind == "watched" for layer in self.layers)

    @property
    def shapes(self) -> Shapes:
        """Every shape and parameter count, inferred without torch."""
        return self._shapes

    def parameter_count(self) -> int:
        """Return the number of parameters, of layers, branches, skips and head together."""
        return self._shapes.parameters

    def layer(self, identifier: str) -> Layer:
        """Return the layer with this id; raises `NetworkError`."""
        return self.layers[self.layer_index(identifier)]

    def layer_index(self, identifier: str) -> int:
        """Return k − 1 for layer f_k with this id; raises `NetworkError`."""
        for index, layer in enumerate(self.layers):
            if layer.id == identifier:
                return index
        raise NetworkError(f"there is no layer {identifier}")

    def carries(self, skip: Skip) -> Shape:
        """Return the shape of what a skip carries, before its adapter: of h_source, or of what a branch makes of it."""
        return self.shapes.read[skip.via] if skip.via else self.shapes.states[skip.source]

    def place(self, identifier: str, otherwise: str = "the head") -> str:
        """Return the part with this id as the diagram names it: `f(k)` for a layer of the trunk, `otherwise` for what is none."""
        found = (k for k, layer in enumerate(self.layers, start=1) if layer.id == identifier)
        return next((f"f({k})" for k in found), otherwise)

    def skip(self, identifier: str) -> Skip:
        """Return the skip with this id; raises `NetworkError`."""
        for skip in self.skips:
            if skip.id == identifier:
                return skip
        raise NetworkError(f"there is no skip {identifier}")

    def edge(self, identifier: str) -> Skip | Edge:
        """Return the skip or the branch's edge with this id; raises `NetworkError`."""
        return next((edge for edge in self.edges if edge.id == identifier), None) or self.skip(identifier)


def _from_graph(values: dict) -> dict:
    """Return the fields of a network whose graph is given: `inputs`, `nodes`, `edges`, `output`."""
    missing = next((name for name in GRAPH if name not in values), None)
    if missing:
        raise NetworkError(f"a graph of nodes needs its {missing}")
    nodes, edges = ([*values[name]] for name in ("nodes", "edges"))
    if len(nodes) > MAX_LAYERS + MAX_SKIPS or len(edges) > MAX_LAYERS + 2 * MAX_SKIPS:
        raise NetworkError(f"a graph has at most {MAX_LAYERS + MAX_SKIPS:,} nodes and {MAX_LAYERS + 2 * MAX_SKIPS:,} edges")
    inputs = {name: tuple(shape) for name, shape in values["inputs"].items()}
    nodes = [Node.model_validate(node) for node in nodes]
    parts = parts_of(inputs, nodes, named(edges), values["output"])
    if "groups" in values:  # a merge that lands on a layer is no box of its own
        landed = {node.id for node in nodes} - {part.id for part in (*parts["layers"], *parts["branches"])}
        parts["groups"] = without([Group.model_validate(group) for group in values["groups"]], landed)
    return {**{name: value for name, value in values.items() if name not in GRAPH}, **parts}


def _tied_count(network: Network, read: Shape) -> int:
    """Return how many parameters the head has in common with a layer."""
    if not network.tied:
        return 0
    owner, head = network.layer(network.tied), network.head
    width, rows = getattr(owner.op, "width", None), getattr(owner.op, "vocabulary", None)
    if head.kind == "state" or not owner.op.reads_tokens or (rows, width) != (head.outputs, read[-1]):
        raise NetworkError(f"it can use the weight of an embedding of {head.outputs} × {read[-1]} only")
    return rows * width


def _check_tokens(network: Network) -> None:
    for k, layer in enumerate(network.layers, start=1):
        if layer.op.reads_tokens and k > 1:
            raise NetworkError(f"f({k}): only the first layer reads tokens, so only it is an embedding")
    first = network.layers[0]
    if network.takes_tokens and first.order == "norm-act-op" and (first.norm, first.activation) != ("none", "none"):
        raise NetworkError("f(1): tokens are numbers of words, so no norm or activation comes before the embedding")
    if network.takes_tokens and any(skip.source == 0 and not skip.via for skip in network.skips):
        raise NetworkError("h(0) is tokens, which no skip carries; start from h(1)")


def infer(network: Network) -> Shapes:
    """Return every state's shape and every part's parameters; raises `NetworkError` naming the part."""
    states: list[Shape] = [tuple(network.input)]
    layers: list[NodeShape] = []
    skips: dict[str, SkipShape] = {}
    branches: dict[str, NodeShape] = {}
    edges: dict[str, SkipShape] = {}
    made: dict[str, Shape] = {INPUT: states[0], **{name: tuple(shape) for name, shape in network.further.items()}}
    ready, arriving = ready_at(network), arriving_at(network)

    def branch_out(k: int) -> None:
        for node in ready.get(k, ()):
            branches[node.id] = branch_shape(node, arriving[node.id], made, edges)
            made[node.id] = branches[node.id].output

    def source_of(skip: Skip) -> Shape:
        return made[skip.via] if skip.via else states[skip.source]

    branch_out(0)
    landing: dict[int, list[Skip]] = {}
    for skip in network.skips:
        landing.setdefault(skip.target, []).append(skip)
    read = states[0]
    for k, layer in enumerate(network.layers, start=1):
        try:
            layers.append(layer_shape(layer, read))
        except NetworkError as error:
            raise NetworkError(f"f({k}): {error}") from None
        read = output = layers[-1].output
        states.append(output)
        there = landing.get(k, ())
        skips |= {skip.id: landing_shape(skip, source_of(skip), output, bool(skip.via)) for skip in there if not skip.joins}
        made[layer.id] = output
        branch_out(k)
        for skip in there:
            if not skip.joins:
                continue
            skips[skip.id] = shape = landing_shape(skip, source_of(skip), output, bool(skip.via))
            read = with_channels(read, channels(read) + channels(shape.carried))
    try:
        output = network.head.output_shape(read)
        head = network.head.parameter_count(read) - _tied_count(network, read)
    except NetworkError as error:
        raise NetworkError(f"head: {error}") from None
    return Shapes(
        tuple(states),
        tuple(layers),
        tuple(skips[skip.id] for skip in network.skips),
        read,
        output,
        head,
        tuple(branches[node.id] for node in network.branches),
        tuple(edges[edge.id] for edge in network.edges),
        made,
    )


def _named(parts, letter: str) -> list:
    """Give every part without an id the first free one of its kind."""
    given = [part.id if isinstance(part, Frozen) else part.get("id") for part in parts if isinstance(part, Frozen | dict)]
    taken = {identifier for identifier in given if isinstance(identifier, str)}
    named, number = [], 0
    for part in parts:
        if (isinstance(part, Frozen) and not part.id) or (isinstance(part, dict) and part.get("id") in (None, "")):
            number += 1
            while f"{letter}{number}" in taken:
                number += 1
            identifier = f"{letter}{number}"
            part = part.model_copy(update={"id": identifier}) if isinstance(part, Frozen) else {**part, "id": identifier}
        named.append(part)
    return named


def _check_skips(network: Network) -> None:
    pairs = set()
    landing: dict[int, set[str]] = {}
    for skip in network.skips:
        if skip.source >= skip.target:
            raise NetworkError(
                f"a skip only runs forward: h({skip.source}) → h({skip.target}) would "
                + ("go back" if skip.source > skip.target else "go nowhere")
                + (f"; start from h({skip.target})" if skip.source > skip.target else "")
            )
        if skip.target > network.depth:
            raise NetworkError(f"there is no state h({skip.target}): the last is h({network.depth})")
        if (skip.source, skip.target, skip.via) in pairs:
            raise NetworkError(f"there is a skip h({skip.source}) → h({skip.target}) already")
        pairs.add((skip.source, skip.target, skip.via))
        if skip.softmax and not (skip.learned and MERGES[skip.merge].sums):
            raise NetworkError(f"skip {skip.id}: shares by softmax are of what a sum adds with learned strengths")
        if MERGES[skip.merge].recorded_only and not network.watched:
            raise NetworkError(f"skip {skip.id}: a merge {skip.merge} is of somebody's own module alone")
        if skip.joins:
            continue
        there = landing.setdefault(skip.target, set())
        if MERGES[skip.merge].alone and skip.merge in there:
            raise NetworkError(f"h({skip.target}) has {_one(skip.merge)} already, and one is the limit")
        there.add(skip.merge)
    for target, there in landing.items():
        alone = next((name for name in sorted(there) if MERGES[name].alone), None)
        if alone and len(there) > 1:
            other = min(there - {alone})
            raise NetworkError(f"{_one(alone)} and {_one(other)} cannot both land at h({target})")


def _one(name: str) -> str:
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
