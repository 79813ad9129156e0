"""How skips and layers stood at each step of a run: what every event found and left. The browser looks up, and applies no event."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from threading import Lock

from ..network.network import Network
from .event import meant
from .experiment import Experiment

SWITCHED = {"skip": ("on", "strength", "gain"), "layer": ("on", "gain")}
"""What events set of a part, by the kind of event."""


class SwitchHistory:
    """The history of one run, which grows with its events; any thread may ask."""

    def __init__(self) -> None:
        self._lock, self._count = Lock(), 0
        self._entries: list[dict] = []
        self._parts: dict[str, dict[str, dict[str, dict]]] = {}

    def since(self, began: Experiment, events: Sequence[dict], step: int = 0) -> list[dict]:
        """Return what `events`, in the order in which they acted on a run that was begun with `began`, did from `step` on.

        As `{"step", "variant", "kind", "ids", "before", "after"}`: from that step on the parts of these ids have the fields of
        `after`, and those of `before` up to it. Events that name no part have no entry.
        """
        with self._lock:
            if events and not self._parts:
                self._parts = {name: _standing(network) for name, network in began.variants.items()}
            acted = events[self._count :]
            self._count += len(acted)
            for event in acted:
                self._add(event)
            return self._entries[bisect_left(self._entries, step, key=lambda entry: entry["step"]) :]

    def _add(self, event: dict) -> None:
        kind = event["kind"]
        if kind not in SWITCHED:
            return
        after = {name: event[name] for name in SWITCHED[kind] if event.get(name) is not None}
        for variant in meant(event.get("variant"), event["ids"], {name: parts[kind] for name, parts in self._parts.items()}):
            found: dict[tuple, list[str]] = {}
            for identifier in event["ids"]:
                part = self._parts[variant][kind][identifier]
                found.setdefault(tuple(part[name] for name in after), []).append(identifier)
                part.update(after)
            for values, ids in found.items():
                before = dict(zip(after, values, strict=True))
                entry = {"step": event["step"], "variant": variant, "kind": kind, "ids": ids, "before": before, "after": after}
                self._entries.append(entry)


def _standing(network: Network) -> dict[str, dict[str, dict]]:
    """Return the switches of a network's parts, by the kind of event and the part's id."""
    parts = {"skip": (*network.skips, *network.edges), "layer": (*network.layers, *network.branches)}
    return {kind: {part.id: {name: getattr(part, name) for name in SWITCHED[kind]} for part in parts[kind]} for kind in parts}
