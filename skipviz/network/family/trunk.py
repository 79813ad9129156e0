"""What every family builds with: a trunk that grows layer by layer, and skips laid over it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from math import sqrt
from typing import Literal

from pydantic import ValidationError

from ..base import NetworkError, Shape, is_image, sentence
from ..branch import INPUT
from ..edge import Edge
from ..layer import Layer
from ..network import MAX_LAYERS, Head, Network
from ..node import Node
from ..operation import Operation
from ..skip import Skip

Scale = float | Literal["root", "skipinit", "rezero"] | None
"""Of every residual branch: a fixed factor; `root`: fixed 1/√L for L branches; `skipinit`: learned from 1/√L
(De & Smith 2020); `rezero`: learned from 0 (Bachlechner et al. 2020)."""


class Trunk:
    """The layers and skips of a network while a family lays them."""

    def __init__(self) -> None:
        self.layers: list[Layer] = []
        self.skips: list[Skip] = []
        self.branches: list[Node] = []
        self.edges: list[Edge] = []
        self.further: dict[str, Shape] = {}

    @property
    def state(self) -> int:
        """The number of the last state."""
        return len(self.layers)

    def layer(self, op: Operation, **fields) -> int:
        """Add a layer; return the number of the state it ends in."""
        if len(self.layers) == MAX_LAYERS:
            raise NetworkError(f"a network has at most {MAX_LAYERS:,} layers")
        self.layers.append(Layer(op=op, **fields))
        return self.state

    def skip(self, source: int, **fields) -> None:
        """Lay a skip from state h_source to the last state."""
        name = f"s{source}-{self.state}" + (f"-{fields['via'].partition('.')[0]}" if "via" in fields else "")
        self.skips.append(Skip(id=name, source=source, target=self.state, **fields))

    def branch(self, group: str, *nodes: Node) -> str:
        """Lay nodes one behind the other beside the trunk, from the last state; return the last one's id, for a skip's `via`.

        Their ids begin with the group's name and the number of that state: `se3.1`.
        """
        name: int | str = self.state
        for place, node in enumerate(nodes, start=1):
            name = self.node(f"{group}{self.state}.{place}", node, name)
        return name

    def node(self, identifier: str, node: Node, *reads: int | str) -> str:
        """Lay a node beside the trunk that reads states, by number, and nodes, by id; return its own id."""
        for port, read in enumerate(reads):
            source = read if isinstance(read, str) else f"f{read}" if read else INPUT
            self.edges.append(Edge(id=f"e{len(self.edges) + 1}", source=source, target=identifier, port=port))
        self.branches.append(node.model_copy(update={"id": identifier}))
        return identifier

    def network(self, input: Sequence[int], head: Head) -> Network:
        return Network(
            input=tuple(input),
            layers=tuple(self.layers),
            skips=tuple(self.skips),
            head=head,
            branches=tuple(self.branches),
            edges=tuple(self.edges),
            further=self.further,
        )


def refusing_in_words(family: Callable[..., Network]) -> Callable[..., Network]:
    """Let a family raise `NetworkError` with one sentence for any argument that makes no network."""

    @wraps(family)
    def refusing(*arguments, **options) -> Network:
        try:
            return family(*arguments, **options)
        except ValidationError as error:
            raise NetworkError(sentence(error)) from None

    return refusing


def chosen(what: str, value, choices: Sequence) -> None:
    """Raise `NetworkError` if `value` is none of `choices`."""
    if value not in choices:
        raise NetworkError(f"{what} is one of {', '.join(map(str, choices))}, not {value}")


def counted(what: str, value: int, low: int, high: int) -> None:
    """Raise `NetworkError` if `value` is not between `low` and `high`."""
    if not low <= value <= high:
        raise NetworkError(f"{what} is between {low:,} and {high:,}, not {value:,}")


def head_of(head: Head | int, kind: str = "classes") -> Head:
    """Return `head`, or a head of that kind with so many outputs."""
    return Head(kind=kind, outputs=head) if isinstance(head, int) else head


def branch_scale(scale: Scale, branches: int) -> dict:
    """Return the fields of the layer that ends a residual branch, one of `branches`."""
    if isinstance(scale, str):
        chosen("the branch scale", scale, ("root", "skipinit", "rezero"))
        start = 0.0 if scale == "rezero" else round(1 / sqrt(max(1, branches)), 6)
        return {"scale": start, "scale_learned": scale != "root"}
    return {} if scale is None else {"scale": scale}


def pixels(shape: Shape) -> int:
    """Return the shortest side of an image or a volume of `shape`; raises `NetworkError` for anything else."""
    if not is_image(shape):
        raise NetworkError(f"the input is an image, channels × height × width, or a volume, not {len(shape)} sizes")
    return min(shape[1:])
