"""Edits of a network, each a function `Network → Network`; an impossible one raises `NetworkError`.

Ids stay with their layers and skips; positions of skips move with the states they name.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import accumulate

from pydantic import ValidationError

from .base import Frozen, NetworkError, sentence
from .branch import INPUT, arriving_at, token_edges
from .group import joined, without
from .layer import Layer
from .network import MAX_LAYERS, Network
from .rest import check_rests, unfit
from .skip import Skip

PARTS = ("layers", "skips", "branches", "edges")
"""What a network is made of, beside its input and head."""
BOXES = ("layers", "branches")
SWITCHES = frozenset({"on", "strength", "gain"})
"""Fields that an event sets: of each by itself any value that a part takes fits."""


def changed(network: Network, **parts) -> Network:
    """Return `network` with some of its fields replaced and checked again; boxes that are no longer there leave their groups."""
    if network.groups and "groups" not in parts:
        before, after = ({part.id for name in BOXES for part in now.get(name, getattr(network, name))} for now in ({}, parts))
        parts["groups"] = without(network.groups, before - after)
    return network.replaced(**parts)


def set_skip(network: Network, identifier: str, **changes) -> Network:
    """Return `network` with fields of one skip changed (on, strength, merge, adapter, source, target, gain)."""
    return set_skips(network, (identifier,), **changes)


def set_skips(network: Network, identifiers, **changes) -> Network:
    """Return `network` with the same change made to several skips, or edges of branches."""
    wanted = set(identifiers)
    for identifier in sorted(wanted - {part.id for part in (*network.skips, *network.edges)}):
        network.skip(identifier)
    if tokens := wanted & token_edges(network):
        raise NetworkError(f"edge {min(tokens)} brings tokens, which nothing switches, scales or adapts")
    return _switched(network, changes, **_with_parts(network, ("skips", "edges"), wanted, changes))


def switch_all(network: Network, on: bool) -> Network:
    """Return `network` with every skip switched on or off."""
    return _switched(network, {"on": on}, skips=tuple(_with(skip, {"on": on}) for skip in network.skips))


def bare(network: Network) -> Network:
    """Return `network` with every skip off, to be measured: zeros are what a layer gives that only a skip let be off."""
    return network.model_copy(update={"skips": tuple(_with(skip, {"on": False}) for skip in network.skips)})


def unswitched(network: Network) -> Network:
    """Return what `network` is whatever is switched: all on at strength 1 and gain 1, of nobody's making."""
    parts = {}
    for name in PARTS:
        whole = {"on": True, "gain": 1.0, **({} if name in BOXES else {"strength": 1.0})}
        parts[name] = tuple(part.model_copy(update=whole) for part in getattr(network, name))
    return network.model_copy(update={**parts, "origin": None})


def add_skip(network: Network, source: int, target: int, merge: str = "add", **fields) -> Network:
    """Return `network` with one more skip, its id new; the adapter is chosen from the shapes."""
    try:
        skip = Skip(id=_free(network.skips, f"s{source}-{target}"), source=source, target=target, merge=merge, **fields)
    except ValidationError as error:
        raise NetworkError(sentence(error)) from None
    return changed(network, skips=(*network.skips, skip))


def remove_skip(network: Network, identifier: str) -> Network:
    """Return `network` without that skip."""
    return remove_skips(network, (identifier,))


def remove_skips(network: Network, identifiers) -> Network:
    """Return `network` without those skips."""
    wanted = set(identifiers)
    if found := wanted & {edge.id for edge in network.edges}:
        raise NetworkError(f"{min(found)} leads into a branch's box, which goes with the skip that carries what it makes")
    for identifier in sorted(wanted - {skip.id for skip in network.skips}):
        network.skip(identifier)
    skips = tuple(skip for skip in network.skips if skip.id not in wanted)
    return changed(network, **pruned(network.model_copy(update={"skips": skips})))


def set_layer(network: Network, identifier: str, **changes) -> Network:
    """Return `network` with fields of one layer changed (op, activation, norm, gain, on, …)."""
    return set_layers(network, (identifier,), **changes)


def set_layers(network: Network, identifiers, **changes) -> Network:
    """Return `network` with the same change made to several layers, of the trunk or of branches."""
    wanted = set(identifiers)
    for identifier in sorted(wanted - {part.id for part in (*network.layers, *network.branches)}):
        network.layer_index(identifier)
    return _switched(network, changes, **_with_parts(network, BOXES, wanted, changes))


def insert_layer(network: Network, position: int, layer: Layer | None = None) -> Network:
    """Return `network` with a layer after state h_position, by default a twin of its neighbour.

    Skips that leave from or land at h_position stay there; those above move up. It belongs to the groups that hold both its
    neighbours.
    """
    if not 0 <= position <= network.depth:
        raise NetworkError(f"there is no state h({position}): the last is h({network.depth})")
    if layer is None:
        neighbour = network.layers[max(0, position - 1)]
        if neighbour.op.reads_tokens:  # only a first layer can
            neighbour = network.layers[min(1, network.depth - 1)]
        layer = _with(neighbour, {"gain": 1.0, "on": True})
    layer = layer.model_copy(update={"id": _free((*network.layers, *network.branches), "f")})
    layers = (*network.layers[:position], layer, *network.layers[position:])
    skips = tuple(_moved(skip, lambda state: state + 1 if state > position else state) for skip in network.skips)
    neighbours = [one.id for one in network.layers[max(0, position - 1) : position + 1]]
    groups = joined(network.groups, layer.id, *neighbours) if 0 < position < network.depth else network.groups
    return changed(network, layers=layers, skips=skips, groups=groups)


def remove_layer(network: Network, identifier: str) -> Network:
    """Return `network` without that layer; skips that no longer pass a layer go with it."""
    return remove_layers(network, (identifier,))


def remove_layers(network: Network, identifiers) -> Network:
    """Return `network` without those layers, as if one after the other were removed."""
    wanted = set(identifiers)
    if found := wanted & {node.id for node in network.branches}:
        raise NetworkError(f"{min(found)} stands beside the trunk: it goes with the skip that carries what it makes")
    for identifier in sorted(wanted - {layer.id for layer in network.layers}):
        network.layer_index(identifier)
    if len(wanted) >= network.depth:
        raise NetworkError("a network keeps at least one layer")
    removed = list(accumulate((layer.id in wanted for layer in network.layers), initial=0))
    kept, pairs = [], set()
    for skip in network.skips:
        source, target = skip.source - removed[skip.source], skip.target - removed[skip.target]
        if target > source and (source, target, skip.via) not in pairs:
            pairs.add((source, target, skip.via))
            kept.append(skip.model_copy(update={"source": source, "target": target}))
    layers = tuple(layer for layer in network.layers if layer.id not in wanted)
    stays, edges = {}, network.edges
    if edges:  # a branch that read a layer reads what that layer read
        last = INPUT
        for layer in network.layers:
            last = last if layer.id in wanted else layer.id
            stays[layer.id] = last
        edges = tuple(edge.model_copy(update={"source": stays.get(edge.source, edge.source)}) for edge in edges)
    return changed(network, **pruned(network.model_copy(update={"layers": layers, "skips": tuple(kept), "edges": edges})))


def pruned(network: Network) -> dict[str, tuple]:
    """Return the parts of a network without branches' nodes that no skip and no other node reads."""
    read, arriving = {skip.via for skip in network.skips}, arriving_at(network)
    for node in reversed(network.branches):
        if node.id in read:
            read.update(edge.source for edge in arriving[node.id])
    nodes = tuple(node for node in network.branches if node.id in read)
    names = {node.id for node in nodes}
    edges = tuple(edge for edge in network.edges if edge.target in names)
    return {"layers": network.layers, "skips": network.skips, "branches": nodes, "edges": edges}


def repeated(unit: Network, count: int) -> Network:
    """Return `unit`'s layers, skips and groups stacked `count` times, with ids `u<repeat>.<id>`; its head stays."""
    if not 1 <= count * unit.depth <= MAX_LAYERS:
        raise NetworkError(f"{unit.depth} layers repeat between 1 and {MAX_LAYERS // unit.depth} times, not {count}")
    if count == 1:
        return unit
    layers, skips, branches, edges, groups = [], [], [], [], []
    for index in range(count):
        u = f"u{index + 1}"
        for laid, parts in ((layers, unit.layers), (branches, unit.branches)):
            for part in parts:
                owner = {"shares": f"{u}.{part.shares}"} if part.shares else {}
                laid.append(part.model_copy(update={"id": f"{u}.{part.id}", **owner}))
        for skip in unit.skips:
            offset = {"source": skip.source + index * unit.depth, "target": skip.target + index * unit.depth}
            via = {"via": f"{u}.{skip.via}"} if skip.via else {}
            skips.append(skip.model_copy(update={"id": f"{u}.{skip.id}", **offset, **via}))
        for group in unit.groups:
            nodes = tuple(f"{u}.{name}" for name in group.nodes)
            groups.append(group.replaced(name=f"{u}.{group.name}", nodes=nodes))
        below = f"u{index}.{unit.layers[-1].id}" if index else INPUT
        for edge in unit.edges:
            source = below if edge.source == INPUT else f"{u}.{edge.source}"
            edges.append(edge.model_copy(update={"id": f"{u}.{edge.id}", "source": source, "target": f"{u}.{edge.target}"}))
    made = {"layers": layers, "skips": skips, "branches": branches, "edges": edges, "groups": groups}
    return changed(unit, **{name: tuple(parts) for name, parts in made.items()})


def with_switches_of(network: Network, before: Network) -> Network:
    """Return `network` with the switches, strengths and gains that the same places of `before` have, where they can be."""
    parts = {name: _with_switches_of(getattr(network, name), getattr(before, name)) for name in PARTS}
    return awake(network.model_copy(update=parts))


def rested(network: Network, identifiers: Collection[str]) -> Network:
    """Return `network` with those layers off that are there and can be."""
    layers = tuple(_with(layer, {"on": layer.id not in identifiers}) for layer in network.layers)
    return awake(network.model_copy(update={"layers": layers}))


def awake(network: Network) -> Network:
    """Return `network`, each layer on again that is off where nothing could take its place."""
    wrong = unfit(network)
    return network.model_copy(update=_with_parts(network, BOXES, wrong, {"on": True})) if wrong else network


def _with_switches_of(parts, before):
    shared = [
        part.model_copy(update={name: getattr(other, name) for name in SWITCHES & type(part).model_fields.keys()})
        for part, other in zip(parts, before, strict=False)
    ]
    return (*shared, *parts[len(shared) :])


def _switched(network: Network, changes: dict, **parts) -> Network:
    """Return `network` with `parts`, in which `changes` were made; what is switched in a live run leaves every shape as it is."""
    if not changes.keys() <= SWITCHES:
        return changed(network, **parts)
    edited = network.model_copy(update=parts)
    check_rests(edited, known=unfit(network))
    return edited


def _with_parts(network: Network, fields: tuple[str, str], wanted: Collection[str], changes: dict) -> dict[str, tuple]:
    """Return the parts in these fields of a network, with the same change made to those wanted."""
    return {name: tuple(_with(part, changes) if part.id in wanted else part for part in getattr(network, name)) for name in fields}


def _with(part: Frozen, changes: dict):
    return part.replaced(**changes)


def _moved(skip: Skip, move) -> Skip:
    return skip.model_copy(update={"source": move(skip.source), "target": move(skip.target)})


def _free(parts, stem: str) -> str:
    taken = {part.id for part in parts}
    if stem not in taken and stem[-1].isdigit():
        return stem
    number = len(taken) + 1
    while f"{stem}{'.' if stem[-1].isdigit() else ''}{number}" in taken:
        number += 1
    return f"{stem}{'.' if stem[-1].isdigit() else ''}{number}"
