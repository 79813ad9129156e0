"""Edits of an experiment: what a command makes of a network, and the events that lead a live run from one to another."""

from __future__ import annotations

from itertools import chain

from ...network import edit
from ...network.base import NetworkError, channels
from ...network.layer import Layer
from ...network.merge import MERGES
from ...network.network import Network
from ...network.skip import Adapter
from ...network.way import Way, ways
from ...tasks.change import CHANGES
from ...tasks.event import LayerEvent, SkipEvent
from ...tasks.experiment import Experiment


def network_after(network: Network, command: dict) -> Network:
    """Return `network` after one structural or live command of the page; raises `NetworkError`."""
    operation = command["op"]
    if operation == "skips":
        return _skips_changed(network, command["ids"], dict(command["changes"]))
    if operation == "layers":
        return _layers_changed(network, command["ids"], dict(command["changes"]))
    if operation == "add_skip":
        return _with_new_skip(network, int(command["source"]), int(command["target"]))
    if operation == "insert_layer":
        return edit.insert_layer(network, int(command["position"]))
    return {"remove_skips": edit.remove_skips, "remove_layers": edit.remove_layers}[operation](network, command["ids"])


def _with_new_skip(network: Network, source: int, target: int) -> Network:
    """Add where that works; where something else lands or the shapes differ in kind, say why."""
    taken = any(skip.target == target and MERGES[skip.merge].alone for skip in network.skips)
    return edit.add_skip(network, source, target, merge="concat" if taken else "add")


def _skips_changed(network: Network, ids: list[str], changes: dict) -> Network:
    if changes.keys() & {"spatial", "adapter"}:
        way = next(way for way in ways(network) if way.skip.id == network.edge(ids[0]).id)
        changes["adapter"] = _adapter_changed(way, changes)
    if "merge" in changes:
        changes["adapter"] = network.skip(ids[0]).adapter.replaced(channels="auto", width=None)
    return edit.set_skips(
        network,
        ids,
        **_known(
            changes,
            {"on", "strength", "gain", "merge", "adapter", "source", "target", "learned", "rate", "softmax"}.union(
                *(kind.fields for kind in MERGES.values())
            ),
        ),
    )


def _adapter_changed(way: Way, changes: dict) -> Adapter:
    """Return a way's adapter with another spatial part, taken from the changes, or else another channel part."""
    if "spatial" in changes:
        return way.skip.adapter.replaced(spatial=changes.pop("spatial"), offset=None)
    part, _, kernel = str(changes["adapter"]).partition(" ")
    width = channels(way.target) if part == "project" and way.skip.joins else None
    return way.skip.adapter.replaced(channels=part, width=width, kernel=int(kernel) if kernel.isdecimal() else 1)


def _layers_changed(network: Network, ids: list[str], changes: dict) -> Network:
    """Change fields of layers, and of those of their operations that have them."""
    of_layer = Layer.model_fields.keys() - {"id", "op"}
    of_op, wanted = {name: changes.pop(name) for name in [*changes] if name not in of_layer}, set(ids)
    boxes = {field: getattr(network, field) for field in edit.BOXES}
    _known(of_op, {name for layer in chain(*boxes.values()) if layer.id in wanted for name in layer.op.keys.values()})
    if of_op:
        changed = {k: tuple(_op_changed(layer, of_op) if layer.id in wanted else layer for layer in v) for k, v in boxes.items()}
        network = edit.changed(network, **changed)
    return edit.set_layers(network, ids, **changes) if changes else network


def _op_changed(layer: Layer, changes: dict) -> Layer:
    known = {name: value for name, value in changes.items() if name in layer.op.keys.values()}
    return layer.replaced(op=layer.op.replaced(**known)) if known else layer


def _known(changes: dict, names: set[str]) -> dict:
    if unknown := set(changes) - names:
        raise NetworkError(f"nothing is called {sorted(unknown)[0]}")
    return changes


def events_between(before: Experiment, after: Experiment) -> list | None:
    """Return the events that turn a run of `before` into one of `after`; None when the structure differs."""
    events: list = []
    by_form = {kind: {name: getattr(after.training, name) for name in kind.fields} for kind in CHANGES.values() if kind.by_form}
    changed = {name: value for fields in by_form.values() for name, value in fields.items()}
    if before.training.replaced(**changed) != after.training or before.task != after.task:
        return None
    if before.variants.keys() != after.variants.keys():
        return None
    for kind, fields in by_form.items():
        if any(getattr(before.training, name) != value for name, value in fields.items()):
            events.append(kind.event(**fields))
    for name, old in before.variants.items():
        new = after.variants[name]
        if any(getattr(old, name) != getattr(new, name) for name in type(old).model_fields.keys() - {*edit.PARTS, "origin"}):
            return None
        for event, parts, names in (
            (SkipEvent, ((*old.skips, *old.edges), (*new.skips, *new.edges)), ("on", "strength", "gain")),
            (LayerEvent, ((*old.layers, *old.branches), (*new.layers, *new.branches)), ("on", "gain")),
        ):
            found = _part_events(event, *parts, names, name)
            if found is None:
                return None
            events += found
    return sorted(_joined(events, len(after.variants)), key=_acts_late)


def _joined(events: list, variants: int) -> list:
    """Return one event for all variants in place of those that are the same in each of several."""
    alike: dict[str, list] = {}
    for event in events:
        alike.setdefault(event.model_copy(update={"variant": None}).model_dump_json(), []).append(event)
    shared = {id(one) for same in alike.values() if len(same) == variants > 1 for one in same}
    first = {id(same[0]) for same in alike.values()}
    whole = [event.model_copy(update={"variant": None}) if id(event) in shared else event for event in events]
    return [made for event, made in zip(events, whole, strict=True) if id(event) not in shared or id(event) in first]


def _acts_late(event) -> bool:
    """Return whether an event comes after those that switch layers on, so that no layer is off meanwhile that cannot be."""
    return not (isinstance(event, LayerEvent) and event.on)


def _part_events(event, before, after, names: tuple[str, ...], variant: str) -> list | None:
    if len(before) != len(after):
        return None
    groups: dict[tuple, list[str]] = {}
    for old, new in zip(before, after, strict=True):
        changes = {name: getattr(new, name) for name in names if getattr(new, name) != getattr(old, name)}
        if old.model_copy(update=changes) != new:
            return None
        if changes:
            groups.setdefault(tuple(changes.items()), []).append(new.id)
    return [event(ids=tuple(ids), variant=variant, **dict(changes)) for changes, ids in groups.items()]
