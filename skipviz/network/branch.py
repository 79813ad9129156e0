"""Branches: nodes beside the trunk, which read its states and whose outputs skips carry on to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .base import NetworkError, Shape
from .edge import Edge
from .merge import MERGES
from .node import Join, Node, check_ports
from .shapes import UNCHANGED, NodeShape, SkipShape, landing_shape, layer_shape

if TYPE_CHECKING:
    from .network import Network
    from .skip import Skip

INPUT = "input"
"""Name of h_0 where an edge reads it."""


ALIKE = ("op", "activation", "norm", "order", "init", "init_factor", "scale", "scale_learned", "scale_per", "zero_gamma")
"""Fields in which parts that share weights are equal."""


def arriving_at(network: Network) -> dict[str, list[Edge]]:
    """Return, by node of a branch, the edges into it in the order of its ports."""
    found: dict[str, list[Edge]] = {node.id: [] for node in network.branches}
    for edge in network.edges:
        found[edge.target].append(edge)
    for edges in found.values():
        edges.sort(key=lambda edge: edge.port)
    return found


def ready_at(network: Network) -> dict[int, list[Node]]:
    """Return, by k, the nodes of branches that can be computed as soon as h_k is."""
    known = places_of(network)
    arriving, found = arriving_at(network), {}
    for node in network.branches:
        known[node.id] = k = max(known[edge.source] for edge in arriving[node.id])
        found.setdefault(k, []).append(node)
    return found


class Beside:
    """A network's branches by name, for what asks for many of them."""

    def __init__(self, network: Network) -> None:
        self.arriving = arriving_at(network)
        self.places = {node.id: place for place, node in enumerate(network.branches)}
        self.nodes = network.branches
        self.read = network.shapes.read

    def feeding(self, via: str, most: int | None = None) -> list[Node]:
        """Return the nodes that make what `via` gives, itself the last, in the network's order; `most` of them, the nearest."""
        found, left = {via}, [via]
        while left and (most is None or len(found) < most):
            sources = [edge.source for edge in self.arriving[left.pop(0)]]
            new = [name for name in dict.fromkeys(sources) if name in self.places and name not in found]
            new = new if most is None else new[: most - len(found)]
            found.update(new)
            left += new
        return [self.nodes[place] for place in sorted(self.places[name] for name in found)]


def feeding(network: Network, via: str) -> list[Node]:
    """Return the nodes of branches that make what `via` gives, itself the last, in the network's order."""
    return Beside(network).feeding(via)


def check_branches(network: Network) -> None:
    """Raise `NetworkError` where a branch reads what is not there yet, or is read before it is there."""
    taken = {INPUT, *network.further}
    for part in (*network.layers, *network.branches):
        if part.id in taken:
            raise NetworkError(f"with branches no layer is called {part.id}, which is what they call an input")
    known, beside = places_of(network), {node.id for node in network.branches}
    for edge in network.edges:
        if edge.target not in beside:
            raise NetworkError(f"edge {edge.id}: there is no branch with a node {edge.target}")
        if edge.source not in known and edge.source not in beside:
            raise NetworkError(f"edge {edge.id}: there is no {edge.source}")
        if edge.softmax:
            raise NetworkError(f"edge {edge.id} leads into a branch: shares by softmax are of what joins the trunk")
    arriving = arriving_at(network)
    for node in network.branches:
        edges = arriving[node.id]
        check_ports(node, len(edges))
        if not node.is_merge and edges[0].learned:
            raise NetworkError(f"edge {edges[0].id} leads into {node.id}, no merge: give that a learned scale")
        late = next((edge.source for edge in edges if edge.source not in known), None)
        if late:
            raise NetworkError(f"{node.id} reads {late}, which stands behind it")
        if node.op.kind == "embedding":
            _check_embedding(network, node, edges[0])
        known[node.id] = max(known[edge.source] for edge in edges)
    for skip in network.skips:
        if skip.via and skip.via not in beside:
            raise NetworkError(f"skip {skip.id}: there is no branch with a node {skip.via}")
        if skip.via and known[skip.via] >= skip.target + skip.joins:
            raise NetworkError(f"skip {skip.id}: {skip.via} needs h({known[skip.via]}), so it joins a later state")


def _check_embedding(network: Network, node: Node, edge: Edge) -> None:
    """Raise `NetworkError` where a branch's embedding reads what is no further input, or another part reads its tokens too."""
    if edge.source not in network.further:
        raise NetworkError(
            f"{node.id}: only the first layer reads tokens, or what a further input brings, so only it is an embedding"
        )
    other = next((one for one in network.edges if one.source == edge.source and one is not edge), None)
    if other:
        raise NetworkError(f"{edge.source} is tokens, which one embedding reads: {other.target} reads them, too")
    if node.order == "norm-act-op" and (node.norm, node.activation) != ("none", "none"):
        raise NetworkError(f"{node.id}: tokens are numbers of words, so no norm or activation comes before the embedding")
    if edge != Edge(id=edge.id, source=edge.source, target=edge.target, port=edge.port):
        raise NetworkError(f"edge {edge.id} brings tokens, which nothing switches, scales or adapts")


def token_edges(network: Network) -> set[str]:
    """Return the ids of the edges that bring tokens of a further input to their embedding."""
    embeddings = {node.id for node in network.branches if node.op.kind == "embedding"} if network.further else ()
    return {edge.id for edge in network.edges if edge.target in embeddings}


def seen_ahead(network: Network) -> str | None:
    """Return the id of an attention beside the trunk, or onto it, by which a position sees later ones of the first input."""
    of_first, arriving = {INPUT, *(layer.id for layer in network.layers)}, arriving_at(network)
    for node in network.branches:
        reads = [edge.source in of_first for edge in arriving[node.id]]
        if any(reads[1:]) and _attends(node.op.kind, node.op) if node.is_merge else any(reads) and node.op.looks_ahead:
            return node.id
        of_first |= {node.id} if any(reads) else set()
    return next((skip.id for skip in network.skips if _attends(skip.merge, skip) and (skip.via or INPUT) in of_first), None)


def _attends(merge: str, fields: Skip | Join) -> bool:
    """Return whether a merge lets each position see all of what is carried."""
    return "causal" in MERGES[merge].fields and not fields.causal


def check_shared(network: Network) -> None:
    """Raise `NetworkError` where weights are shared that cannot be."""
    known = network.shapes
    shapes = [*zip(network.layers, known.layers, strict=True), *zip(network.branches, known.branches, strict=True)]
    by_id = None
    for part, shape in shapes:
        if not part.shares:
            continue
        by_id = by_id or {one.id: (one, its) for one, its in shapes}
        if part.shares not in by_id:
            raise NetworkError(f"{part.id} shares the weights of {part.shares}, and there is no such layer")
        owner, theirs = by_id[part.shares]
        if owner.shares:
            raise NetworkError(f"{part.id} shares the weights of {owner.id}, which has none of its own: name {owner.shares}")
        if shape.input != theirs.input or any(getattr(part, name) != getattr(owner, name) for name in ALIKE):
            raise NetworkError(f"{part.id} shares the weights of {owner.id}, so it needs the same operation, norm and input")
        if part.dropout or part.drop_path:
            raise NetworkError(f"{part.id} shares weights, so it has no dropout of its own")


def branch_shape(node: Node, arriving: list[Edge], made: dict[str, Shape], edges: dict[str, SkipShape]) -> NodeShape:
    """Return the shape of a node that reads what is `made`, and note those of its edges; raises `NetworkError`."""
    try:
        return _shape(node, arriving, made, edges)
    except NetworkError as error:
        raise NetworkError(f"{node.id}: {error}") from None


def _shape(node: Node, arriving: list[Edge], made: dict[str, Shape], edges: dict[str, SkipShape]) -> NodeShape:
    target = made[arriving[0].source]
    if not node.is_merge:
        edges[arriving[0].id] = SkipShape(UNCHANGED, target, 0)
        return layer_shape(node, target)
    for place, edge in enumerate(arriving):
        edges[edge.id] = landing_shape(edge.joining(node, first=place == 0), made[edge.source], target, True)
    brought = tuple(edges[edge.id].carried for edge in arriving)
    return NodeShape(brought, node.op.output_shape(list(brought)), 0)


def places_of(network: Network) -> dict[str, int]:
    """Return the number of each state of the trunk by the name that edges have for it."""
    return {INPUT: 0, **dict.fromkeys(network.further, 0), **{layer.id: k for k, layer in enumerate(network.layers, start=1)}}
