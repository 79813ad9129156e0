"""A node: one box of a graph, a layer with its norm and activation, or a merge of several states into one."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from .base import NetworkError, Shape, Tagged, channels, spatial, with_channels, written
from .layer import Layer
from .merge import MERGES
from .operation import Operation
from .shapes import spreads
from .streams import Mixing, Streams


class Join(Tagged):
    """Makes one state of those that its edges bring, in one of the ways of `skipviz.network.merge`, f being the first."""

    kind: Literal[*MERGES]
    gate_bias: float = Field(-2.0, ge=-10, le=10, description="b of a gate at the start")
    heads: int = Field(4, ge=1, le=64, description="of an attention, each at a share of the first state's width")
    causal: bool = Field(False, description="of an attention: a position sees itself and those before it only")
    streams: Streams = 4
    mixing: Mixing = "free"
    dynamic: bool = Field(False, description="of streams: how they mix depends on what they hold, position by position")
    keys: ClassVar[dict[str, str]] = {}
    """Of its fields, those that are changed by themselves: none."""

    def label(self) -> str:
        """Return it as a person writes it."""
        return self.kind

    def short(self, axes: int = 2) -> str:
        """Return it in few letters."""
        kind = MERGES[self.kind]
        return kind.sign or ("concat" if kind.joins else "+" if kind.sums else "×")

    def of_skip(self) -> dict:
        """Return its fields as a skip has them."""
        return {"merge": self.kind, **{name: getattr(self, name) for name in type(self).model_fields if name != "kind"}}

    def output_shape(self, shapes: list[Shape]) -> Shape:
        """Return the shape of what edges that bring these give; raises `NetworkError`."""
        first, kind = shapes[0], MERGES[self.kind]
        if kind.alone and len(shapes) != 2:
            raise NetworkError(f"a {self.kind} joins two states, not {len(shapes)}")
        if kind.joins:
            if any(len(shape) != len(first) or spatial(shape) != spatial(first) for shape in shapes):
                raise NetworkError(f"a {self.kind} needs equal positions, not {_listed(shapes)}")
            return with_channels(first, sum(map(channels, shapes)))
        kind.checks(self, first)
        if kind.own_positions or kind.any_shape:
            return first
        if any(shape != first and not (kind.spreads and spreads(shape, first)) for shape in shapes):
            raise NetworkError(f"{self.kind} needs equal shapes, not {_listed(shapes)}")
        return first


class Node(Layer):
    """One box. It has one output, its state."""

    op: Operation | Join

    @property
    def is_merge(self) -> bool:
        return isinstance(self.op, Join)

    @model_validator(mode="after")
    def _check_merge(self):
        given = {name for name in self.model_fields_set if getattr(self, name) != type(self).model_fields[name].get_default()}
        if self.is_merge and given - {"id", "op"}:
            raise NetworkError(f"{self.id}: a merge has no {min(given - {'id', 'op'})}; give it to the layer behind")
        return self


def check_ports(node: Node, count: int) -> None:
    """Raise `NetworkError` where a node cannot read as many edges."""
    if not count:
        raise NetworkError(f"nothing leads into {node.id}")
    if not node.is_merge and count > 1:
        raise NetworkError(f"{count} edges lead into {node.id}, which reads one state: merge them first")


def _listed(shapes: list[Shape]) -> str:
    return " and ".join(written(shape) for shape in shapes)
