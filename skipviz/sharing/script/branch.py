"""The branches of a network in its written class: modules by id in `self.b`, states by id in `b`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...network.base import channel_axis
from ...network.branch import arriving_at, ready_at
from ...network.edge import Edge
from ...network.merge import MERGES
from ...network.node import Node
from ...network.shapes import SkipShape
from ...network.skip import Skip
from .layer import padding, spatially_adapted
from .live import words
from .loops import Atom

if TYPE_CHECKING:
    from .network import NetworkWriter


class BranchWriter:
    """Adds to each atom the nodes that can be computed once its state is there."""

    def __init__(self, writer: NetworkWriter) -> None:
        self.writer, network = writer, writer.network
        self.ready, self.arriving = ready_at(network), arriving_at(network)
        self.read = network.shapes.read
        self.places = {layer.id: k for k, layer in enumerate(network.layers, start=1)}
        self.shapes = dict(zip((node.id for node in network.branches), network.shapes.branches, strict=True))
        self.late: list[Node] = []
        """Nodes that use others' weights."""
        self.made: list[str] = []
        """Keys of `self.b` in the order in which they are given."""
        self.edges: dict[str, SkipShape] = dict(zip((edge.id for edge in network.edges), network.shapes.edges, strict=True))

    def add(self, atom: Atom, k: int) -> None:
        """Add to an atom the nodes that are ready once h_k is."""
        for node in self.ready.get(k, ()):
            if node.is_merge:
                self._add_merge(atom, node)
            else:
                self._add_layer(atom, node)

    def ends(self) -> list[str]:
        """Return the lines that make what uses others' modules, and that put all into the order in which they are updated.

        That is the network's, nodes before edges.
        """
        lines = [f'self.b["{plain(node.id)}"] = {self.writer.module_of(node.shares)}' for node in self.late]
        self.made += [plain(node.id) for node in self.late]
        network, made = self.writer.network, list(dict.fromkeys(self.made))
        wanted = [plain(name) for name in (*(node.id for node in network.branches), *self._map_names())]
        wanted = [name for name in wanted if name in made]
        return lines if made == wanted else [*lines, f"self.b = nn.ModuleDict({{name: self.b[name] for name in {words(wanted)}}})"]

    def _map_names(self):
        for edge in self.writer.network.edges:
            yield from (edge.id, f"{edge.id}.gate")

    def _add_layer(self, atom: Atom, node: Node) -> None:
        writer, (edge,) = self.writer, self.arriving[node.id]
        name = writer.id_of(node.id)
        if node.shares:
            self.late.append(node)
        else:
            module, _ = writer.layers.layer(node, self.shapes[node.id], name, None, False)
            atom.made.append(f"self.b[{self.key(node.id)}] = {module}")
        module = f"self.b[{writer.id_of(plain(node.id))}]"
        atom.lines.append(f"b[{name}] = {writer.called(module, self._brought(edge), node, self.shapes[node.id])}")

    def _add_merge(self, atom: Atom, node: Node) -> None:
        kind, (first, *others) = MERGES[node.op.kind], self.arriving[node.id]
        if kind.helper:
            self.writer.needs.add(kind.name)
        joins = {edge.id: edge.joining(node, first=edge is first) for edge in (first, *others)}
        for edge in (first, *others):
            self._make_maps(atom, edge, joins[edge.id])
        brought = self._adapted(first, joins[first.id])
        if kind.joins:
            parts = [brought, *(self._adapted(edge, joins[edge.id]) for edge in others)]
            brought = f"torch.cat([{', '.join(parts)}], {1 + channel_axis(self.read[node.id])})"
        for edge in () if kind.joins else (edge for edge in others if edge.in_force):
            strength = repr(edge.strength)
            if kind.maps:
                more = f", strength={strength}" if edge.strength != 1 else ""
                brought = f"gate({brought}, {self._state(edge.source)}, self.b[{self.key(edge.id + '.gate')}]{more})"
            else:
                brought = kind.written(brought, self._adapted(edge, joins[edge.id], strength=False), strength)
        atom.lines.append(f"b[{self.writer.id_of(node.id)}] = {brought}")

    def _make_maps(self, atom: Atom, edge: Edge, join: Skip) -> None:
        shape, writer = self.edges[edge.id], self.writer
        source, target = self.read[edge.source], self.read[self.arriving[edge.target][0].source]
        if shape.adapter.channels == "project":
            module = writer.layers.projection(join, shape, source, writer.id_of(edge.id))
            atom.made.append(f"self.b[{self.key(edge.id)}] = {module}")
        if MERGES[join.merge].maps:
            module = writer.layers.gate(join, source, target, writer.id_of(edge.id))
            atom.made.append(f"self.b[{self.key(edge.id + '.gate')}] = {module}")

    def _state(self, name: str) -> str:
        if name in self.shapes:
            return f"b[{self.writer.id_of(name)}]"
        return self.writer.state(self.places.get(name, 0))

    def _brought(self, edge: Edge) -> str:
        return self._times(edge, self._gained(edge, self._state(edge.source)), self.read[edge.source])

    def _adapted(self, edge: Edge, join: Skip, strength: bool = True) -> str:
        """Return what an edge brings to a merge."""
        shape, source = self.edges[edge.id], self.read[edge.source]
        target = self.read[self.arriving[edge.target][0].source]
        carried = spatially_adapted(shape, source, target, self._state(edge.source)) if len(source) == len(target) else ""
        carried = carried or spread(self._state(edge.source), source, target)
        pad = padding(shape, source)
        if shape.adapter.channels == "project":
            carried = f"self.b[{self.key(edge.id)}]({carried})"
        elif pad is not None:
            carried = f"F.pad({carried}, {pad})"
        carried = self._gained(edge, carried)
        return self._times(edge, carried, shape.carried) if strength else carried

    def _times(self, edge: Edge, carried: str, shape: tuple[int, ...]) -> str:
        if not edge.in_force:
            state = self._state(edge.source)
            return f"{state}.new_zeros(len({state}), {', '.join(map(str, shape))})"
        return carried if edge.strength == 1 else f"{carried} * {edge.strength!r}"

    def _gained(self, edge: Edge, carried: str) -> str:
        if edge.gain == 1:
            return carried
        self.writer.needs.add("gain")
        return f"gain({carried}, {edge.gain!r})"

    def key(self, name: str) -> str:
        """Return a name as a key of `self.b`, whose keys have no points."""
        self.made.append(plain(name))
        return self.writer.id_of(self.made[-1])


def plain(name: str) -> str:
    """Return an id as a key of torch's modules has it, without points."""
    return name.replace(".", "-")


def spread(state: str, source: tuple[int, ...], target: tuple[int, ...]) -> str:
    """Return the expression of a state that is one number a channel, as a whole of `target` takes it."""
    if len(source) == len(target):
        return state
    return f"{state}[:, :, None, None]" if len(target) == 3 else f"{state}[:, None, :]"
