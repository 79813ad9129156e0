"""A captured pass as a network: boxes as nodes, what they read as edges, module paths as groups. Imports no torch."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import prod

from pydantic import ValidationError

from ..network.base import NetworkError, Shape, channels
from ..network.edge import Edge
from ..network.graph import named
from ..network.group import MAX_GROUPS, MAX_NESTED, Group
from ..network.merge import MERGES
from ..network.network import Head, Network
from ..network.node import Join, Node
from ..network.operation import CLASSES
from ..network.shapes import spreads
from ..network.trunk import path_to
from ..network.wiring import Wiring, ordered
from .boxes import Box, Boxes, main_operation, own_parameters
from .errors import WatchError
from .trace import ROOT, Operation
from .words import POINTWISE, POOLS, SIGNS, is_attention_class

MOST_OF_ALL = 0.75
"""Share of all nodes from which a module holds nearly the whole network, and says nothing as a group."""
MOST_LAYOUTS = 64
"""Layouts kept of a module whose operations are not the same at every step."""
LONGEST = 32
"""Characters of an id."""
Reads = list[tuple[int, int]]
"""Operations and their slots."""


@dataclass(slots=True)
class Layout:
    """A network, and where in a pass each of its parts is measured."""

    network: Network
    boxes: dict[str, Box] = field(default_factory=dict)
    """By id of a node, its box."""
    states: list[str] = field(default_factory=list)
    """h_0…h_n: the input's name, then nodes' ids."""
    ways: list[str] = field(default_factory=list)
    """By layer, the id of the edge by which it reads the trunk."""
    reads: dict[str, Reads] = field(default_factory=dict)
    """By edge, what in the pass reads its source."""
    targets: dict[str, str] = field(default_factory=dict)
    """By edge, the id of the node that it leads to."""
    sources: dict[str, str] = field(default_factory=dict)
    """By edge, the id of the node, or the name of the input, that it starts from."""
    inputs: dict[str, str] = field(default_factory=dict)
    """By name of an input, what the pass calls it."""
    same: dict[str, str] = field(default_factory=dict)
    """By id of a node that only gathers what a box reads, the node or input whose state is the first of that."""
    merges: dict[str, str] = field(default_factory=dict)
    """By edge, the kind of the merge that it leads into; '' for a box."""
    parameters: dict[str, list[str]] = field(default_factory=dict)
    """By id of a node, the names of its parameters."""
    ran: dict[str, list[str]] = field(default_factory=dict)
    """Those of them that ran."""
    paths: dict[str, str] = field(default_factory=dict)
    """By id of a node, its module's path."""
    counted: dict[str, tuple[str, str]] = field(default_factory=dict)
    """By id of a node that is no module, its path and word: of those that have both in common it is told apart by its number."""
    untold: frozenset[str] = frozenset()
    """Of another pass: ids of nodes that may have run under another number, so that nothing is known of them."""

    def heard(self, changed: Mapping[tuple, tuple]) -> tuple[set, set]:
        """Return the states and the reads whose gradients its parts are measured by; `changed`: see `GradientRecord`."""
        reads = {read for found in self.reads.values() for read in found}
        states = {(self.state_of(name), 0) for name in (*self.states, *self.boxes)}
        return states | {changed[read] for read in reads if read in changed}, reads

    def state_of(self, name: str) -> int | str:
        """Return the operation that gives a node's state, or the input as the pass calls it."""
        while name in self.same:
            name = self.same[name]
        return self.boxes[name].state if name in self.boxes else self.inputs.get(name, name)


def layout_of(boxes: Boxes, counts: dict[str, int]) -> Layout:
    """Return a pass as a network; `counts` says by name how many numbers a parameter has. Raises `WatchError`."""
    try:
        return _Layout(boxes, counts).made()
    except NetworkError as error:
        raise WatchError(f"this pass cannot be drawn: {error}") from None
    except ValidationError as error:
        raise WatchError(f"this pass cannot be drawn: {error.errors()[0]['msg']}") from None


class _Layout:
    """A network while it is put together."""

    def __init__(self, boxes: Boxes, counts: dict[str, int]) -> None:
        self._boxes, self._trace, self._counts = boxes, boxes.trace, counts
        used = {name for operation in self._trace.operations for name in operation.parameters}
        self._unused = [name for name in counts if name not in used]
        self._names: list[str] = []
        """By box, its node's id."""
        self._inputs = {_clean(name, "x"): state_shape(shape) for name, shape in self._trace.inputs.items()}
        self._input_names = dict(zip(self._trace.inputs, self._inputs, strict=True))
        self._taken = {"", "input", *self._inputs}
        self._nodes: list[Node] = []
        self._shapes: dict[str, Shape] = dict(self._inputs)
        self._edges: list[dict] = []
        self._found = Layout(network=None, inputs={name: given for given, name in self._input_names.items()})
        self._fed: set[str] = set()

    def made(self) -> Layout:
        found = self._found
        if not self._boxes.boxes:
            raise WatchError("nothing that the module returns depends on its input by a gradient: is it in no_grad?")
        for box in self._boxes.boxes:
            self._add(box)
        output = self._output()
        wiring, edges = self._wired(output)
        while beside := self._beside(wiring):
            for one in beside:
                self._enter(one)
            wiring, edges = self._wired(output)
        for edge, one in zip(edges, self._edges, strict=True):
            found.sources[edge.id], found.targets[edge.id] = edge.source, edge.target
            found.reads[edge.id], found.merges[edge.id] = one["reads"], one["merge"]
        graph = {"inputs": self._fed_inputs(), "nodes": self._nodes, "edges": edges, "output": output, "groups": self._groups()}
        found.network = Network(**graph, head=Head(kind="state", outputs=channels(self._shapes[output])))
        self._trunk(wiring)
        return found

    def _add(self, box: Box) -> None:
        path, short = self._path(box)
        name = self._id(path, short)
        self._names.append(name)
        sources = self._sources(box)
        merge = self._merge(box, sources)
        if not merge and len(sources) > 1:
            gathered = self._id(path, "reads")
            self._gather(gathered, sources)
            self._found.counted[gathered] = path, "reads"
            sources = [(gathered, sources[0][1])]
        shape = self._shape(self._trace.operations[box.state])
        if merge:
            sources = self._apart(sources)
            shape = self._shapes[sources[0][0]] if merge == "add" else shape
            self._node(Node(id=name, op=Join(kind=merge)), shape, sources, merge)
        else:
            self._node(Node(id=name, op=self._operation(box, path, shape)), shape, sources, "")
        found = self._found
        found.boxes[name], found.paths[name] = box, path
        if not box.module:
            found.counted[name] = path, short
        found.ran[name] = own_parameters(self._trace, box)
        found.parameters[name] = self._own(box)

    def _own(self, box: Box) -> list[str]:
        """Return the names of a box's parameters: of a list of modules inside it, as of experts, also those that did not run."""
        own, path = own_parameters(self._trace, box), self._trace.calls[box.call].path if box.module else ""
        if not path:
            return own
        places = {_of_any(name, path) for name in own}
        return own + [name for name in self._unused if name.startswith(f"{path}.") and _of_any(name, path) in places]

    def _apart(self, sources: list[tuple[str, Reads]]) -> list[tuple[str, Reads]]:
        """Put a box between two merges in a row that the same state joins, as where it is added twice."""
        joined = {name: {edge["source"] for edge in self._edges if edge["target"] == name and edge["merge"]} for name, _ in sources}
        found = []
        for name, reads in sources:
            if not joined[name].isdisjoint(other for other, _ in sources):
                between, shape = self._id(name, "sum"), self._shapes[name]
                same = CLASSES["Watched"](title="the same", letters="=", shape=shape)
                self._node(Node(id=between, op=same), shape, [(name, reads)], "")
                self._found.same[between] = name
                name = between
            found.append((name, reads))
        return found

    def _fed_inputs(self) -> dict[str, Shape]:
        return {name: shape for name, shape in self._inputs.items() if name in self._fed}

    def _wired(self, output: str) -> tuple[Wiring, list[Edge]]:
        """Return the graph as it stands, and its edges."""
        edges, inputs = (
            named([Edge(**{key: one[key] for key in ("source", "target", "port")}) for one in self._edges]),
            self._fed_inputs(),
        )
        order = ordered(inputs, Wiring(inputs, tuple(self._nodes), tuple(edges), output))
        return Wiring(inputs, order, tuple(edges), output), edges

    def _beside(self, wiring: Wiring) -> list[dict]:
        """Return the edges by which inputs that are not the trunk's come into merges."""
        others = self._fed_inputs().keys() - {path_to(wiring)[0].source}
        return [one for one in self._edges if one["source"] in others and one["target"] in wiring.merges]

    def _enter(self, edge: dict) -> None:
        """Give an input a node of its own where it joins others: what comes beside the trunk comes from a node."""
        given, name = edge["source"], self._id(edge["source"], "input")
        shape, target = self._shapes[given], next(place for place, node in enumerate(self._nodes) if node.id == edge["target"])
        node = Node(id=name, op=CLASSES["Watched"](title=f"input {given}"[:80], letters=given[:12], shape=shape))
        self._nodes.insert(target, node)
        self._shapes[name], self._found.same[name] = shape, given
        self._edges.append({**edge, "target": name, "port": 0, "merge": ""})
        edge["source"] = name

    def _gather(self, name: str, sources: list[tuple[str, Reads]]) -> None:
        """Add a node that only gathers what a box reads, the first of which is its state."""
        self._node(Node(id=name, op=Join(kind="reads")), self._shapes[sources[0][0]], sources, "reads")
        self._found.same[name] = sources[0][0]

    def _node(self, node: Node, shape: Shape, sources: list[tuple[str, Reads]], merge: str) -> None:
        self._nodes.append(node)
        self._shapes[node.id] = shape
        for port, (source, reads) in enumerate(sources):
            self._fed.add(source)
            self._edges.append({"source": source, "target": node.id, "port": min(port, 255), "reads": reads, "merge": merge})

    def _sources(self, box: Box) -> list[tuple[str, Reads]]:
        return [
            (self._input_names[source.box] if isinstance(source.box, str) else self._names[source.box], source.reads)
            for source in box.sources
        ]

    def _merge(self, box: Box, sources: list[tuple[str, Reads]]) -> str:
        """Return the kind of merge that a box is in the network; '' where it joins shapes in a way of torch's own.

        Of a product the whole state comes first in `sources`, and what is spread over it behind.
        """
        if not box.merge or len(sources) < 2:
            return ""
        operation = main_operation(self._trace, box)
        read, given = [state_shape(one.shape) for one in operation.reads], state_shape(operation.shape)
        if box.merge == "multiply":
            sources.sort(key=lambda source: self._shapes[source[0]] != given)
        shapes = [self._shapes[name] for name, _ in sources]
        if box.merge == "concat":
            axis = operation.detail[0] if operation.detail else 1
            channel = 1 if len(given) in (1, 3, 4) else 2
            return "concat" if axis == channel and read == shapes and {*map(len, shapes)} == {len(given)} else ""
        if box.merge == "multiply":
            return "multiply" if shapes[0] == given and all(spreads(shape, given) for shape in shapes[1:]) else ""
        alike = all(self._elements(name) in (None, operation.elements) for name, _ in sources)
        return "add" if alike and {*read} == {given} and len({*shapes}) == 1 else ""

    def _shape(self, operation: Operation) -> Shape:
        """Return a state's shape for one sample, where samples' positions were laid one behind the other, too."""
        samples, batch = operation.elements // max(1, prod(operation.shape)), self._trace.batch
        return state_shape(
            (samples // batch, *operation.shape) if batch and samples > batch and samples % batch == 0 else operation.shape
        )

    def _elements(self, name: str) -> int | None:
        """Return how many numbers a state holds, the batch included; None for an input."""
        name = self._found.same.get(name, name)
        return self._trace.operations[self._found.boxes[name].state].elements if name in self._found.boxes else None

    def _operation(self, box: Box, path: str, shape: Shape):
        title, letters = self._words(box, path)
        if self._trace.failed in box.operations:
            title, letters = f"fails here: {title}", f"✗ {letters}"
        own = self._own(box)
        tokens = any(isinstance(source.box, str) and source.box in self._trace.tokens for source in box.sources)
        weights = sum(self._counts[name] for name in own)
        return CLASSES["Watched"](
            title=title[:80], letters=letters[:16], path=path[:400], shape=shape, weights=weights, tokens=tokens
        )

    def _words(self, box: Box, path: str) -> tuple[str, str]:
        """Return what a box does, long and short."""
        operation, call = main_operation(self._trace, box), self._trace.calls[box.call]
        inner = self._trace.calls[operation.call] if box.module or box.call == ROOT else call
        if box.module and call.short:
            cross = "cross-" if is_attention_class(call.kind) and len(box.sources) > 1 else ""
            label, letters = cross + call.label, cross + call.short
        elif box.module and self._only_layer(box) and inner.short:
            label, letters = inner.label, inner.short
        elif box.module:
            label = f"{call.path.rpartition('.')[2]} ({call.kind})"
            letters = _short(call.path)
        else:
            word = POINTWISE.get(operation.name) or SIGNS.get(operation.name) or POOLS.get(operation.name) or operation.name
            label, letters = word, word
        return ", ".join(dict.fromkeys([label, *(part for part in box.parts if part)])), letters[:12]

    def _only_layer(self, box: Box) -> bool:
        """Return whether one module of torch's own is all that a box has with parameters, norms apart."""
        operations = [self._trace.operations[one] for one in box.operations]
        weighted = {one.call for one in operations if one.parameters or one.shared}
        named_calls = [call for call in weighted if self._trace.calls[call].short not in ("LN", "BN", "GN", "RMS")]
        return len(named_calls) == 1

    def _path(self, box: Box) -> tuple[str, str]:
        """Return a box's module path, and what it is called in it where it is no module."""
        call, operation = self._trace.calls[box.call] if box.call != ROOT else None, main_operation(self._trace, box)
        path = "" if call is None else call.path
        again = f"_{call.number + 1}" if call is not None and call.number else ""
        if box.module:
            return path + again, ""
        return path + again, {"iadd": "add", "radd": "add", "imul": "mul", "concat": "cat"}.get(operation.name, operation.name)

    def _id(self, path: str, word: str) -> str:
        whole = ".".join(part for part in (_clean(path, ""), _clean(word, "")) if part) or "f"
        if len(whole) > LONGEST - 3:
            parts = whole[-(LONGEST - 3) :].partition(".")
            whole = parts[2] or whole[-(LONGEST - 3) :]
        name, number = whole, 1
        while name in self._taken:
            number += 1
            name = f"{whole[: LONGEST - 1 - len(str(number))]}_{number}"
        self._taken.add(name)
        return name

    def _output(self) -> str:
        """Return the id of the node whose state the module returns; of several, one that reads them all."""
        returned = []
        for source in self._trace.outputs:
            place = next((place for place, box in enumerate(self._boxes.boxes) if source in box.operations), None)
            if place is not None and self._names[place] not in returned:
                returned.append(self._names[place])
        ends = [name for name in returned if not any(edge["source"] == name for edge in self._edges)]
        if not ends:
            return returned[-1]
        if len(ends) == 1:
            return ends[0]
        name = self._id("", "outputs")
        self._gather(name, [(one, []) for one in ends])
        return name

    def _groups(self) -> list[Group]:
        """Return the modules that hold several boxes, and not all of them."""
        held: dict[str, list[str]] = {}
        for node in self._nodes:
            path = self._found.paths.get(node.id, "")
            parts = [part for part in _clean(path, "").split(".") if part]
            ends = len(parts) if node.is_merge else len(parts) - 1
            for length in range(1, ends + 1):
                held.setdefault("/".join(parts[:length]), []).append(node.id)
        found = [Group(name=name, nodes=tuple(nodes)) for name, nodes in held.items() if self._is_group(name, nodes, held)]
        return found[:MAX_GROUPS]

    def _is_group(self, name: str, nodes: list[str], held: dict[str, list[str]]) -> bool:
        """Return whether a module's name says more than that of one around it."""
        if not 1 < len(nodes) < MOST_OF_ALL * len(self._nodes) or len(name) > 64:
            return False
        parts = name.split("/")
        outer = ["/".join(parts[:length]) for length in range(1, len(parts))]
        return len(parts) < MAX_NESTED and all(len(held[one]) != len(nodes) for one in outer)

    def _trunk(self, wiring: Wiring) -> None:
        """Write down where on the pass the trunk's states and ways lie."""
        found, path = self._found, path_to(wiring)
        layers = {layer.id for layer in found.network.layers}
        found.states = [path[0].source]
        for edge in path:
            node = wiring.nodes[edge.target]
            joins = edge.target in wiring.merges and MERGES[node.op.kind].joins
            if edge.target in layers:
                found.states.append(edge.target)
                found.ways.append(edge.id)
            elif joins:
                if f"{edge.target}.x" in layers:
                    found.states.append(edge.target)
                    found.ways.append(edge.id)
            elif edge.target not in found.same:
                found.states[-1] = edge.target


def state_shape(shape: Iterable[int]) -> Shape:
    """Return a tensor's shape without the batch as a state of a network has one."""
    sizes = tuple(max(1, size) for size in shape)
    if not sizes:
        return (1,)
    return sizes if len(sizes) <= 4 else (prod(sizes[:-3]), *sizes[-3:])


def _of_any(name: str, path: str) -> str:
    """Return a parameter's name in a module, whichever of a list of modules inside it has it."""
    return re.sub(r"\.\d+(?=\.)", ".#", name.removeprefix(path))


def _clean(text: str, otherwise: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "_", text) or otherwise


def _short(path: str) -> str:
    """Return the last part of a path that is no number, with the number behind it."""
    parts = [part for part in path.split(".") if part]
    return parts[-1] if parts and not parts[-1].isdigit() else " ".join(parts[-2:])
