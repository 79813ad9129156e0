"""Where a pass is measured for the network that another pass of the same module was. Imports no torch."""

from __future__ import annotations

from dataclasses import replace

from .layout import Layout


def projected(layout: Layout, first: Layout) -> Layout:
    """Return where a pass is measured for the network of another: nodes by their ids, edges by both their ends."""
    untold = _untold(layout, first)
    ways: dict[tuple[str, str], list[str]] = {}
    for edge, source in layout.sources.items():
        ways.setdefault((source, layout.targets[edge]), []).append(edge)
    ends = {edge: (source, first.targets[edge]) for edge, source in first.sources.items()}
    places = {edge: [] if untold.intersection(both) else ways.get(both, []) for edge, both in ends.items()}
    reads = {edge: layout.reads[found.pop(0)] if found else [] for edge, found in places.items()}
    boxes = {name: layout.boxes[name] for name in first.boxes if name in layout.boxes and name not in untold}
    names = {name: [*dict.fromkeys([*own, *layout.parameters.get(name, [])])] for name, own in first.parameters.items()}
    same = {**first.same, **layout.same}
    return replace(first, reads=reads, boxes=boxes, parameters=names, same=same, inputs=layout.inputs, untold=untold)


def varying(layout: Layout, first: Layout) -> list[str]:
    """Return the paths of modules inside which another pass runs other parts, as other experts."""
    return [path for name, path in first.paths.items() if {*layout.ran.get(name, [])} != {*first.ran[name]}]


def is_alike(layout: Layout, first: Layout) -> bool:
    """Return whether two passes have the same boxes, each reading the same others."""
    return (layout.boxes.keys(), layout.sources, layout.targets) == (first.boxes.keys(), first.sources, first.targets)


def _untold(layout: Layout, first: Layout) -> frozenset[str]:
    """Return the nodes that are told apart by a number alone and read others now than they did, or may be one that does.

    One that is not there, while all that have its path and word are what they were, did not run: a depth that changes.
    """
    now, then = _sources(layout), _sources(first)
    told: set[str] = set()
    for name in first.counted:
        known = all(source in told or source not in first.counted for source in then[name])
        if known and name in layout.counted and now[name] == then[name]:
            told.add(name)
    others = {base for name, base in layout.counted.items() if name not in told}
    return frozenset(name for name, base in first.counted.items() if name not in told and base in others)


def _sources(layout: Layout) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {name: [] for name in layout.counted}
    for edge, target in layout.targets.items():
        found.setdefault(target, []).append(layout.sources[edge])
    return found
