"""The branches of a network in its written class: boxes by id in `self.b`, adapters and gates in `self.e`, states in `b`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...network.base import channel_axis
from ...network.branch import ready_at
from ...network.merge import MERGES
from ...network.node import Node
from ...network.way import ways_of_edges
from ...network.wiring import is_plain
from .live import words
from .loops import Atom

if TYPE_CHECKING:
    from .network import NetworkWriter


class BranchWriter:
    """Adds to each atom the nodes that can be computed once its state is there."""

    def __init__(self, writer: NetworkWriter) -> None:
        self.writer, network = writer, writer.network
        self.ready, self.ways = ready_at(network), ways_of_edges(network)
        self.shapes = dict(zip((node.id for node in network.branches), network.shapes.branches, strict=True))

    def add(self, atom: Atom, k: int) -> None:
        """Add to an atom the nodes that are ready once h_k is."""
        for node in self.ready.get(k, ()):
            self._add(atom, node)

    def ends(self) -> list[str]:
        """Return the lines that put modules into the order in which they are updated, and that make what uses others' modules."""
        network, order = self.writer.network, [node for k in sorted(self.ready) for node in self.ready[k]]
        boxes = [node.id for node in order if not (node.is_merge or node.shares)]
        maps = [way.skip.id for node in order for way in self.ways[node.id] if way.modules]
        lines = []
        for room, made, parts in (("b", boxes, network.branches), ("e", maps, network.edges)):
            wanted = [part.id for part in parts if part.id in made]
            if made != wanted:
                names = words(map(plain, wanted))
                lines.append(f"self.{room} = nn.ModuleDict({{name: self.{room}[name] for name in {names}}})")
        late = [node for node in network.branches if node.shares]
        return lines + [f'self.b["{plain(node.id)}"] = {self.writer.module_of(node.shares)}' for node in late]

    def _add(self, atom: Atom, node: Node) -> None:
        writer, shape, (first, *others) = self.writer, self.shapes[node.id], self.ways[node.id]
        writer.make_maps(atom, (first, *others))
        state, brought = f"b[{writer.id_of(node.id)}]", writer.brought(first)
        if not node.is_merge:
            module = f"self.b[{writer.id_of(plain(node.id))}]"
            made, lines = writer.made(node, shape, writer.id_of(node.id), module)
            atom.made += [] if node.shares else [f"{module} = {made}"]
            atom.lines += lines
            brought = writer.called(module, brought, node, shape)
        elif MERGES[node.op.kind].joins:
            parts = ", ".join([brought, *map(writer.brought, others)])
            brought, others = f"torch.cat([{parts}], {1 + channel_axis(shape.output)})", []
        elif is_plain(first.skip) and (MERGES[node.op.kind].maps or not any(way.skip.in_force for way in others)):
            brought = f"{brought}.view_as({brought})"  # a node of its own, in which the gradients of its uses sum
        atom.lines += writer.landed(state, brought, others)


def plain(name: str) -> str:
    """Return an id as a key of torch's modules has it: without points, and unlike the names of their own methods."""
    return name.replace(".", ":") + ":" * (name.replace("_", "").isalpha() or name == "bfloat16")
