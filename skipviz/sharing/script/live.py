"""Which switches, strengths and gains of a network change during a run, and what each event sets. Imports the data model only."""

from __future__ import annotations

from collections.abc import Iterable

from ...network.chain import wiring_of
from ...network.network import Network
from ...network.rest import passes_on


def layer_state(network: Network, k: int) -> str:
    """Return whether f_k is `on`, or what stands in for it: `input` where it passes on what it reads, else `zeros`."""
    if network.layers[k - 1].on:
        return "on"
    return "input" if passes_on(network, k) else "zeros"


class Live:
    """The values of one network in the order of a run's phases, which its events part; `tables` are those that change.

    The tables are the attributes of the written network: `on`, `strength`, `skip_gain` by a skip's id, `layer`, `layer_gain`
    by a layer's.
    """

    def __init__(self, phases: list[Network]) -> None:
        self.phases = phases
        self.first = [_values(network) for network in phases]
        self.changing = {(table, name) for table, name in self.first[0] if len({values[table, name] for values in self.first}) > 1}

    def changes(self, table: str, name: str) -> bool:
        return (table, name) in self.changing

    def ever(self, table: str, name: str, value) -> bool:
        """Return whether it has `value` in some phase."""
        return any(values[table, name] == value for values in self.first)

    def value(self, table: str, name: str):
        """Return the value at the start."""
        return self.first[0][table, name]

    def tables(self) -> dict[str, dict]:
        """Return the first values of everything that changes, by table."""
        found: dict[str, dict] = {}
        for table, name in self.first[0]:
            if (table, name) in self.changing:
                found.setdefault(table, {})[name] = self.first[0][table, name]
        return found

    def updates(self, phase: int) -> dict[str, dict]:
        """Return what changes when `phase` begins, by table."""
        before, after = self.first[phase - 1], self.first[phase]
        found: dict[str, dict] = {}
        for key, value in after.items():
            if value != before[key]:
                found.setdefault(key[0], {})[key[1]] = value
        return found


def _values(network: Network) -> dict[tuple[str, str], object]:
    values: dict[tuple[str, str], object] = {}
    for skip in network.skips:
        values["on", skip.id] = skip.in_force
        values["strength", skip.id] = skip.strength
        values["skip_gain", skip.id] = skip.gain
    for k, layer in enumerate(network.layers, start=1):
        values["layer", layer.id] = layer_state(network, k)
        values["layer_gain", layer.id] = layer.gain
    resting = wiring_of(network).resting() if network.branches else {}
    for node in network.branches:
        values["layer", node.id] = {"identity": "input", "zeros": "zeros"}.get(resting.get(node.id), "on")
        values["layer_gain", node.id] = node.gain
    return values


def table_text(values: dict, quoted=repr) -> str:
    """Return a table as Python writes it; many equal values as `dict.fromkeys`."""
    names, different = list(values), list(dict.fromkeys(values.values()))
    if len(names) > 3 and len(different) == 1:
        return f"dict.fromkeys({words(names)}, {literal(different[0])})"
    return "{" + ", ".join(f"{text(name)}: {literal(value)}" for name, value in values.items()) + "}"


def words(names: Iterable[str]) -> str:
    """Return a short expression of a list of names."""
    return f'"{" ".join(names)}".split()'


def text(name: str) -> str:
    return f'"{name}"'


def literal(value) -> str:
    return text(value) if isinstance(value, str) else repr(value)
