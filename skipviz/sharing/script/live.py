"""Which switches, strengths and gains of a network change during a run, and what each event sets. Imports the data model only."""

from __future__ import annotations

from collections.abc import Iterable

from ...network.chain import wiring_of
from ...network.network import Network
from ...network.norm import NORMS
from ...network.rest import stand_ins


class Live:
    """The values of one network in the order of a run's phases, which its events part; `tables` are those that change.

    The tables are the attributes of the written network: by a skip's id `on`, `strength`, `skip_gain`; by a layer's `layer`, what
    stands in for it, `layer_gain`, `drops`, whether drop-path acts, and `zeroed`, the channels that its batch norm leaves alone.
    """

    def __init__(self, phases: list[Network]) -> None:
        self.phases = phases
        self.learned = {edge.id: edge for edge in (*phases[0].skips, *phases[0].edges) if edge.learned}
        """Skips and edges of branches whose strength is a parameter, which no table holds."""
        self.first = [_values(network) for network in phases]
        self.changing = {(table, name) for table, name in self.first[0] if len({values[table, name] for values in self.first}) > 1}

    def changes(self, table: str, name: str) -> bool:
        return (table, name) in self.changing

    def ever(self, table: str, name: str) -> bool:
        """Return whether there is a value in some phase, and it is not nothing."""
        return any(values.get((table, name)) for values in self.first)

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
    for skip in (*network.skips, *network.edges):
        values["on", skip.id] = skip.in_force
        values["strength", skip.id] = None if skip.learned else skip.strength
        values["skip_gain", skip.id] = skip.gain
    wiring = wiring_of(network)
    rests = stand_ins(wiring)
    for layer in (*network.layers, *network.branches):
        values["layer", layer.id] = rests.get(layer.id, "on")
        values["layer_gain", layer.id] = layer.gain
        if layer.drop_path:
            values["drops", layer.id] = wiring.ends_branch(layer.id)
        if layer.order == "norm-act-op" and layer.norm != "none" and NORMS[layer.norm].batch:
            values["zeroed", layer.id] = wiring.zeroed(layer.id)
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
