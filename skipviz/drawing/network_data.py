"""A network as a viewer's script gets it: the parts a person can point at, their words, shapes and drawings."""

from __future__ import annotations

from typing import get_args

from ..network.base import Shape, axes, channels, is_image, kernel_words, spatial, written
from ..network.branch import Beside
from ..network.edge import Edge
from ..network.init import INITS
from ..network.layer import Layer
from ..network.merge import MERGES
from ..network.network import Network
from ..network.norm import NORMS
from ..network.placement import PLACEMENTS
from ..network.positions import Between
from ..network.shapes import NodeShape, SkipShape
from ..network.share import shares
from ..network.skip import Adapter, Skip
from ..network.way import Way, ways_of_edges
from . import diagram, udiagram, words
from .operation_fields import operation_fields, skip_fields

LAB_HEIGHT = 660
"""px that the lab's diagram has, where it does not need more."""
MOST_BOXES = 12
"""Of one branch that a page lists: a hint has no room for more, and a page's data stays bounded."""


def note(network: Network) -> str:
    """Return init and norm in words: both decide whether a plain network's gradient vanishes."""
    if network.watched:
        return ""  # its owner's affair
    inits = {layer.init for layer in network.weighted} or {"torch"}
    factors = {layer.init_factor for layer in network.weighted}
    norms = {layer.norm for layer in network.layers} - {"none"} or {"none"}
    init = f"{INITS[inits.pop()].words} init" if len(inits) == 1 else "mixed inits"
    if factors - {1.0}:
        init += f" ×{factors.pop():g}" if len(factors) == 1 else " × mixed factors"
    said = {"none": "no norm", **{name: norm.words for name, norm in NORMS.items()}}
    return f"{init}, {said[norms.pop()] if len(norms) == 1 else 'mixed norms'}"


def network_data(network: Network) -> dict:
    """Return the parts a person can point at, with shapes and parameter counts."""
    shapes, fields = network.shapes, operation_fields()
    layers = [
        {"k": k, **_layer_data(layer, shape, fields)}
        for k, (layer, shape) in enumerate(zip(network.layers, shapes.layers, strict=True), start=1)
    ]
    branches = [
        {"name": words.doing(node, axes(network.input)), "says": node.words(), **_layer_data(node, shape, fields)}
        for node, shape in zip(network.branches, shapes.branches, strict=True)
    ]
    into = {way.skip.id: way for found in ways_of_edges(network).values() for way in found}
    name, merging = words.names(network), {node.id for node in network.branches if node.is_merge}
    beside = Beside(network)
    shared = shares(network.skips, {})
    skips = [_skip_data(network, index, beside, shared) for index in range(len(network.skips))]
    # What adds scores of several scales is no residual network, though its skips are sums.
    scaled_up = any(layer.op.coarsens < 1 for layer in network.layers)
    residual = all(MERGES[skip.merge].sums for skip in network.skips) and not scaled_up
    return {
        "watched": network.watched,
        "depth": network.depth,
        "weighted": len(network.weighted),
        "note": note(network),
        "parameters": network.parameter_count(),
        "layers": layers,
        "branches": branches,
        "skips": skips,
        "edges": [_edge_data(edge, into[edge.id], words.ends(edge, name), edge.target in merging) for edge in network.edges],
        "skips_total": len(skips),
        "skips_on": sum(skip.in_force for skip in network.skips),
        "words": ["Plain", "Residual"] if residual else ["Skips off", "On"],
    }


def _layer_data(layer: Layer, shape: NodeShape, fields: dict) -> dict:
    """Return a box as a page gets it, on the trunk or beside it."""
    return {
        "id": layer.id,
        "label": layer.op.label(),
        **({"path": layer.op.path} if layer.op.kind == "watched" else {}),
        "kind": layer.op.kind,
        "op": _unusual(layer.op, fields[layer.op.kind]) if layer.op.kind in fields else {},
        "activation": layer.activation,
        "norm": layer.norm,
        "order": layer.order,
        "init": layer.init,
        "init_factor": layer.init_factor,
        "dropout": layer.dropout,
        "drop_path": layer.drop_path,
        "zero_gamma": layer.zero_gamma,
        "on": layer.on,
        "gain": layer.gain,
        "shape": written(shape.output),
        "parameters": shape.parameters,
    }


def _unusual(op, fields: dict) -> dict:
    """Return the fields of an operation that are not at their defaults."""
    return {name: value for name, field in fields.items() if (value := getattr(op, name)) != field["default"]}


def _skip_data(network: Network, index: int, beside: Beside, shared: dict[str, float]) -> dict:
    skip, shape = network.skips[index], network.shapes.skips[index]
    source = beside.read[skip.via] if skip.via else network.shapes.states[skip.source]
    target = network.shapes.states[skip.target]
    return {
        **_way_data(skip, skip, shape, source, target),
        "source": skip.source,
        "target": skip.target,
        "merge": skip.merge,
        "softmax": skip.softmax,
        "share": shared.get(skip.id),
        "matrix": list(matrix(skip)) if (matrix := MERGES[skip.merge].matrix) else None,
        "fields": {name: getattr(skip, name) for name in MERGES[skip.merge].fields if name in skip_fields()},
        "via": skip.via,
        "branch": words.branch(network, skip.via) if skip.via else "",
        # Of a long branch the boxes nearest to its end, in the order in which they are computed.
        "boxes": [beside.places[node.id] for node in beside.feeding(skip.via, MOST_BOXES)] if skip.via else [],
    }


def _edge_data(edge: Edge, way: Way, name: str, merges: bool) -> dict:
    """Return an edge of a branch as a page gets it: as a skip, as far as an edge has its fields."""
    data = {**_way_data(edge, way.skip, way.shape, way.carries, way.target), "name": name}
    return data | {"to": edge.target, "merges": merges} | ({} if merges and edge.port else {"adapters": [], "spatials": []})


def _way_data(part: Skip | Edge, skip: Skip, shape: SkipShape, source: Shape, target: Shape) -> dict:
    """Return a skip as a page gets it, or an edge, which carries as a skip does."""
    return {
        "id": part.id,
        "on": part.on,
        "strength": part.strength,
        "learned": part.learned,
        "rate": part.rate,
        "gain": part.gain,
        "adapter": shape.adapter.channels + (f" {shape.adapter.kernel}" if shape.adapter.kernel > 1 else ""),
        "adapter_label": shape.label(),
        "adapters": _channel_parts(skip, source, target),
        "spatial": shape.adapter.spatial,
        "spatials": _spatial_parts(skip, source, target),
        "parameters": shape.parameters,
    }


def _channel_parts(skip: Skip, source: Shape, target: Shape) -> list[list[str]]:
    """Return the channel parts of adapters that join two states, a projection by each of its kernels, and their words."""
    equal = channels(source) == channels(target)
    identity = [["none", "identity"]] if equal or skip.joins else []
    pad = [["pad", "pad"]] if channels(source) < channels(target) and not skip.joins else []
    kernels = get_args(Adapter.model_fields["kernel"].annotation)[1:] if len(source) > 1 else ()
    square = is_image(source)
    wide = [[f"project {kernel}", kernel_words(kernel, source) if square else f"{kernel} positions"] for kernel in kernels]
    return [*identity, *pad, ["project", kernel_words(1, source) if square else "linear"], *wide]


def _spatial_parts(skip: Skip, source: Shape, target: Shape) -> list[list[str]]:
    """Return the spatial parts of adapters by which a state gets to the positions of another; none where they are the same."""
    if MERGES[skip.merge].own_positions or len(source) != len(target) or spatial(source) == spatial(target):
        return []
    between = Between.of(source, target)
    return [[name, kind.words] for name, kind in PLACEMENTS.items() if kind.problem(between) is None]


def viewer_data(network: Network, drawn: Network | None = None) -> dict:
    """Return a network with its drawings of both sizes, its U too where it has one; `drawn` is drawn in its place."""
    drawn, sizes = drawn or network, (("diagram", False), ("compact", True))
    drawings = {name: diagram.draw(drawn, page="lab", compact=compact, height=LAB_HEIGHT).to_data() for name, compact in sizes}
    u = None
    if udiagram.has_u(drawn):
        shapes = {name: udiagram.draw_u(drawn, compact=compact, height=LAB_HEIGHT).to_data() for name, compact in sizes}
        u = {"on": False, **shapes}
    return {"network": network_data(network), "u": u, **drawings}
